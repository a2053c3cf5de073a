// The table of the resources that a server serves: those of the release, and those that definitions add while it runs.
// Its one owner; routing, discovery, OpenAPI, the lister all ask here.
// Follows k8s.io/apiextensions-apiserver/pkg/apiserver (crdStorageMap, discovery) and pkg/server (installed API groups).
import type { RequestInfo } from '../machinery/attributes.ts'
import type { JsonObject } from '../machinery/json.ts'
import type { Resource } from '../schema/resource.ts'
import { builtinResources, findResource, type ResourceRow } from '../schema/resources.ts'
import type { Kind } from './kind.ts'

/** A version of a custom resource: its kind is made at the first request for it. */
export interface CustomResource {
  readonly row: ResourceRow
  makeKind(): Kind
  /** The OpenAPI schema of this name: the kind's, or its list's. */
  schema(definition: string, dialect: 'v2' | 'v3'): JsonObject | undefined
}

/** What a request asks for. */
export type Place = Pick<RequestInfo, 'group' | 'version' | 'resource' | 'namespace' | 'verb'>

export class ServedResources {
  readonly #byDefinition = new Map<string, readonly CustomResource[]>()
  /** By group/version/name. */
  readonly #byPlace = new Map<string, ResourceRow>()
  readonly #makers = new WeakMap<Resource, () => Kind>()
  #all: readonly ResourceRow[] | undefined

  /** All of them, built-in ones first; a new array whenever anything changes. */
  all(): readonly ResourceRow[] {
    if (this.#byDefinition.size === 0) return builtinResources()
    this.#all ??= [...builtinResources(), ...this.#byPlace.values()]
    return this.#all
  }

  find(group: string, version: string, name: string): ResourceRow | undefined {
    return findResource(group, version, name) ?? this.#byPlace.get(`${group}/${version}/${name}`)
  }

  /**
   * Whether requests for this place are answered by its group: with a Status even for resources that it does not have.
   * Other places are no more than pages that are not found, as those beside the resources of definitions.
   */
  answers({ group, version, resource, namespace, verb }: Place): boolean {
    if (group === '' || builtinGroups().has(group)) return true
    const row = this.#byPlace.get(`${group}/${version}/${resource}`)
    if (!row || !row.namespaced) return row !== undefined && namespace === ''
    return namespace !== '' || verb === 'list' || verb === 'watch'
  }

  /** The kind of a custom resource; undefined for built-in ones. */
  kindOf(resource: Resource): Kind | undefined {
    return resource.custom ? this.#makers.get(resource)?.() : undefined
  }

  /** The OpenAPI schema of a custom kind, by its name there. */
  schemaOf(definition: string, dialect: 'v2' | 'v3'): JsonObject | undefined {
    for (const resources of this.#byDefinition.values()) {
      for (const resource of resources) {
        const schema = resource.schema(definition, dialect)
        if (schema) return schema
      }
    }
    return undefined
  }

  /** Puts the resources of a definition in the place of those that it had; none: it serves nothing (more). */
  define(definition: string, resources: readonly CustomResource[]): void {
    for (const { row } of this.#byDefinition.get(definition) ?? []) this.#byPlace.delete(placeOf(row))
    this.#byDefinition.delete(definition)
    if (resources.length) this.#byDefinition.set(definition, resources)
    for (const { row, makeKind } of resources) {
      this.#byPlace.set(placeOf(row), row)
      this.#makers.set(row, makeKind)
    }
    this.#all = undefined
  }

  /** The rows of a definition, one for each version. */
  rowsOf(definition: string): readonly ResourceRow[] {
    return (this.#byDefinition.get(definition) ?? []).map(({ row }) => row)
  }
}

const placeOf = ({ group, version, name }: Resource): string => `${group}/${version}/${name}`

let groups: ReadonlySet<string> | undefined
const builtinGroups = (): ReadonlySet<string> =>
  (groups ??= new Set(builtinResources().map(({ group }) => group)))
