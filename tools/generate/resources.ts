// Makes the rows of api/openapi/resources.json, in the order of discovery, and the table columns.
// What discovery leaves out: the version of storage is found by its published hash, the key prefix in the store
// follows upstream's storage factory (k8s.io/kubernetes/pkg/kubeapiserver) with its few historical exceptions.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Subresource } from '../../src/schema/resource.ts'
import type { ResourceRow } from '../../src/schema/resources.ts'
import type { PackageRow } from '../../src/schema/types-rows.ts'
import { readJson, type Spec } from './spec.ts'

interface ApiResource {
  readonly name: string
  readonly singularName: string
  readonly namespaced: boolean
  readonly kind: string
  readonly group?: string
  readonly version?: string
  readonly verbs: readonly string[]
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  readonly storageVersionHash?: string
}

interface GroupVersion {
  readonly group: string
  readonly version: string
}

/** Resources that lie in the store under an old name. */
const OLD_PREFIXES: Readonly<Record<string, string>> = {
  '/replicationcontrollers': 'controllers',
  '/endpoints': 'services/endpoints',
  '/nodes': 'minions',
  '/services': 'services/specs',
  'networking.k8s.io/ingresses': 'ingress',
  'apiextensions.k8s.io/customresourcedefinitions': 'apiextensions.k8s.io/customresourcedefinitions',
  'apiregistration.k8s.io/apiservices': 'apiregistration.k8s.io/apiservices',
}

export function resourceRows(spec: Spec, packages: ReadonlyMap<string, PackageRow>): ResourceRow[] {
  return groupVersions(spec).flatMap((gv) => {
    const file = gv.group === '' ? `api__${gv.version}` : `apis__${gv.group}__${gv.version}`
    const list = readJson<{ resources: ApiResource[] }>(
      join(spec.folder, 'discovery', `${file}.json`),
    ).resources
    const parents = list.filter(({ name }) => !name.includes('/'))
    return parents.map((api) => {
      const inner = list.filter(({ name }) => name.startsWith(`${api.name}/`))
      return resourceRow({ packages, gv, spec }, api, inner)
    })
  })
}

function groupVersions(spec: Spec): GroupVersion[] {
  const file = join(spec.folder, 'discovery/apis.json')
  const { groups } = readJson<{ groups: { name: string; versions: { version: string }[] }[] }>(file)
  const named = groups.flatMap(({ name, versions }) =>
    versions.map(({ version }) => ({ group: name, version })),
  )
  return [{ group: '', version: 'v1' }, ...named]
}

interface Context {
  readonly packages: ReadonlyMap<string, PackageRow>
  readonly gv: GroupVersion
  readonly spec: Spec
}

function resourceRow(context: Context, api: ApiResource, inner: readonly ApiResource[]): ResourceRow {
  const { gv } = context
  const stored = api.storageVersionHash !== undefined
  const storage = stored ? storageVersion(context, api) : gv
  return {
    ...gv,
    name: api.name,
    singular: api.singularName,
    kind: api.kind,
    listKind: `${api.kind}List`,
    namespaced: api.namespaced,
    verbs: api.verbs,
    shortNames: api.shortNames ?? [],
    categories: api.categories ?? [],
    subresources: inner.map((one) => subresourceRow(context, one)),
    definition: definitionOf(context.packages, gv, api.kind),
    storage: storage ?? gv,
    storagePrefix: stored ? (OLD_PREFIXES[`${gv.group}/${api.name}`] ?? api.name) : '',
    ...(returnsObject(context, api) && { deleteReturnsObject: true as const }),
    ...(storage === undefined && { storageVersionHash: api.storageVersionHash ?? '' }),
  }
}

/** Whether the published DELETE answers with the object instead of a Status. */
function returnsObject({ spec, gv }: Context, api: ApiResource): boolean {
  const root = gv.group === '' ? `/api/${gv.version}` : `/apis/${gv.group}/${gv.version}`
  const path = `${root}${api.namespaced ? '/namespaces/{namespace}' : ''}/${api.name}/{name}`
  const answer = spec.paths[path]?.delete?.responses[200].schema.$ref
  return answer !== undefined && !answer.endsWith('.Status')
}

function subresourceRow({ packages, gv }: Context, api: ApiResource): Subresource {
  const kind = { group: api.group ?? gv.group, version: api.version ?? gv.version }
  return {
    name: api.name.slice(api.name.indexOf('/') + 1),
    verbs: api.verbs,
    ...kind,
    kind: api.kind,
    definition: definitionOf(packages, kind, api.kind),
  }
}

function definitionOf(
  packages: ReadonlyMap<string, PackageRow>,
  { group, version }: GroupVersion,
  kind: string,
): string {
  for (const [name, row] of packages) {
    if (row.group === group && name.endsWith(`.${version}`) && kind in row.types) return `${name}.${kind}`
  }
  throw new Error(`no type for ${group}/${version} ${kind}`)
}

/**
 * Events of both groups share the store of the core group; all others are stored in a version of their own group.
 * Undefined where that version has no types any more: CustomResourceDefinition's v1beta1.
 */
function storageVersion({ spec, gv }: Context, api: ApiResource): GroupVersion | undefined {
  for (const [name, { group }] of Object.entries(spec.go)) {
    const version = name.slice(name.lastIndexOf('.') + 1)
    if (group !== gv.group && group !== '') continue
    if (storageHash(group, version, api.kind) === api.storageVersionHash) return { group, version }
  }
  return undefined
}

function storageHash(group: string, version: string, kind: string): string {
  return createHash('sha256').update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString('base64')
}

/** "group/version/resource", without the group for the core, to the columns of its Table. */
export function tableColumns(folder: string): Record<string, unknown> {
  const columns = readJson<Record<string, unknown>>(join(folder, 'table-columns.json'))
  return Object.fromEntries(Object.entries(columns).sort(([a], [b]) => (a < b ? -1 : 1)))
}
