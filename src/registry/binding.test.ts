import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../machinery/object.ts'
import { StatusError } from '../machinery/status.ts'
import { bind, binding } from './binding.ts'
import type { WriteContext } from './strategy.ts'

const context = { now: new Date('2026-01-02T03:04:05Z') } as WriteContext
const pod = (spec: object = {}, metadata: object = {}): KubeObject =>
  ({
    metadata: { name: 'p', uid: 'u', resourceVersion: '7', labels: { a: 'b' }, ...metadata },
    spec,
  }) as KubeObject
const to = (node: string, metadata: object = {}): KubeObject =>
  ({ metadata: { name: 'p', ...metadata }, target: { kind: 'Node', name: node } }) as unknown as KubeObject

function refusalOf(act: () => unknown): StatusError {
  try {
    act()
  } catch (error) {
    if (error instanceof StatusError) return error
    throw error
  }
  throw new Error('it was not refused')
}

describe('a binding', () => {
  it('puts the pod on its node, scheduled, with its labels and annotations', () => {
    const bound = bind(pod(), to('n', { labels: { c: 'd' }, annotations: { e: 'f' } }), context)
    expect(bound['spec']).toEqual({ nodeName: 'n' })
    expect(bound.metadata).toMatchObject({ labels: { a: 'b', c: 'd' }, annotations: { e: 'f' } })
    expect(bound['status']).toMatchObject({ conditions: [{ type: 'PodScheduled', status: 'True' }] })
  })

  it('leaves the pod that it was given alone', () => {
    const before = Object.freeze(pod(Object.freeze({})))
    bind(before, to('n'), context)
    expect(before).toEqual(pod())
  })

  it.each([
    ['has a node', pod({ nodeName: 'other' }), 'already assigned to node "other"'],
    ['waits at a gate', pod({ schedulingGates: [{ name: 'g' }] }), 'non-empty .spec.schedulingGates'],
    ['is being deleted', pod({}, { deletionTimestamp: '2026-01-01T00:00:00Z' }), 'is being deleted'],
  ])('is refused where the pod %s', (_why, given, message) => {
    const error = refusalOf(() => bind(given, to('n'), context))
    expect([error.code, error.reason]).toEqual([409, 'Conflict'])
    expect(error.message).toContain(message)
  })

  it('is refused where another pod or another version of it was meant', () => {
    expect(refusalOf(() => bind(pod(), to('n', { uid: 'other' }), context)).message).toContain('UID')
    const version = refusalOf(() => bind(pod(), to('n', { resourceVersion: '6' }), context))
    expect(version.message).toContain('ResourceVersion in precondition: 6')
  })

  it('names the pod of the URL and a node', () => {
    const check = (name: string, body: KubeObject) => () => binding.check?.(name, body)
    expect(refusalOf(check('other', to('n'))).code).toBe(400)
    expect(refusalOf(check('p', to(''))).message).toBe('target.name: Required value')
    expect(refusalOf(check('p', { ...to('n'), target: { kind: 'Pod', name: 'n' } })).code).toBe(500)
    expect(check('p', to('n'))()).toBeUndefined()
  })
})
