// What an extension server says that it serves: its part of aggregated discovery, from its own aggregated document or,
// where it has none, from the lists of older servers. Only what discovery has a field for is taken over.
// Follows k8s.io/kube-aggregator/pkg/apiserver/handler_discovery.go and
// k8s.io/apiserver/pkg/endpoints (ConvertGroupVersionIntoToDiscovery).
import type { ApiService } from '../machinery/apiregistration.ts'
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import { MASTERS_GROUP } from '../machinery/user.ts'
import { ask, type Reply } from './question.ts'
import type { ServiceTransport } from './transport.ts'

/** The aggregated document of one server: its versions by "group/version", and what it is known by. */
export interface ServerDiscovery {
  readonly etag: string
  readonly versions: ReadonlyMap<string, JsonObject>
}

const AGGREGATED = ['v2', 'v2beta1'].map(
  (version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
)
const TIMEOUT_MS = 5000
const NAME = 'system:kube-aggregator'

/**
 * Asks the server; `before` is what it said the last time, if anything. Rejects with an Error where it does not answer,
 * or with nothing that makes sense.
 */
export async function serverDiscovery(
  { group, version }: ApiService,
  transport: ServiceTransport,
  before: ServerDiscovery | undefined,
): Promise<ServerDiscovery> {
  const reply = await ask(transport, {
    path: '/apis',
    user: { name: NAME, groups: [MASTERS_GROUP] },
    headers: { accept: AGGREGATED.join(','), ...(before?.etag ? { 'if-none-match': before.etag } : {}) },
    timeoutMs: TIMEOUT_MS,
  })
  if (reply.status === 304 && before) return before
  if (reply.status === 503) throw new Error('the server answers 503')
  if (reply.status === 200 && isAggregated(reply)) {
    return { etag: reply.etag, versions: versionsOf(parsed(reply)) }
  }
  const path = `/apis/${group}/${version}`
  const headers = { accept: 'application/json' }
  const list = await ask(transport, {
    path,
    user: { name: NAME, groups: [] },
    headers,
    timeoutMs: TIMEOUT_MS,
  })
  if (list.status !== 200) throw new Error(`the server answers ${list.status} at ${path}`)
  return { etag: '', versions: new Map([[`${group}/${version}`, ofList(version, parsed(list))]]) }
}

const isAggregated = ({ contentType }: Reply): boolean =>
  contentType.includes('g=apidiscovery.k8s.io') && contentType.includes('as=APIGroupDiscoveryList')

function parsed({ body }: Reply): JsonObject {
  const value: unknown = JSON.parse(body.toString())
  if (!isObject(value)) throw new Error('the server answers with something that is no object')
  return value
}

function versionsOf({ items }: JsonObject): Map<string, JsonObject> {
  const versions = new Map<string, JsonObject>()
  for (const { metadata, versions: those } of objectsOf(items)) {
    const group = textOf(objectOf(metadata)['name'])
    for (const one of objectsOf(those)) {
      const version = textOf(one['version'])
      versions.set(`${group}/${version}`, { version, resources: objectsOf(one['resources']).map(resource) })
    }
  }
  return versions
}

function resource(one: JsonObject): JsonObject {
  const subresources = objectsOf(one['subresources']).map((sub) => ({
    subresource: textOf(sub['subresource']),
    responseKind: kindOf(objectOf(sub['responseKind'])),
    ...(objectsOf(sub['acceptedTypes']).length > 0 && {
      acceptedTypes: objectsOf(sub['acceptedTypes']).map(kindOf),
    }),
    verbs: textsOf(sub['verbs']),
  }))
  return {
    resource: textOf(one['resource']),
    responseKind: kindOf(objectOf(one['responseKind'])),
    scope: textOf(one['scope']),
    singularResource: textOf(one['singularResource']),
    verbs: textsOf(one['verbs']),
    ...named(one),
    ...(subresources.length > 0 && { subresources }),
  }
}

/** An APIResourceList as the same. */
function ofList(version: string, list: JsonObject): JsonObject {
  const all = objectsOf(list['resources']).map((one) => ({ one, path: textOf(one['name']).split('/', 2) }))
  const resources = new Map<string, JsonObject>()
  for (const { one, path } of all) {
    const [name = ''] = path
    if (path.length === 1) resources.set(name, { ...listed(name, one), ...named(one) })
  }
  for (const { one, path } of all) {
    const [name = '', subresource] = path
    if (subresource === undefined) continue
    const parent = resources.get(name) ?? { ...listed(name, one), responseKind: kindOf({}), verbs: [] }
    const sub = { subresource, responseKind: kindOf(one), verbs: textsOf(one['verbs']) }
    resources.set(name, { ...parent, subresources: [...objectsOf(parent['subresources']), sub] })
  }
  return { version, resources: [...resources.values()] }
}

const listed = (name: string, one: JsonObject): JsonObject => ({
  resource: name,
  responseKind: kindOf(one),
  scope: one['namespaced'] === true ? 'Namespaced' : 'Cluster',
  singularResource: textOf(one['singularName']),
  verbs: textsOf(one['verbs']),
})

function named(one: JsonObject): JsonObject {
  const [shortNames, categories] = [textsOf(one['shortNames']), textsOf(one['categories'])]
  return {
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
  }
}

const kindOf = (one: JsonObject): JsonObject => ({
  group: textOf(one['group']),
  version: textOf(one['version']),
  kind: textOf(one['kind']),
})

const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})
const objectsOf = (value: Json | undefined): JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : []
const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
const textsOf = (value: Json | undefined): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []
