import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { decoderFor } from '../decode.ts'
import { compareObjects } from './fieldset-compare.ts'
import { isSubset } from './fieldset.ts'
import { type Applied, applyFields } from './managedfields-apply.ts'
import { trustManaged } from './managedfields-entries.ts'
import { trackUpdate } from './managedfields.ts'
import { applyConflict } from '../merge/conflicts.ts'
import { fieldsOf } from '../merge/fieldsof.ts'
import type { StructType } from '../type.ts'
import { typeForKind } from '../types.ts'
import type { Versions } from '../versions.ts'

const type = typeForKind({ group: '', version: 'v1', kind: 'Pod' }) as StructType
const decode = decoderFor(type)

const ONE_VERSION: Versions = {
  serves: (apiVersion) => apiVersion === 'v1',
  convert: (_from, object, to) => (to === 'v1' ? { object, type } : undefined),
}

interface By {
  manager?: string
  force?: boolean
  second?: number
  subresource?: string
}

const at = (second: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, second))

function outcome(live: KubeObject | undefined, spec: JsonObject, by: By = {}): Applied {
  const { manager = 'one', force = false, second = 0, subresource = '' } = by
  const applied = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, ...spec }
  return applyFields({
    type,
    live,
    applied,
    manager,
    force,
    apiVersion: 'v1',
    subresource,
    now: at(second),
    versions: ONE_VERSION,
  })
}

/** The stored object after an apply that must succeed. */
function apply(live: KubeObject | undefined, spec: JsonObject, by?: By): KubeObject {
  const { conflicts, object, managedFields } = outcome(live, spec, by)
  expect(conflicts).toEqual([])
  const next = decode(object).object
  next.metadata.uid = 'u'
  if (managedFields) next.metadata.managedFields = managedFields
  return next
}

function update(
  live: KubeObject,
  change: (copy: KubeObject) => void,
  manager = 'upd',
  second = 0,
): KubeObject {
  const next = structuredClone(live)
  change(next)
  const managedFields = trackUpdate({
    type,
    old: live,
    next,
    manager,
    apiVersion: 'v1',
    subresource: '',
    now: at(second),
  })
  next.metadata.managedFields = managedFields ?? []
  return next
}

const labels = (map: Record<string, string>): JsonObject => ({ metadata: { name: 'p', labels: map } })
const owners = (object: KubeObject): string[] =>
  (object.metadata.managedFields ?? []).map(
    (e) => `${e.manager} ${e.operation} ${JSON.stringify(e.fieldsV1)} ${e.time?.slice(-3, -1)}`,
  )

describe('apply', () => {
  it('takes away what its manager does not say any more, and nobody else owns', () => {
    const first = apply(undefined, labels({ a: '1', b: '1', c: '1' }))
    const shared = apply(first, labels({ b: '1' }), { manager: 'two' })
    const later = apply(shared, labels({ a: '1' }))
    expect(later.metadata.labels).toEqual({ a: '1', b: '1' })
  })
  it('takes away items with what the server put into them', () => {
    const ports = (...list: Json[]): JsonObject => ({ spec: { containers: [{ name: 'c', ports: list }] } })
    const live = update(apply(undefined, ports({ containerPort: 80 }, { containerPort: 81 })), (pod) => {
      const container = ((pod['spec'] as JsonObject)['containers'] as JsonObject[])[0] as JsonObject
      container['image'] = 'i'
    })
    const { object } = outcome(live, ports({ containerPort: 81 }))
    expect((object['spec'] as JsonObject)['containers']).toEqual([
      { name: 'c', ports: [{ containerPort: 81 }], resources: {}, image: 'i' },
    ])
  })
  it('names the owners it disagrees with', () => {
    let live = apply(undefined, { ...labels({ a: '1' }), spec: { containers: [{ name: 'c', image: 'i' }] } })
    live = update(live, (pod) => Object.assign(pod.metadata.labels as object, { b: '1' }))
    const { conflicts } = outcome(
      live,
      { ...labels({ a: '2', b: '2' }), spec: { containers: [{ name: 'c', image: 'j' }] } },
      { manager: 'two' },
    )
    expect(applyConflict(conflicts).status).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      code: 409,
      reason: 'Conflict',
      message:
        'Apply failed with 3 conflicts: conflicts with "one":\n- .metadata.labels.a\n- .spec.containers[name="c"].image\nconflicts with "upd" using v1:\n- .metadata.labels.b',
      details: {
        causes: [
          { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.metadata.labels.a' },
          {
            reason: 'FieldManagerConflict',
            message: 'conflict with "one"',
            field: '.spec.containers[name="c"].image',
          },
          {
            reason: 'FieldManagerConflict',
            message: 'conflict with "upd" using v1',
            field: '.metadata.labels.b',
          },
        ],
      },
    })
  })
  it('takes by force', () => {
    const live = apply(apply(undefined, labels({ a: '1', b: '1' })), labels({ a: '2' }), {
      manager: 'two',
      force: true,
    })
    expect(owners(live)).toEqual([
      'one Apply {"f:metadata":{"f:labels":{"f:b":{}}}} 00',
      'two Apply {"f:metadata":{"f:labels":{"f:a":{}}}} 00',
    ])
  })
  it('keeps apart what a manager applies and updates, and through which subresource', () => {
    let live = apply(undefined, labels({ a: '1' }), { manager: 'm' })
    live = update(live, (pod) => Object.assign(pod.metadata.labels as object, { b: '1' }), 'm')
    expect(outcome(live, labels({ b: '2' }), { manager: 'm' }).conflicts).toHaveLength(1)
    expect(outcome(live, labels({ a: '2' }), { manager: 'm', subresource: 'status' }).conflicts).toHaveLength(
      1,
    )
  })
  it('changes no time where it changes nothing', () => {
    const live = apply(undefined, labels({ a: '1' }), { second: 1 })
    const again = outcome(live, labels({ a: '1' }), { second: 2 })
    expect([again.changed, again.managedFields?.[0]]).toEqual([false, live.metadata.managedFields?.[0]])
    expect(owners(apply(live, labels({ a: '2' }), { second: 3 }))[0]).toMatch(/ 03$/)
  })
  it('gives what was stored without owners to before-first-apply', () => {
    const live = decode({ apiVersion: 'v1', kind: 'Pod', ...labels({ a: '1', b: '1' }) }).object
    const { conflicts, managedFields } = outcome(live, labels({ a: '1' }))
    expect([conflicts, managedFields?.map((e) => e.manager)]).toEqual([[], ['one', 'before-first-apply']])
    expect(outcome(live, labels({ a: '2' })).conflicts).toHaveLength(1)
  })
  it('forgets managers of versions that are not served', () => {
    const live = apply(undefined, labels({ a: '1' }))
    const entries = live.metadata.managedFields?.map((entry) => ({ ...entry, apiVersion: 'v0' })) ?? []
    const old = { ...live, metadata: { ...live.metadata, managedFields: entries } }
    expect(owners(apply(old, labels({ a: '2' }), { manager: 'two' }))).toEqual([
      'two Apply {"f:metadata":{"f:labels":{"f:a":{}}}} 00',
    ])
  })
})

const word = fc.constantFrom('a', 'b', 'c')
// Go drops what is empty on the way to the store, so it would have to be said again and again.
const map = fc.dictionary(word, fc.constantFrom('1', '2'), { minKeys: 1, maxKeys: 3 })
const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 })
const clean = (value: Json): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject

const ports = fc.uniqueArray(
  fc.record({
    containerPort: fc.constantFrom(1, 2),
    protocol: fc.constantFrom('TCP', 'UDP'),
    name: some(word),
  }),
  { minLength: 1, selector: ({ containerPort, protocol }) => `${containerPort}${protocol}` },
)
const container = fc.record({
  name: word,
  image: some(word),
  args: some(fc.array(word, { minLength: 1, maxLength: 2 })),
  ports: some(ports),
})
const configuration = fc
  .record({
    metadata: fc.record({ labels: map, finalizers: some(fc.uniqueArray(word, { minLength: 1 })) }),
    spec: some(
      fc.record({
        containers: some(
          fc.uniqueArray(container, { selector: ({ name }) => name, minLength: 1, maxLength: 3 }),
        ),
        nodeSelector: some(map),
        hostname: some(word),
      }),
    ),
  })
  .map((value) => clean(value as unknown as Json))

const bare = ({ metadata: { managedFields: _owners, ...metadata }, ...object }: KubeObject): JsonObject => ({
  ...object,
  metadata,
})

describe('any applies', () => {
  it('twice are as good as once', () => {
    fc.assert(
      fc.property(configuration, configuration, (before, spec) => {
        const live = apply(apply(undefined, before, { manager: 'two' }), spec, { force: true })
        const again = outcome(live, spec)
        expect(again.changed).toBe(false)
        expect(again.managedFields).toEqual(live.metadata.managedFields)
      }),
    )
  })
  it('in another order make the same, where they do not disagree', () => {
    fc.assert(
      fc.property(configuration, configuration, (a, b) => {
        const first = apply(undefined, a, { manager: 'one' })
        const second = apply(undefined, b, { manager: 'two' })
        fc.pre(outcome(first, b, { manager: 'two' }).conflicts.length === 0)
        fc.pre(outcome(second, a, { manager: 'one' }).conflicts.length === 0)
        const [ab, ba] = [apply(first, b, { manager: 'two' }), apply(second, a, { manager: 'one' })]
        const fields = (object: KubeObject): Json => fieldsOf(type, bare(object))
        expect(fields(ab)).toEqual(fields(ba))
        const sets = (object: KubeObject) =>
          [...trustManaged(object.metadata.managedFields)].map(([id, { set }]) => [id, set])
        expect(sets(ab).sort()).toEqual(sets(ba).sort())
      }),
    )
  })
  it('without force take nothing from anybody, and change nothing that others say', () => {
    fc.assert(
      fc.property(configuration, configuration, configuration, (a, b, c) => {
        let live = apply(undefined, a, { manager: 'one' })
        live = apply(live, b, { manager: 'two', force: true })
        const before = trustManaged(live.metadata.managedFields)
        fc.pre(outcome(live, c, { manager: 'three' }).conflicts.length === 0)
        live = apply(live, c, { manager: 'three' })
        const after = trustManaged(live.metadata.managedFields)
        for (const [id, { set }] of before) expect(isSubset(set, after.get(id)?.set ?? {})).toBe(true)
        const again = outcome(live, b, { manager: 'two' })
        const changed = compareObjects(type, bare(live), again.object).changed
        // Another order of items is no change that anybody owns.
        expect([again.conflicts, changed]).toEqual([[], {}])
      }),
    )
  })
  it('own exactly what they say', () => {
    fc.assert(
      fc.property(configuration, configuration, (a, b) => {
        const live = apply(apply(undefined, a), b)
        const entry = trustManaged(live.metadata.managedFields).get('{"manager":"one","operation":"Apply"}')
        expect(entry?.set ?? {}).toEqual(fieldsOf(type, b))
      }),
    )
  })
  it('that are followed by an empty one leave nothing of their own', () => {
    fc.assert(
      fc.property(configuration, (a) => {
        const live = apply(apply(undefined, a), {})
        expect(live.metadata.managedFields).toBeUndefined()
        expect(live.metadata.labels).toBeUndefined()
        expect((live['spec'] as JsonObject)['containers']).toBeNull()
      }),
    )
  })
})
