import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../machinery/object.ts'
import { flowControlObjects } from './bootstrap.ts'
import { isForgotten, revised } from './upkeep.ts'

const KEY = 'apf.kubernetes.io/autoupdate-spec'
const START = flowControlObjects()
const find = (kind: string, name: string): KubeObject =>
  START.find((object) => object.kind === kind && object.metadata.name === name) as KubeObject
const system = find('FlowSchema', 'system-nodes')
const catchAll = find('FlowSchema', 'catch-all')
const exempt = find('PriorityLevelConfiguration', 'exempt')

/** As it is stored after somebody changed it. */
function changed(
  object: KubeObject,
  annotation: string | undefined,
  change: object,
  generation = 2,
): KubeObject {
  const annotations = { other: 'x', ...(annotation === undefined ? {} : { [KEY]: annotation }) }
  const metadata = { ...object.metadata, generation, uid: 'u', annotations }
  return { ...object, metadata, spec: { ...(object['spec'] as object), ...change } }
}

const annotation = (object: KubeObject | undefined) => object?.metadata.annotations?.[KEY]

describe('a suggested object', () => {
  it('is put right while its annotation lets the server', () => {
    const right = revised(changed(system, 'true', { matchingPrecedence: 9 }), system)
    expect(right?.['spec']).toEqual(system['spec'])
    expect(right?.metadata).toMatchObject({ uid: 'u', annotations: { other: 'x', [KEY]: 'true' } })
  })

  it('is the operator’s otherwise', () => {
    expect(revised(changed(system, 'false', { matchingPrecedence: 9 }), system)).toBeUndefined()
  })

  it.each([
    ['without an annotation', undefined],
    ['with a senseless one', 'perhaps'],
  ])('%s is the operator’s if its spec was ever changed, and says so', (_, value) => {
    const theirs = revised(changed(system, value, { matchingPrecedence: 9 }), system)
    expect(annotation(theirs)).toBe('false')
    expect(theirs?.['spec']).toMatchObject({ matchingPrecedence: 9 })
    const ours = revised(changed(system, value, { matchingPrecedence: 9 }, 1), system)
    expect(annotation(ours)).toBe('true')
    expect(ours?.['spec']).toEqual(system['spec'])
  })

  it('that is right is left alone', () => {
    expect(revised(changed(system, 'true', {}), system)).toBeUndefined()
    expect(revised(changed(system, 'T', {}), system)).toBeUndefined()
  })
})

describe('a mandatory object', () => {
  it('is put right whatever its annotation says', () => {
    const right = revised(changed(catchAll, 'false', { matchingPrecedence: 9 }), catchAll)
    expect(right?.['spec']).toEqual(catchAll['spec'])
    expect(annotation(right)).toBe('true')
  })

  it('that is exempt has the seats that the operator gives it', () => {
    const more = { exempt: { nominalConcurrencyShares: 7, lendablePercent: 50 } }
    expect(revised(changed(exempt, 'true', more), exempt)).toBeUndefined()
  })
})

it('forgets what an older release made and nobody took over', () => {
  const old = changed({ ...system, metadata: { name: 'of-old' } }, 'true', {})
  expect(isForgotten(old, START)).toBe(true)
  expect(isForgotten(changed(old, 'false', {}), START)).toBe(false)
  expect(isForgotten(changed(old, undefined, {}), START)).toBe(false)
  expect(isForgotten(changed(system, 'true', {}), START)).toBe(false)
})
