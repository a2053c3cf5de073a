// The resources of the release, their table columns and the bootstrap policy, read from api/openapi at first use.
// Follows k8s.io/kubernetes/pkg/controlplane (which versions are on by default).
import { apiVersionOf, type GroupVersionKind } from '../machinery/gvk.ts'
import type { KubeObject } from '../machinery/object.ts'
import { readFacts } from './facts.ts'
import type { Resource } from './resource.ts'

/** A row of resources.json. */
export interface ResourceRow extends Resource {
  /** The hash that discovery states, where it does not follow from `storage`. */
  readonly storageVersionHash?: string
  /** DELETE answers with the object as it was, not with a Status. */
  readonly deleteReturnsObject?: true
}

/** A column of the server's Table; priority 0 is shown without `-o wide`. */
export interface ColumnDefinition {
  readonly name: string
  readonly type: string
  readonly format?: string
  readonly priority?: number
  /** Absent: what columnDescription() finds. */
  readonly description?: string
}

interface Index {
  readonly byName: ReadonlyMap<string, ResourceRow>
  readonly byKind: ReadonlyMap<string, ResourceRow>
}

let rows: readonly ResourceRow[] | undefined
let enabled: readonly ResourceRow[] | undefined
let index: Index | undefined
let columns: Readonly<Record<string, readonly ColumnDefinition[]>> | undefined

/** Every resource of the release, alpha and beta ones too, in the order of discovery. */
export function releasedResources(): readonly ResourceRow[] {
  rows ??= readFacts<readonly ResourceRow[]>('resources')
  return rows
}

/** The resources that a server has without further flags, in the order of discovery: those of stable versions. */
export function builtinResources(): readonly ResourceRow[] {
  enabled ??= releasedResources().filter(({ version }) => isStable(version))
  return enabled
}

/** True for "v1", false for "v1beta1" and "v1alpha2". */
export function isStable(version: string): boolean {
  return /^v\d+$/.test(version)
}

/** A resource of builtinResources() by its plural name; the core group is ''. */
export function findResource(group: string, version: string, name: string): ResourceRow | undefined {
  return isStable(version) ? indexed().byName.get(`${group}/${version}/${name}`) : undefined
}

/** The resource of builtinResources() whose objects are of this kind. */
export function findKind(gvk: GroupVersionKind): ResourceRow | undefined {
  return isStable(gvk.version) ? indexed().byKind.get(`${gvk.group}/${gvk.version}/${gvk.kind}`) : undefined
}

/** True for the release's own resources, alpha and beta ones too; false for custom ones. */
export function isReleased({ group, version, name }: Pick<Resource, 'group' | 'version' | 'name'>): boolean {
  return indexed().byName.has(`${group}/${version}/${name}`)
}

function indexed(): Index {
  index ??= {
    byName: new Map(releasedResources().map((row) => [`${row.group}/${row.version}/${row.name}`, row])),
    byKind: new Map(releasedResources().map((row) => [`${row.group}/${row.version}/${row.kind}`, row])),
  }
  return index
}

/** The columns that upstream's printers give a built-in resource; empty where they are the generic two. */
export function columnsOf(
  resource: Pick<Resource, 'group' | 'version' | 'name'>,
): readonly ColumnDefinition[] {
  columns ??= readFacts<{ columns: Record<string, ColumnDefinition[]> }>('columns').columns
  const key = `${apiVersionOf(resource)}/${resource.name}`
  return Object.hasOwn(columns, key) ? (columns[key] ?? []) : []
}

/** The roles and bindings that upstream creates at start: cluster roles first. A fresh copy for each call. */
export function bootstrapPolicy(): readonly KubeObject[] {
  return readFacts<KubeObject[]>('policy')
}
