import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { objectAt, objectsAt } from '../reading.ts'
import { takenNames, withStatus } from './conditions.ts'
import { violationsOf } from './unstructured.ts'

const NAMES = { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' }
const NOW = new Date('2024-01-01T00:00:00Z')

const definition = (schema: JsonObject, spec: JsonObject = {}): KubeObject => ({
  metadata: { name: 'things.example.com', uid: 'u', generation: 1 },
  spec: {
    group: 'example.com',
    names: NAMES,
    versions: [{ name: 'v1', schema: { openAPIV3Schema: schema } }],
    ...spec,
  },
})

const look = (object: KubeObject): KubeObject | undefined =>
  withStatus(object, { taken: takenNames([]), violations: violationsOf(object), now: NOW })

const conditions = (object: KubeObject | undefined): unknown[] =>
  objectsAt(objectAt(object?.['status'])['conditions']).map(({ type, status, reason }) => [
    type,
    status,
    reason,
  ])

describe('a definition', () => {
  const sound = { type: 'object', properties: { a: { type: 'string' } } }

  it('is established under names that nobody has', () => {
    const once = look(definition(sound))
    expect(conditions(once)).toEqual([
      ['NamesAccepted', 'True', 'NoConflicts'],
      ['Established', 'True', 'InitialNamesAccepted'],
    ])
    expect(look(once as KubeObject)).toBeUndefined()
  })

  it('of a time before structural schemas says what is wrong with them, until nothing is', () => {
    const old = look(definition({ type: 'object', properties: { a: {} } }, { preserveUnknownFields: true }))
    expect(conditions(old)).toContainEqual(['NonStructuralSchema', 'True', 'Violations'])
    expect(objectsAt(objectAt(old?.['status'])['conditions'])).toContainEqual({
      type: 'NonStructuralSchema',
      status: 'True',
      reason: 'Violations',
      message:
        '[spec.preserveUnknownFields: Invalid value: true: must be false, ' +
        'spec.versions[0].schema.openAPIV3Schema.properties[a].type: Required value: must not be empty for specified object fields]',
      lastTransitionTime: '2024-01-01T00:00:00Z',
    })
    expect(look(old as KubeObject)).toBeUndefined()
    const mended = look({ ...definition(sound), status: old?.['status'] as JsonObject })
    expect(conditions(mended)).toEqual([
      ['NamesAccepted', 'True', 'NoConflicts'],
      ['Established', 'True', 'InitialNamesAccepted'],
    ])
  })
})
