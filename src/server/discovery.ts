// Discovery: what /api, /apis, /apis/GROUP and /apis/GROUP/VERSION answer, plain and aggregated, from the list of
// resources that the server has at the moment. Made at the first request for a list and kept as long as the list.
// Follows k8s.io/apiserver/pkg/endpoints/discovery and k8s.io/kube-aggregator/pkg/apiserver (order of groups).
import { createHash } from 'node:crypto'
import { apiVersionOf } from '../machinery/gvk.ts'
import type { JsonObject } from '../machinery/json.ts'
import type { Registration } from '../machinery/apiregistration.ts'
import type { Resource, Subresource } from '../schema/resource.ts'
import { isReleased, type ResourceRow } from '../schema/resources.ts'
import { aggregatedGroups, type Listing, registeredGroups, versionsOfGroup } from './discovery-order.ts'

/** What discovery tells about. A change of any part is a new array: answers are kept by their identity. */
export interface DiscoverySource extends Listing {
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

interface Kept {
  readonly of: Listing
  readonly documents: Map<string, DiscoveryDocument>
}

const kept = new WeakMap<readonly ResourceRow[], Kept>()

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
    return remembered(source, `aggregated ${parts[0]}`, () => aggregatedDocument(source, parts[0] === 'api'))
  }
  // The list of versions has the server's address in it, which no key covers; it is small.
  if (parts.length === 1 && parts[0] === 'api') return plainDocument(plain())
  return remembered(source, parts.join('/'), () => plainDocument(plain()))
}

function remembered(source: DiscoverySource, key: string, make: () => DiscoveryDocument): DiscoveryDocument {
  const { resources, registrations, remote } = source
  let known = kept.get(resources)
  if (!known || known.of.registrations !== registrations || known.of.remote !== remote) {
    kept.set(resources, (known = { of: { resources, registrations, remote }, documents: new Map() }))
  }
  let document = known.documents.get(key)
  if (document === undefined) known.documents.set(key, (document = make()))
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
  if (first === undefined) return () => groupList(source)
  if (first === '') return undefined
  if (second === undefined) {
    const versions = versionsOfGroup(source, first)
    if (versions.length === 0) return undefined
    return () => ({ kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(first, versions) })
  }
  const rows = of(first, second)
  return rows.length === 0 ? undefined : () => resourceList(rows)
}

function apiVersions(source: DiscoverySource): Typed {
  const { serverAddress } = source
  return {
    kind: 'APIVersions',
    versions: aggregatedGroups(source, true).flatMap(([, versions]) =>
      versions.map(({ version }) => version),
    ),
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  }
}

function groupList(source: DiscoverySource): Typed {
  const groups = registeredGroups(source).map(([name, versions]) => apiGroup(name, versions))
  return { kind: 'APIGroupList', apiVersion: 'v1', groups }
}

function apiGroup(name: string, registrations: readonly Registration[]): JsonObject {
  const versions = registrations.map(({ group, version }) => ({
    groupVersion: apiVersionOf({ group, version }),
    version,
  }))
  return { name, versions, preferredVersion: versions[0] }
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

function aggregatedDocument(source: DiscoverySource, core: boolean): DiscoveryDocument {
  const items = aggregatedGroups(source, core).map(([name, versions]) => ({
    metadata: name === '' ? {} : { name },
    versions: versions.map(
      ({ version, rows, remote }) =>
        remote ?? { version, resources: rows.map(resourceDiscovery), freshness: 'Current' },
    ),
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
