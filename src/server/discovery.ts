// Discovery: what /api, /apis, /apis/GROUP and /apis/GROUP/VERSION answer, plain and aggregated, from the list of
// resources that the server has at the moment. Made at the first request for a list and kept as long as the list.
// Follows k8s.io/apiserver/pkg/endpoints/discovery and k8s.io/kube-aggregator/pkg/apiserver (order of groups).
import { createHash } from 'node:crypto'
import { apiVersionOf } from '../machinery/gvk.ts'
import type { JsonObject } from '../machinery/json.ts'
import { compareVersions } from '../machinery/versionorder.ts'
import type { Resource, Subresource } from '../schema/resource.ts'
import { isReleased, type ResourceRow } from '../schema/resources.ts'

/** What discovery tells about. A change of the resources is a new array: answers are kept by its identity. */
export interface DiscoverySource {
  /** Built-in ones first, in their order; custom ones behind. */
  readonly resources: readonly ResourceRow[]
  /** "HOST:PORT", where clients of any address reach this server. */
  readonly serverAddress: string
}

export interface DiscoveryDocument {
  /** Of the body as it is, in JSON. */
  readonly contentType: string
  /** JSON without white space, in the order of the Go structs. */
  readonly body: Buffer
  /** Quoted. Only aggregated documents have one; upstream adds Cache-Control "public" and Vary "Accept" to it. */
  readonly etag?: string
  /** What the body is, for clients that want it in protobuf. */
  readonly type: { readonly apiVersion: string; readonly kind: string }
}

const AGGREGATED = { apiVersion: 'apidiscovery.k8s.io/v2', kind: 'APIGroupDiscoveryList' }
/** Follows the media type of an aggregated document, in each encoding. */
export const AGGREGATED_PARAMETERS = ';g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

const kept = new WeakMap<readonly ResourceRow[], Map<string, DiscoveryDocument>>()

/**
 * The answer to GET `path` ("/api", "/apis/apps/v1"; a slash at the end makes no difference); undefined where
 * nothing is at that path. `aggregated` is what the Accept header asks for (see aggregatedEncoding), which the two
 * roots alone can give.
 */
export function discoveryDocument(
  source: DiscoverySource,
  path: string,
  aggregated: boolean,
): DiscoveryDocument | undefined {
  const parts = path.replace(/\/$/, '').split('/').slice(1)
  const plain = plainObject(source, parts)
  if (plain === undefined) return undefined
  if (aggregated && parts.length === 1) {
    return remembered(source, `aggregated ${parts[0]}`, () =>
      aggregatedDocument(source.resources, parts[0] === 'api'),
    )
  }
  // The list of versions has the server's address in it, which no key covers; it is small.
  if (parts.length === 1 && parts[0] === 'api') return plainDocument(plain())
  return remembered(source, parts.join('/'), () => plainDocument(plain()))
}

function remembered(source: DiscoverySource, key: string, make: () => DiscoveryDocument): DiscoveryDocument {
  let documents = kept.get(source.resources)
  if (documents === undefined) kept.set(source.resources, (documents = new Map()))
  let document = documents.get(key)
  if (document === undefined) documents.set(key, (document = make()))
  return document
}

function plainDocument(object: Typed): DiscoveryDocument {
  const type = { apiVersion: 'v1', kind: object.kind }
  return { contentType: 'application/json', body: Buffer.from(`${JSON.stringify(object)}\n`), type }
}

type Typed = JsonObject & { readonly kind: string }
type Lazy = () => Typed

function plainObject(
  source: DiscoverySource,
  [root, first, second, ...more]: readonly string[],
): Lazy | undefined {
  if (more.length > 0 || (root !== 'api' && root !== 'apis')) return undefined
  const of = (group: string, version?: string) =>
    source.resources.filter(
      (row) => row.group === group && (version === undefined || row.version === version),
    )
  if (root === 'api') {
    if (first === undefined) return () => apiVersions(source)
    const rows = of('', first)
    return rows.length === 0 || second !== undefined ? undefined : () => resourceList(rows)
  }
  if (first === undefined) return () => groupList(source.resources)
  const rows = first === '' ? [] : of(first, second)
  if (rows.length === 0) return undefined
  return second === undefined
    ? () => ({ kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(rows) })
    : () => resourceList(rows)
}

function apiVersions({ resources, serverAddress }: DiscoverySource): Typed {
  return {
    kind: 'APIVersions',
    versions: versionsOf(resources.filter(({ group }) => group === '')).map(([version]) => version),
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  }
}

function groupList(resources: readonly ResourceRow[]): Typed {
  const groups = groupsOf(resources).map(([, rows]) => apiGroup(rows))
  return { kind: 'APIGroupList', apiVersion: 'v1', groups }
}

function apiGroup(rows: readonly ResourceRow[]): JsonObject {
  const group = rows[0]?.group ?? ''
  const versions = versionsOf(rows).map(([version]) => ({
    groupVersion: apiVersionOf({ group, version }),
    version,
  }))
  return { name: group, versions, preferredVersion: versions[0] }
}

function resourceList(rows: readonly ResourceRow[]): Typed {
  const [first] = rows
  if (first === undefined) throw new Error('a list of no resources')
  return {
    kind: 'APIResourceList',
    // Upstream's core group predates the field.
    ...(first.group !== '' && { apiVersion: 'v1' }),
    groupVersion: apiVersionOf(first),
    resources: rows.flatMap((row) => [
      apiResource(row),
      ...row.subresources.map((sub) => apiSubresource(row, sub)),
    ]),
  }
}

function apiResource(row: ResourceRow): JsonObject {
  return {
    name: row.name,
    singularName: row.singular,
    namespaced: row.namespaced,
    kind: row.kind,
    verbs: [...row.verbs],
    ...(row.shortNames.length > 0 && { shortNames: [...row.shortNames] }),
    ...(row.categories.length > 0 && { categories: [...row.categories] }),
    ...(row.storagePrefix !== '' && {
      storageVersionHash: row.storageVersionHash ?? storageVersionHash(row),
    }),
  }
}

function apiSubresource(row: Resource, sub: Subresource): JsonObject {
  const foreign = sub.group !== row.group || sub.version !== row.version
  return {
    name: `${row.name}/${sub.name}`,
    singularName: '',
    namespaced: row.namespaced,
    ...(foreign && { group: sub.group, version: sub.version }),
    kind: sub.kind,
    verbs: [...sub.verbs],
  }
}

/** Tells clients when objects move to another version of storage: the first 8 bytes of a digest of its kind. */
function storageVersionHash({ storage, kind }: Resource): string {
  const digest = createHash('sha256').update(`${storage.group}/${storage.version}/${kind}`).digest()
  return digest.subarray(0, 8).toString('base64')
}

function aggregatedDocument(resources: readonly ResourceRow[], core: boolean): DiscoveryDocument {
  const groups: [string, ResourceRow[]][] = core
    ? [['', resources.filter(({ group }) => group === '')]]
    : groupsOf(resources)
  const items = groups.map(([name, rows]) => ({
    metadata: name === '' ? {} : { name },
    versions: versionsOf(rows).map(([version, ofVersion]) => ({
      version,
      resources: ofVersion.map(resourceDiscovery),
      freshness: 'Current',
    })),
  }))
  const { kind, apiVersion } = AGGREGATED
  const body = Buffer.from(`${JSON.stringify({ kind, apiVersion, metadata: {}, items })}\n`)
  const etag = `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"`
  return { contentType: `application/json${AGGREGATED_PARAMETERS}`, body, etag, type: AGGREGATED }
}

function resourceDiscovery(row: ResourceRow): JsonObject {
  // Upstream's built-in groups leave group and version out where they are the resource's own.
  const builtin = isReleased(row)
  const responseKind = (kind: Pick<Subresource, 'group' | 'version' | 'kind'>): JsonObject => {
    const own = builtin && kind.group === row.group && kind.version === row.version
    return { group: own ? '' : kind.group, version: own ? '' : kind.version, kind: kind.kind }
  }
  const subresources = row.subresources.map((sub) => ({
    subresource: sub.name,
    responseKind: responseKind(sub),
    verbs: [...sub.verbs],
  }))
  return {
    resource: row.name,
    responseKind: responseKind(row),
    scope: row.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: row.singular,
    verbs: [...row.verbs],
    ...(row.shortNames.length > 0 && { shortNames: [...row.shortNames] }),
    ...(row.categories.length > 0 && { categories: [...row.categories] }),
    ...(subresources.length > 0 && { subresources }),
  }
}

/** Groups other than the core, those of the release in its order of priority, then the others by name. */
function groupsOf(resources: readonly ResourceRow[]): [string, ResourceRow[]][] {
  const groups = new Map<string, ResourceRow[]>()
  const custom = new Set<string>()
  for (const row of resources) {
    if (row.group === '') continue
    const rows = groups.get(row.group)
    if (rows !== undefined) rows.push(row)
    else {
      groups.set(row.group, [row])
      if (!isReleased(row)) custom.add(row.group)
    }
  }
  const rank = (name: string) => (custom.has(name) ? 1 : 0)
  return [...groups].sort(([a], [b]) => rank(a) - rank(b) || (rank(a) === 0 ? 0 : a < b ? -1 : 1))
}

/** The versions of one group with their resources: v2 before v1 before v1beta1. */
function versionsOf(rows: readonly ResourceRow[]): [string, ResourceRow[]][] {
  const versions = new Map<string, ResourceRow[]>()
  for (const row of rows) {
    const same = versions.get(row.version)
    if (same === undefined) versions.set(row.version, [row])
    else same.push(row)
  }
  return [...versions].sort(([a], [b]) => compareVersions(a, b))
}
