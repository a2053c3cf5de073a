// Every generator of kubectl: the whole stored object, owners of fields included, against what kube-apiserver 1.36.3 made
// of the same command (generators.json, recorded; uids, versions, times and what is given out at random are masked).
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { isObject, type Json } from '../../src/machinery/json.ts'
import { findKubectl, useKubectl } from './driver.ts'

interface Generated {
  readonly line: string
  readonly object: Json
}

const program = await findKubectl('1.36')
const GENERATED = JSON.parse(
  readFileSync(new URL('generators.json', import.meta.url), 'utf8'),
) as readonly Generated[]

const FIXED_PORT = 30199
const MASKS: Readonly<Record<string, (value: Json) => Json>> = {
  uid: () => 'UID',
  'controller-uid': () => 'UID',
  'batch.kubernetes.io/controller-uid': () => 'UID',
  resourceVersion: () => 'VERSION',
  clusterIP: (value) => (value === 'None' ? value : 'IP'),
  clusterIPs: (value) => (value === 'None' ? value : 'IP'),
  nodePort: (value) => (value === FIXED_PORT ? value : 'PORT'),
}

function masked(value: Json, key = ''): Json {
  if (Array.isArray(value)) return value.map((item) => masked(item, key))
  if (isObject(value))
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, masked(item ?? null, name)]))
  const mask = Object.hasOwn(MASKS, key) ? MASKS[key] : undefined
  if (mask) return mask(value)
  return typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? 'TIME' : value
}

/** Flags stand before the command of a container. */
const withFlags = (line: string): string => {
  const [command = '', ...rest] = line.split(' -- ')
  return [`${command} -o json --show-managed-fields`, ...rest].join(' -- ')
}

describe.skipIf(program === undefined)('kubectl stores, as in upstream,', () => {
  const kubectl = useKubectl(program)
  let made: ReturnType<typeof kubectl.namespace> | undefined

  it.each(GENERATED)('$line', async ({ line, object }) => {
    const k = await (made ??= kubectl.namespace('gen'))
    expect(masked(JSON.parse(await k(withFlags(line))) as Json)).toEqual(object)
  })

  it('nothing that get could not show', async () => {
    const { code, stdout, stderr } = await kubectl.run('get all -A -o wide')
    expect([code, stderr]).toEqual([0, ''])
    const headers = stdout.split('\n').filter((line) => line.startsWith('NAMESPACE '))
    expect(headers.map((line) => line.split(/\s{2,}/).slice(1, 4))).toEqual([
      ['NAME', 'READY', 'STATUS'],
      ['NAME', 'TYPE', 'CLUSTER-IP'],
      ['NAME', 'READY', 'UP-TO-DATE'],
      ['NAME', 'SCHEDULE', 'TIMEZONE'],
      ['NAME', 'STATUS', 'COMPLETIONS'],
    ])
  })
})
