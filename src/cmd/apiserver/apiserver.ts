// The API server put together: the only place where its rooms meet.
// Follows k8s.io/kubernetes/cmd/kube-apiserver/app/server.go.
import { Impersonation } from '../../authn/impersonation.ts'
import type { Auditor } from '../../audit/auditor.ts'
import { forbiddenFor } from '../../authz/forbidden.ts'
import { RBAC_RESOURCES } from '../../authz/rbac.ts'
import { type Registration, registrationName } from '../../machinery/apiregistration.ts'
import { StatusError } from '../../machinery/status.ts'
import type { UserInfo } from '../../machinery/user.ts'
import { Fairness } from '../../fairness/fairness.ts'
import type { MaxInFlight } from '../../fairness/inflight.ts'
import type { CustomResource } from '../../registry/served.ts'
import type { Handlers } from '../../handlers/subresource.ts'
import type { Resource } from '../../schema/resource.ts'
import type { Caches } from '../../storage/cache/caches.ts'
import { startCompaction } from '../../storage/compactor.ts'
import type { Storage } from '../../storage/interface.ts'
import type { Chain } from '../../server/chain.ts'
import { serve } from '../../server/chain.ts'
import type { HealthCheck } from '../../server/health.ts'
import { listen, type Listening } from '../../server/listen.ts'
import { loopback, type Loopback } from '../../server/loopback.ts'
import { RequestMetrics } from '../../server/requestmetrics.ts'
import { specialHandlers } from '../../server/special.ts'
import { Aggregation } from '../extension/aggregation.ts'
import { auditorOf } from '../access/audit.ts'
import { type Authentication, authenticationOf } from '../access/authentication.ts'
import { bootstrap, type BootstrapFacts, publishAuthorities } from './bootstrap.ts'
import { apiServiceObject } from './bootstrap-objects.ts'
import { keepCertificatesFresh } from './certificates.ts'
import { Definitions } from '../extension/definitions.ts'
import { gateOf } from './gate.ts'
import { type Identity, loadIdentity, type Tls } from './identity.ts'
import { writeInternal } from './internal.ts'
import { type Log, makeLog } from '../log.ts'
import type { NodeAnswers } from '../nodes/node-answers.ts'
import { type ApiServerOptions, StartError } from '../options.ts'
import { type ReadingSide, readingSide, stored } from './reading-side.ts'
import { lazyNonResource } from './site.ts'
import { openStore } from './store.ts'
import { specialServices } from './services.ts'
import { startUpkeep, type UpkeepFacts } from './upkeep.ts'

export interface AddedResource {
  readonly resource: CustomResource
  readonly handlers: Handlers
}

export interface ApiServer {
  readonly url: string
  readonly port: number
  readonly identity: Identity
  readonly storage: Storage
  /** Other API servers may write to the same store. */
  readonly sharesStore: boolean
  readonly log: Log
  /** The way in for a part of the cluster that runs in this process, as this user. */
  loopback(user: UserInfo): Loopback
  /** Parts of the control plane that run in this process, as component statuses name them. */
  readonly components: Set<string>
  /** Requests that lead to a node are answered by this from now on, as far as it knows the node. */
  connectNodes(answer: NodeAnswers): void
  /** Serves resources of a version that lie in no store, and registers it, if nobody has: what answers for them is here. */
  addResources(version: Registration, added: readonly AddedResource[]): Promise<void>
  /** What /metrics tells besides, of a part that runs in this process, in Prometheus' text format. */
  addMetrics(text: () => string): void
  stop(): Promise<void>
}

/** Starts everything and resolves when the server is ready. Throws StartError for what the operator can mend. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const log = makeLog(options.logLevel)
  const [store, identity] = await bothOrNeither(openStore(options, log), loadIdentity(options), (opened) =>
    opened.storage.close(),
  )
  const { storage } = store
  try {
    return await assemble(options, { log, identity, ...store })
  } catch (error) {
    await storage.close()
    throw error instanceof StatusError && error.cause instanceof Error
      ? new StartError(error.cause.message, error)
      : error
  }
}

async function bothOrNeither<A, B>(
  first: Promise<A>,
  second: Promise<B>,
  undo: (first: A) => Promise<void>,
): Promise<[A, B]> {
  const [a, b] = await Promise.allSettled([first, second])
  if (a.status === 'fulfilled' && b.status === 'fulfilled') return [a.value, b.value]
  if (a.status === 'fulfilled') await undo(a.value)
  throw a.status === 'rejected' ? a.reason : (b as PromiseRejectedResult).reason
}

interface Parts {
  readonly log: Log
  readonly storage: Storage
  /** Of what the store depends on besides. */
  readonly checks: readonly HealthCheck[]
  readonly metrics?: () => string
  readonly identity: Identity
}

async function assemble(options: ApiServerOptions, parts: Parts): Promise<ApiServer> {
  const { log, storage, identity } = parts
  const state = stateAtFirst(options)
  const reading = await readingSide(options, storage, log)
  const { caches, lister, scopes, closeHooks } = reading
  const authentication = await authenticationOf({ options, identity, log, scopes, stored })
  const definitions = new Definitions({ ...reading, log })
  const rbacReady = lister.ready(...RBAC_RESOURCES)
  const auditor = await auditorOf(options.audit, log)
  const aggregation = new Aggregation({ options, identity, scopes, lister, log })
  const gate = gateOf(options, scopes, reading.served)
  const watched = { ...parts, authentication, auditor, aggregation, gate }
  const chain = chainOf(options, watched, reading, state)
  const listening = await openPort(options, identity, chain)
  const { port } = listening
  state.port = port
  try {
    await furnish(parts, reading, { ready: rbacReady, facts: bootstrapFacts(options, identity, port) })
    await Promise.all([definitions.begin(), aggregation.begin()])
  } catch (error) {
    await listening.close()
    throw error
  }
  state.ready = true
  const url = `https://${options.bindAddress.includes(':') ? `[${options.bindAddress}]` : options.bindAddress}:${port}`
  const stopCertificates = await keepCertificatesFresh({
    ...{ options, identity, listening, log },
    authoritiesChanged: (tls) => publishAuthorities(scopes, authoritiesOf(options, tls)),
  })
  const stopCompaction = startCompaction(storage, options.etcdCompactionIntervalMs, {
    compacted: (revision) => caches.compacted(revision),
    failed: (error) => log.error({ error: String(error) }, 'could not compact the history'),
  })
  const fairness = gate instanceof Fairness ? gate : undefined
  const stopWork = [
    startUpkeep(scopes, { ...upkeepFacts(options, parts, port), fairness }),
    () => definitions.stop(),
    () => aggregation.stop(),
    async () => {
      stopCertificates()
      reading.closeAuthorization()
      authentication.close()
    },
  ]
  return {
    url,
    port,
    identity,
    storage,
    sharesStore: 'etcdServers' in options.storage,
    log,
    components: state.components,
    addMetrics: (text) => void state.metrics.push(text),
    connectNodes: (answer) => void (state.nodes = answer),
    addResources: (group, added) => addResources(reading, state, group, added),
    loopback: (user) => loopback((exchange) => void serve(chain, exchange), user),
    stop: () => stop({ listening, caches, storage, stopCompaction, stopWork, auditor, closeHooks }),
  }
}

/** Writes what is missing at the start. What keys the store may come later than the server. */
async function furnish(
  parts: Parts,
  { lister, scopes }: ReadingSide,
  { ready, facts }: { ready: Promise<void>; facts: BootstrapFacts },
): Promise<void> {
  try {
    await ready
    await bootstrap(scopes, facts)
  } catch (error) {
    if (parts.checks.length === 0) throw error
    const { whenKeysAreThere } = await import('./keywait.ts')
    await whenKeysAreThere(() => lister.ready(...RBAC_RESOURCES).then(() => bootstrap(scopes, facts)), parts)
  }
}

async function addResources(
  { served, scopes }: ReadingSide,
  state: State,
  registration: Registration,
  added: readonly AddedResource[],
): Promise<void> {
  for (const { resource, handlers } of added) state.added.set(resource.row, handlers)
  served.define(
    registrationName(registration),
    added.map(({ resource }) => resource),
  )
  await writeInternal(scopes, apiServiceObject(registration, 'onstart'), 'create')
}

/** What changes while the server starts. */
interface State {
  ready: boolean
  port: number
  readonly metrics: (() => string)[]
  readonly components: Set<string>
  readonly added: Map<Resource, Handlers>
  nodes: NodeAnswers
}

const stateAtFirst = ({ port }: ApiServerOptions): State => ({
  ready: false,
  port,
  metrics: [],
  components: new Set(),
  added: new Map(),
  nodes: () => undefined,
})

/** The parts that look at requests before and after their handlers. */
interface Watched extends Parts {
  readonly aggregation: Aggregation
  readonly authentication: Authentication
  readonly auditor: Auditor | undefined
  readonly gate: Fairness | MaxInFlight
}

function chainOf(
  options: ApiServerOptions,
  { log, identity, checks, metrics, authentication, auditor, aggregation, gate }: Watched,
  { caches, authorizer, scopes, served, admissionMeters }: ReadingSide,
  state: State,
): Chain {
  const { authenticator, reviewToken, tokenIssuer } = authentication
  const { components } = state
  const requests = new RequestMetrics()
  const port = (): number => state.port
  state.metrics.push(
    () => aggregation.metrics(),
    () => admissionMeters.text(),
  )
  if (auditor) state.metrics.push(() => auditor.metrics())
  if (metrics) state.metrics.push(metrics)
  const site = lazyNonResource({
    ...{ caches, served, gate, requests, options, identity, log, state, port, checks },
    aggregation,
  })
  return {
    authenticator,
    impersonation: new Impersonation({ authorizer, forbidden: forbiddenFor }),
    authorizer,
    gate,
    scopes,
    special: specialHandlers(
      specialServices({
        ...{ scopes, stored, authorizer, reviewToken, tokenIssuer, components, options, identity },
        addedResource: (resource) => state.added.get(resource),
        answerOfNode: (node, request) => state.nodes(node, request),
      }),
    ),
    findResource: (info) => served.find(info.group, info.version, info.resource),
    servesGroupVersion: (info) => served.answers(info),
    extensions: aggregation,
    nonResource: site.serve,
    log,
    audit: auditor && { auditor, log },
    metrics: requests,
  }
}

async function openPort(options: ApiServerOptions, identity: Identity, chain: Chain): Promise<Listening> {
  const { bindAddress: host, port } = options
  try {
    return await listen({ host, port, ...identity.tls, handle: (exchange) => void serve(chain, exchange) })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE')
      throw new StartError(
        `port ${port} of ${host} is taken; choose another with --port (0 picks a free one)`,
        error,
      )
    if (code === 'EACCES')
      throw new StartError(`port ${port} may not be opened by this user; choose one above 1023`, error)
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN')
      throw new StartError(`${host} is no address of this machine`, error)
    throw error
  }
}

function bootstrapFacts(options: ApiServerOptions, identity: Identity, port: number): BootstrapFacts {
  return {
    serviceIp: identity.serviceIp,
    serviceClusterIpRange: options.serviceClusterIpRange,
    advertiseAddress: identity.advertiseAddress,
    port,
    ...authoritiesOf(options, identity.tls),
  }
}

const authoritiesOf = ({ requestHeader }: ApiServerOptions, { clientCa, proxyCa }: Tls) => ({
  clientCa,
  requestHeader: requestHeader && proxyCa !== undefined ? { ...requestHeader, ca: proxyCa } : undefined,
})

const upkeepFacts = (
  options: ApiServerOptions,
  { log, identity }: Parts,
  port: number,
): Omit<UpkeepFacts, 'fairness'> => ({
  log,
  address: identity.advertiseAddress && `${identity.advertiseAddress}:${port}`,
  nodePorts: options.serviceNodePortRange,
})

interface Running {
  readonly listening: Listening
  readonly caches: Caches
  readonly storage: Storage
  readonly auditor: Auditor | undefined
  stopCompaction(): void
  readonly closeHooks: () => void
  readonly stopWork: readonly (() => Promise<void>)[]
}

async function stop({
  listening,
  caches,
  storage,
  stopCompaction,
  stopWork,
  auditor,
  closeHooks,
}: Running): Promise<void> {
  stopCompaction()
  await Promise.all(stopWork.map((end) => end()))
  await listening.close()
  caches.close()
  closeHooks()
  await auditor?.close()
  await storage.close()
}
