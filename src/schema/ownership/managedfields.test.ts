import { describe, expect, it } from 'vitest'
import type { KubeObject, ManagedFieldsEntry } from '../../machinery/object.ts'
import { managerFromUserAgent, sameButTimes, trackUpdate, type UpdateToTrack } from './managedfields.ts'
import { trackScale } from './managedfields-scale.ts'
import type { StructType } from '../type.ts'
import { typeForKind } from '../types.ts'

const configMap = typeForKind({ group: '', version: 'v1', kind: 'ConfigMap' }) as StructType
const at = (second: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, second))

const object = (data: Record<string, string>, managedFields?: ManagedFieldsEntry[]): KubeObject => ({
  kind: 'ConfigMap',
  apiVersion: 'v1',
  metadata: { name: 'n', uid: 'u', ...(managedFields && { managedFields }) },
  data,
})

function track(
  change: Partial<UpdateToTrack> & Pick<UpdateToTrack, 'next'>,
): ManagedFieldsEntry[] | undefined {
  return trackUpdate({
    type: configMap,
    manager: 'm',
    apiVersion: 'v1',
    subresource: '',
    now: at(0),
    ...change,
  })
}

const entry = (manager: string, fieldsV1: object, extra: object = {}): ManagedFieldsEntry => ({
  manager,
  operation: 'Update',
  apiVersion: 'v1',
  time: '2026-01-01T00:00:00Z',
  fieldsType: 'FieldsV1',
  fieldsV1: fieldsV1 as never,
  ...extra,
})

describe('tracking', () => {
  const created = track({ next: object({ a: '1', b: '1' }) }) as ManagedFieldsEntry[]

  it('gives a new object to its creator, server-set fields excepted', () => {
    expect(created).toEqual([entry('m', { 'f:data': { '.': {}, 'f:a': {}, 'f:b': {} } })])
    expect(Object.keys(created[0] as object)).toEqual([
      'manager',
      'operation',
      'apiVersion',
      'time',
      'fieldsType',
      'fieldsV1',
    ])
  })

  it('moves what changed to who changed it', () => {
    const next = track({
      old: object({ a: '1', b: '1' }, created),
      next: object({ a: '2', b: '1' }),
      manager: 'n',
      now: at(1),
    })
    expect(next).toEqual([
      entry('m', { 'f:data': { '.': {}, 'f:b': {} } }),
      entry('n', { 'f:data': { 'f:a': {} } }, { time: '2026-01-01T00:00:01Z' }),
    ])
  })

  it('keeps entries that did not change as they are', () => {
    const old = object({ a: '1' }, created)
    const next = track({
      old,
      next: { ...object({ a: '1' }), metadata: { ...old.metadata, labels: { l: '1' } } },
      manager: 'n',
    })
    expect(next?.[0]).toBe(created[0])
    expect(track({ old, next: object({ a: '1' }), manager: 'n', now: at(9) })?.[0]).toBe(created[0])
  })

  it('does not begin on an object that nobody tracked', () => {
    expect(track({ old: object({ a: '1' }), next: object({ a: '2' }) })).toBeUndefined()
  })

  it('leaves out what the write cannot change', () => {
    const next = { ...object({}), metadata: { name: 'n', labels: { a: '1' }, annotations: { b: '1' } } }
    const reset = ['metadata.labels', 'data']
    expect(track({ next, resetFields: reset })?.[0]?.fieldsV1).toEqual({
      'f:metadata': { 'f:annotations': { '.': {}, 'f:b': {} } },
    })
  })

  it('names the subresource', () => {
    expect(track({ next: object({ a: '1' }), subresource: 'status', manager: '' })?.[0]).toMatchObject({
      manager: 'unknown',
      subresource: 'status',
    })
  })

  it('merges the oldest beyond ten', () => {
    let old = object({}, [entry('seed', { 'f:data': {} })])
    for (let i = 0; i < 12; i++) {
      const next = object({ ...(old.data as Record<string, string>), [`k${i}`]: '1' })
      const managedFields = track({ old, next, manager: `m${i}`, now: at(i + 1) }) as ManagedFieldsEntry[]
      old = object(next.data as Record<string, string>, managedFields)
    }
    const entries = old.metadata.managedFields as ManagedFieldsEntry[]
    expect(entries).toHaveLength(10)
    expect(entries[0]).toEqual(
      entry(
        'ancient-changes',
        { 'f:data': { '.': {}, 'f:k0': {}, 'f:k1': {}, 'f:k2': {} } },
        { time: '2026-01-01T00:00:03Z' },
      ),
    )
  })
})

describe('managedFields that a client sends', () => {
  const stored = [entry('m', { 'f:data': { '.': {}, 'f:a': {} } })]
  const send = (
    managedFields: ManagedFieldsEntry[] | undefined,
    subresource = '',
  ): ManagedFieldsEntry[] | undefined =>
    track({ old: object({ a: '1' }, stored), next: object({ a: '1' }, managedFields), subresource })

  it('reset when empty, but not through a subresource', () => {
    expect(send([])).toBeUndefined()
    expect(send([{}])).toBeUndefined()
    expect(send([], 'status')).toEqual(stored)
  })
  it('count when valid, in canonical form', () => {
    const sent = [entry('x', { 'f:data': { 'f:b': {}, 'f:a': {}, 'q:z': {} } })]
    expect(JSON.stringify(send(sent)?.[0]?.fieldsV1)).toBe('{"f:data":{"f:a":{},"f:b":{}}}')
  })
  it.each([
    ['an operation', entry('x', {}, { operation: 'Zap' })],
    ['a version', entry('x', {}, { apiVersion: '' })],
    ['a type', entry('x', {}, { fieldsType: 'V2' })],
    ['a path', entry('x', { nocolon: {} })],
  ])('are ignored with %s that is wrong', (_, bad) => expect(send([bad])).toEqual(stored))
})

describe('times', () => {
  const old = object({ a: '1' }, [entry('m', { 'f:data': {} })])
  const at7 = { time: '2026-01-01T00:00:07Z' }
  it.each([
    ['alone', [entry('m', { 'f:data': {} }, at7)], true],
    ['with the fields', [entry('m', {}, at7)], false],
    ['with the number of entries', [entry('m', { 'f:data': {} }, at7), entry('n', {})], false],
  ])('that differ %s', (_, entries, same) =>
    expect(sameButTimes(old, object({ a: '1' }, entries))).toBe(same),
  )
})

describe('the manager of a request without one', () => {
  it.each([
    ['kubectl/v1.36.3 (linux/amd64)', 'kubectl'],
    ['', ''],
    ['a\u0000b\tc/1', 'abc'],
    [`${'é'.repeat(70)}/1`, 'é'.repeat(64)],
  ])('%j', (agent, manager) => expect(managerFromUserAgent(agent)).toBe(manager))
})

describe('scale', () => {
  it('moves the replicas, and nothing else', () => {
    const entries = [
      entry('m', { 'f:spec': { 'f:paused': {}, 'f:replicas': {} } }, { apiVersion: 'apps/v1' }),
    ]
    const scale = {
      entries,
      apiVersion: 'apps/v1',
      replicasPath: 'spec.replicas',
      changed: true,
      manager: 'hpa',
    }
    const { time: _time, ...untimed } = entry(
      'hpa',
      { 'f:spec': { 'f:replicas': {} } },
      { apiVersion: 'apps/v1', subresource: 'scale' },
    )
    expect(trackScale(scale)).toEqual([
      untimed,
      entry('m', { 'f:spec': { 'f:paused': {} } }, { apiVersion: 'apps/v1' }),
    ])
    expect(trackScale({ ...scale, entries: undefined })).toBeUndefined()
  })
})
