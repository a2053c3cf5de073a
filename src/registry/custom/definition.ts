// A CustomResourceDefinition, as far as serving its kinds needs it: typed reading of what is stored, which the
// definition's own type has already been checked against. Follows k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.
import { isObject, type JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'

export const DEFINITIONS = { group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions' } as const
/** Keeps a definition until its objects are deleted. */
export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io'

export interface Names {
  readonly plural: string
  readonly singular: string
  readonly kind: string
  readonly listKind: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
}

export interface Version {
  readonly name: string
  readonly served: boolean
  readonly storage: boolean
  readonly deprecated: boolean
  readonly deprecationWarning: string | undefined
  /** openAPIV3Schema; undefined where there is none. */
  readonly schema: JsonObject | undefined
  readonly hasStatus: boolean
  readonly scale: Scale | undefined
  readonly columns: readonly Column[]
  readonly selectableFields: readonly string[]
}

export interface Scale {
  readonly specReplicasPath: string
  readonly statusReplicasPath: string
  readonly labelSelectorPath: string
}

export interface Column {
  readonly name: string
  readonly type: string
  readonly format: string
  readonly description: string
  readonly priority: number
  readonly jsonPath: string
}

export interface Definition {
  readonly name: string
  readonly group: string
  readonly namespaced: boolean
  /** What was asked for, and what was granted. */
  readonly names: Names
  readonly accepted: Names
  readonly versions: readonly Version[]
  readonly storageVersion: string
  readonly preserveUnknownFields: boolean
  readonly conversion: JsonObject
  readonly terminating: boolean
  /** Names are accepted, or were once. */
  readonly isServed: boolean
}

const objectAt = (object: JsonObject, key: string): JsonObject => {
  const value = object[key]
  return isObject(value) ? value : {}
}
const listAt = (object: JsonObject, key: string): JsonObject[] => {
  const value = object[key]
  return Array.isArray(value) ? value.filter(isObject) : []
}
const textAt = (object: JsonObject, key: string): string => {
  const value = object[key]
  return typeof value === 'string' ? value : ''
}
const textsAt = (object: JsonObject, key: string): string[] => {
  const value = object[key]
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}

/** Names as `spec.names` and `status.acceptedNames` have them. */
export const namesOf = (names: JsonObject): Names => ({
  plural: textAt(names, 'plural'),
  singular: textAt(names, 'singular'),
  kind: textAt(names, 'kind'),
  listKind: textAt(names, 'listKind'),
  shortNames: textsAt(names, 'shortNames'),
  categories: textsAt(names, 'categories'),
})

/** The condition of a type; undefined where there is none. */
export const conditionOf = (object: KubeObject, type: string): JsonObject | undefined =>
  listAt(objectAt(object, 'status'), 'conditions').find((one) => one['type'] === type)

export const isTrue = (object: KubeObject, type: string): boolean =>
  conditionOf(object, type)?.['status'] === 'True'

function versionOf(version: JsonObject): Version {
  const subresources = objectAt(version, 'subresources')
  const schema = objectAt(version, 'schema')['openAPIV3Schema']
  const scale = subresources['scale']
  const warning = version['deprecationWarning']
  return {
    name: textAt(version, 'name'),
    served: version['served'] === true,
    storage: version['storage'] === true,
    deprecated: version['deprecated'] === true,
    deprecationWarning: typeof warning === 'string' ? warning : undefined,
    schema: isObject(schema) ? schema : undefined,
    hasStatus: isObject(subresources['status']),
    scale: isObject(scale)
      ? {
          specReplicasPath: textAt(scale, 'specReplicasPath'),
          statusReplicasPath: textAt(scale, 'statusReplicasPath'),
          labelSelectorPath: textAt(scale, 'labelSelectorPath'),
        }
      : undefined,
    columns: listAt(version, 'additionalPrinterColumns').map(columnOf),
    selectableFields: listAt(version, 'selectableFields').map((field) => textAt(field, 'jsonPath')),
  }
}

const columnOf = (column: JsonObject): Column => ({
  name: textAt(column, 'name'),
  type: textAt(column, 'type'),
  format: textAt(column, 'format'),
  description: textAt(column, 'description'),
  priority: typeof column['priority'] === 'number' ? column['priority'] : 0,
  jsonPath: textAt(column, 'jsonPath'),
})

/** Reads a stored CustomResourceDefinition. */
export function definitionOf(object: KubeObject): Definition {
  const spec = objectAt(object, 'spec')
  const versions = listAt(spec, 'versions').map(versionOf)
  const accepted = namesOf(objectAt(objectAt(object, 'status'), 'acceptedNames'))
  return {
    name: object.metadata.name ?? '',
    group: textAt(spec, 'group'),
    namespaced: spec['scope'] === 'Namespaced',
    names: namesOf(objectAt(spec, 'names')),
    accepted,
    versions,
    storageVersion: versions.find(({ storage }) => storage)?.name ?? '',
    preserveUnknownFields: spec['preserveUnknownFields'] === true,
    conversion: objectAt(spec, 'conversion'),
    terminating: isTrue(object, 'Terminating'),
    isServed:
      accepted.plural !== '' &&
      accepted.kind !== '' &&
      (isTrue(object, 'NamesAccepted') || isTrue(object, 'Established')),
  }
}
