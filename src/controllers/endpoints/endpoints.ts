// Services' endpoints in one object each, for those who read them so still.
// Follows k8s.io/kubernetes/pkg/controller/endpoint.
import { isNotFound, isTerminating } from '../../client/api.ts'
import {
  type Controller,
  type ControllerContext,
  isBehind,
  queueOf,
  TryLater,
  work,
} from '../../client/controller.ts'
import type { Endpoints, Service } from '../../client/kinds/core.v1.gen.ts'
import { keyOf, splitKey } from '../../client/resource.ts'
import { ENDPOINTS, PODS, SERVICES } from '../../client/resources.ts'
import { isHeadless, selects, TriggerTimes, watchServicePods } from '../../client/servicepods.ts'
import { subsetsOf, truncated } from './subsets.ts'

const NAME = 'endpoints-controller'
const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time'
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity'
const MANAGED_BY = 'endpoints.kubernetes.io/managed-by'
const HEADLESS = 'service.kubernetes.io/headless'
/** Endpoints that elections of old were held with: they belong to no service. */
const ELECTION = 'control-plane.alpha.kubernetes.io/leader'

export function endpointsController(context: ControllerContext, workers: number): Controller {
  const { informers, log } = context
  const queue = queueOf(context, 'endpoint')
  const services = informers.of(SERVICES)
  const endpoints = informers.of(ENDPOINTS)
  const triggers = new TriggerTimes()
  /** Versions that were written over: a copy that still has one is behind. */
  const behind = new Map<string, string>()
  const see = (service: Service): void => queue.add(keyOf(service))
  services.handle({ added: see, updated: see, deleted: see })
  watchServicePods(informers, (key) => queue.add(key))
  endpoints.handle({ deleted: (one) => queue.add(keyOf(one)) })
  const reconcile = async (key: string): Promise<void> => {
    const service = services.reader.get(key)
    const current = endpoints.reader.get(key)
    if (!service) {
      triggers.forget(key)
      behind.delete(key)
      if (current) await remove(context, key)
      return
    }
    if (service.spec?.type === 'ExternalName' || !service.spec?.selector) return
    if (current && behind.get(key) === current.metadata.resourceVersion)
      throw new TryLater('what was written is not known yet')
    const pods = informers
      .of(PODS)
      .reader.inNamespace(service.metadata.namespace ?? '')
      .filter(({ metadata }) => selects(service, metadata.labels ?? {}))
    const all = subsetsOf(service, pods)
    const wanted = wantedEndpoints(
      service,
      current,
      { all, kept: truncated(all) },
      triggers.next(service, pods),
    )
    if (!wanted) return
    const before = current?.metadata.resourceVersion
    const written = await write(context, service, wanted)
    if (before !== undefined && written?.metadata.resourceVersion !== before) behind.set(key, before)
  }
  return {
    name: NAME,
    run: (signal) => {
      // Those whose services went while nobody looked. Not those that come later: their services may not be known yet.
      for (const one of endpoints.reader.list())
        if (one.metadata.annotations?.[ELECTION] === undefined) queue.add(keyOf(one))
      return work({ name: NAME, queue, workers, reconcile, log }, signal)
    },
  }
}

interface Subsets {
  readonly all: NonNullable<Endpoints['subsets']>
  /** As many as one object may hold. */
  readonly kept: NonNullable<Endpoints['subsets']>
}

/** The object as it ought to be; undefined: it is so already. */
export function wantedEndpoints(
  service: Service,
  current: Endpoints | undefined,
  { all, kept }: Subsets,
  triggered: string | undefined,
): Endpoints | undefined {
  const isTruncated = kept !== all
  const labels = {
    ...service.metadata.labels,
    ...(isHeadless(service) ? { [HEADLESS]: '' } : {}),
    [MANAGED_BY]: 'endpoint-controller',
  }
  if (!isHeadless(service)) delete (labels as Record<string, string>)[HEADLESS]
  const { [TRIGGER_TIME]: _, [OVER_CAPACITY]: wasTruncated, ...others } = current?.metadata.annotations ?? {}
  if (
    current &&
    (wasTruncated !== undefined) === isTruncated &&
    sorted(current.metadata.labels ?? {}) === sorted(labels) &&
    JSON.stringify(ordered(current.subsets ?? [])) === JSON.stringify(ordered(kept))
  )
    return undefined
  const annotations = {
    ...others,
    ...(triggered === undefined ? {} : { [TRIGGER_TIME]: triggered }),
    ...(isTruncated ? { [OVER_CAPACITY]: 'truncated' } : {}),
  }
  const { namespace, name } = service.metadata
  return { metadata: { ...(current?.metadata ?? { namespace, name }), labels, annotations }, subsets: kept }
}

const sorted = (record: Readonly<Record<string, string>>): string =>
  JSON.stringify(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))

/** With the keys of all that is in it in order: the server has them in another one. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.filter(([, one]) => one !== undefined).map(([key, one]) => [key, ordered(one)])
}

async function write(
  { api, recorder }: ControllerContext,
  service: Service,
  wanted: Endpoints,
): Promise<Endpoints | undefined> {
  const isNew = wanted.metadata.resourceVersion === undefined
  try {
    return await (isNew ? api.create(ENDPOINTS, wanted) : api.update(ENDPOINTS, wanted))
  } catch (error) {
    // The namespace goes, or is gone.
    if (isNew && (isTerminating(error) || isNotFound(error))) return undefined
    // DEVIATION: upstream warns of these too, and meets them seldom: it lets changes of half a second gather.
    if (isBehind(error)) throw error
    const why = error instanceof Error ? error.message : String(error)
    const about = { resource: ENDPOINTS, object: wanted }
    const [reason, what] = isNew
      ? ['FailedToCreateEndpoint', 'create endpoint for service']
      : ['FailedToUpdateEndpoint', 'update endpoint']
    recorder.event(about, 'Warning', reason, `Failed to ${what} ${keyOf(service)}: ${why}`)
    throw error
  }
}

async function remove({ api }: ControllerContext, key: string): Promise<void> {
  await api.delete(ENDPOINTS, splitKey(key)).catch((error: unknown) => {
    if (!isNotFound(error)) throw error
  })
}
