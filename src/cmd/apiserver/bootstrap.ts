// What is there at start: namespaces, policy, the kubernetes Service, priority classes, flow schemas. Written through
// the same loop as everybody's objects, side by side, so that they share the disk's syncs; what is there is left alone.
// Follows k8s.io/kubernetes/pkg/controlplane (post-start hooks and the kubernetesservice and systemnamespaces controllers).
import type { RequestHeaderOptions } from '../../authn/requestheader.ts'
import { reconcileBootstrapPolicy, bootstrapPolicyObjects } from '../../authz/bootstrap.ts'
import { flowControlObjects } from '../../fairness/bootstrap.ts'
import type { Scopes } from '../../handlers/scope.ts'
import { isObject, type Json } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { StatusError } from '../../machinery/status.ts'
import { bootstrapPolicy, builtinResources } from '../../schema/resources.ts'
import { ensureConditions } from './bootstrap-conditions.ts'
import { apiServices, priorityClasses, serviceCidr, systemNamespaces } from './bootstrap-objects.ts'
import { FLOW_PRODUCER } from './flowcontrol.ts'
import { registerAtStart } from '../extension/registrations-start.ts'
import { kubernetesEndpoints, kubernetesService } from './bootstrap-service.ts'
import { groupResourceOf, scopeOf, writeInternal } from './internal.ts'

export interface BootstrapFacts {
  /** First address of the service range. */
  readonly serviceIp: string
  readonly serviceClusterIpRange: readonly string[]
  /** undefined: nobody but this machine reaches the server, and the Service has no endpoints. */
  readonly advertiseAddress: string | undefined
  readonly port: number
  readonly clientCa: string
  /** undefined: no proxy may name users. */
  readonly requestHeader: (RequestHeaderOptions & { readonly ca: string }) | undefined
}

/** Writes what is missing. */
export async function bootstrap(scopes: Scopes, facts: BootstrapFacts): Promise<void> {
  await ensureAll(scopes, systemNamespaces())
  const flowControl = flowControlObjects()
  const range = [serviceCidr(facts.serviceClusterIpRange)]
  await Promise.all([
    ensurePolicy(scopes),
    ensureAll(scopes, flowControl, FLOW_PRODUCER).then(() => ensureConditions(scopes, flowControl)),
    ensureAll(scopes, range).then(() => ensureConditions(scopes, range)),
    ensureAll(scopes, [...priorityClasses(), tokenTracking(new Date())]),
    publishAuthorities(scopes, facts),
    registerAtStart(scopes, apiServices(builtinResources())),
    ensureAll(scopes, [kubernetesService(facts.serviceIp, facts.port)]).then(() =>
      facts.advertiseAddress === undefined
        ? undefined
        : ensureAll(scopes, kubernetesEndpoints(facts.advertiseAddress, facts.port)),
    ),
  ])
}

/** Since when uses of long-lived tokens of service accounts are noted. */
const tokenTracking = (now: Date): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'kube-apiserver-legacy-service-account-token-tracking', namespace: 'kube-system' },
  data: { since: now.toISOString().slice(0, 10) },
})

type Authorities = Pick<BootstrapFacts, 'clientCa' | 'requestHeader'>

/**
 * extension-apiserver-authentication: how aggregated servers check who comes through us. CAs that others (servers beside
 * this one, or this one before) put there stay. Follows k8s.io/kubernetes/pkg/controlplane/controller/clusterauthenticationtrust.
 */
export async function publishAuthorities(scopes: Scopes, facts: Authorities): Promise<void> {
  const wanted = authenticationConfig(facts)
  await ensure(scopes, wanted)
  const { namespace = '', name = '' } = wanted.metadata
  const stored = (await scopeOf(scopes, wanted).cache.alone(namespace, name))?.object()
  if (!stored) return
  const before = isObject(stored['data']) ? stored['data'] : {}
  const data = { ...before, ...wanted.data }
  for (const key of CA_KEYS) {
    if (data[key] !== undefined) data[key] = bundle(before[key], data[key])
  }
  if (JSON.stringify(data) === JSON.stringify(before)) return
  await writeInternal(scopes, { apiVersion: 'v1', kind: 'ConfigMap', ...stored, data }, 'update')
}

const CA_KEYS = ['client-ca-file', 'requestheader-client-ca-file'] as const

/** The certificates of both texts, each once. */
function bundle(before: Json | undefined, wanted: Json): Json {
  if (typeof before !== 'string' || typeof wanted !== 'string') return wanted
  const blocks = (text: string): string[] => text.match(/-----BEGIN [^]*?-----END [^-]*-----/g) ?? []
  const added = blocks(wanted).filter((block) => !before.includes(block))
  return added.length === 0 ? before : `${[before.trimEnd(), ...added].join('\n')}\n`
}

function authenticationConfig(facts: Authorities): KubeObject & { data: Record<string, string> } {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'extension-apiserver-authentication', namespace: 'kube-system' },
    data: {
      'client-ca-file': facts.clientCa,
      ...(facts.requestHeader ? proxyData(facts.requestHeader) : {}),
    },
  }
}

function proxyData(proxies: RequestHeaderOptions & { readonly ca: string }): Record<string, string> {
  return {
    'requestheader-allowed-names': JSON.stringify(proxies.allowedNames),
    'requestheader-client-ca-file': proxies.ca,
    'requestheader-extra-headers-prefix': JSON.stringify(proxies.extraHeaderPrefixes),
    'requestheader-group-headers': JSON.stringify(proxies.groupHeaders),
    'requestheader-uid-headers': JSON.stringify(proxies.uidHeaders),
    'requestheader-username-headers': JSON.stringify(proxies.usernameHeaders),
  }
}

async function ensurePolicy(scopes: Scopes): Promise<void> {
  const wanted = bootstrapPolicyObjects(bootstrapPolicy())
  const { lister } = scopes.environment
  await lister.ready(...new Set(wanted.map(groupResourceOf)))
  const existing = (object: KubeObject): KubeObject | undefined =>
    lister.get(groupResourceOf(object), object.metadata.namespace ?? '', object.metadata.name ?? '')
  const { create, update, recreate } = reconcileBootstrapPolicy(wanted, existing)
  await Promise.all(create.map((object) => writeInternal(scopes, object, 'create')))
  await Promise.all(update.map((object) => writeInternal(scopes, object, 'update')))
  await Promise.all(recreate.map((object) => replace(scopes, object)))
}

/** A binding's role never changes: such a binding is written anew. */
async function replace(scopes: Scopes, object: KubeObject): Promise<void> {
  const scope = scopeOf(scopes, object)
  const { namespace = '', name = '' } = object.metadata
  const entry = scope.cache.index.get(namespace, name)
  if (entry)
    await scope.environment.caches.storage.write({ key: entry.key, expected: entry.revision, value: null })
  await writeInternal(scopes, object, 'create')
}

export async function ensureAll(
  scopes: Scopes,
  objects: readonly KubeObject[],
  manager?: string,
): Promise<void> {
  await Promise.all(objects.map((object) => ensure(scopes, object, manager)))
}

async function ensure(scopes: Scopes, object: KubeObject, manager?: string): Promise<void> {
  const scope = scopeOf(scopes, object)
  const { namespace = '', name = '' } = object.metadata
  // Of what users keep by the thousand, nothing else is read: the cache would hold up the start.
  const isThere = async (): Promise<boolean> => {
    if (object.kind === 'ConfigMap') return (await scope.cache.alone(namespace, name)) !== undefined
    await scope.cache.fresh()
    return scope.cache.index.get(namespace, name) !== undefined
  }
  if (await isThere()) return
  try {
    await writeInternal(scopes, object, 'create', manager)
  } catch (error) {
    // Another replica that makes the same Service makes ours invalid: its address is taken.
    if (!(error instanceof StatusError) || !(await isThere())) throw error
  }
}
