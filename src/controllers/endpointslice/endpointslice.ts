// Services' endpoints, in slices. Follows k8s.io/kubernetes/pkg/controller/endpointslice.
import { isNotFound, isTerminating } from '../../client/api.ts'
import {
  type Controller,
  type ControllerContext,
  isBehind,
  queueOf,
  TryLater,
  work,
} from '../../client/controller.ts'
import type { Informers } from '../../client/informer.ts'
import type { Node, Service } from '../../client/kinds/core.v1.gen.ts'
import type { EndpointSlice } from '../../client/kinds/discovery.v1.gen.ts'
import type { WorkQueue } from '../../client/queue.ts'
import type { EventRecorder } from '../../client/recorder.ts'
import { keyOf, splitKey } from '../../client/resource.ts'
import { ENDPOINT_SLICES, NODES, PODS, SERVICES } from '../../client/resources.ts'
import { selects, TriggerTimes, watchServicePods } from '../../client/servicepods.ts'
import { MANAGED_BY, MANAGER, type Plan, planSlices, SERVICE_NAME } from './plan.ts'
import { isNodeReady, wantsZones } from './topology.ts'
import { ServiceZones } from './zones.ts'

const NAME = 'endpointslice-controller'
/** In the queue: nodes have changed. No service has such a key. */
const ZONES_KEY = 'zones'
const ZONE_LABEL = 'topology.kubernetes.io/zone'
const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time'

export function endpointSliceController(
  context: ControllerContext,
  workers: number,
  maxEndpoints: number,
): Controller {
  const { informers, log } = context
  const queue = queueOf(context, 'endpoint_slice')
  const services = informers.of(SERVICES)
  const slices = informers.of(ENDPOINT_SLICES)
  const nodes = informers.of(NODES)
  const seen = new SeenSlices()
  const triggers = new TriggerTimes()
  const zones = new ServiceZones(() => nodes.reader.list())
  const recorder = context.recorder.as({ component: 'endpoint-slice-controller' })
  watch(informers, { queue, seen, zones })
  const reconcile = async (key: string): Promise<void> => {
    if (key === ZONES_KEY) {
      for (const overloaded of zones.overloaded()) queue.add(overloaded)
      return
    }
    const service = services.reader.get(key)
    if (!service) {
      triggers.forget(key)
      zones.forget(key)
      return seen.forget(key)
    }
    if (service.spec?.type === 'ExternalName' || !service.spec?.selector) return
    const { namespace, name } = splitKey(key)
    const pods = informers
      .of(PODS)
      .reader.inNamespace(namespace)
      .filter(({ metadata }) => selects(service, metadata.labels ?? {}))
    const existing = slices.reader
      .inNamespace(namespace)
      .filter((slice) => isOurs(slice) && slice.metadata.labels?.[SERVICE_NAME] === name)
    if (seen.isStale(key, existing)) throw new TryLater('what was written is not known yet')
    const nodeOf = (node: string) => nodes.reader.get(node)
    const plan = planSlices({
      ...{ service, pods, existing, nodeOf, maxEndpoints },
      ...(wantsZones(service) ? { ratios: zones.ratios } : {}),
    })
    const lost = new Set(plan.lost)
    seen.wait(
      key,
      new Set(pods.filter((pod) => lost.has(pod.metadata.name ?? '')).map(({ spec }) => spec.nodeName ?? '')),
    )
    for (const [addressType, told] of plan.zones) {
      const event = zones.note(key, addressType, told)
      if (event)
        recorder.event({ resource: SERVICES, object: service }, event.type, event.reason, event.message)
    }
    const writing = write(context, key, { ...plan, triggered: triggers.next(service, pods) }, seen)
    await writing.catch((error: unknown) => {
      if (!isBehind(error)) tellFailure(recorder, service, error)
      throw error
    })
  }
  return { name: NAME, run: (signal) => work({ name: NAME, queue, workers, reconcile, log }, signal) }
}

function tellFailure(recorder: EventRecorder, service: Service, error: unknown): void {
  const why = error instanceof Error ? error.message : String(error)
  const message = `Error updating Endpoint Slices for Service ${keyOf(service)}: ${why}`
  recorder.event({ resource: SERVICES, object: service }, 'Warning', 'FailedToUpdateEndpointSlices', message)
}

/** Puts what has changed into the queue. */
function watch(
  informers: Informers,
  { queue, seen, zones }: { queue: WorkQueue; seen: SeenSlices; zones: ServiceZones },
): void {
  const see = (service: Service): void => queue.add(keyOf(service))
  informers.of(SERVICES).handle({ added: see, updated: see, deleted: see })
  watchServicePods(informers, (key) => queue.add(key))
  informers.of(ENDPOINT_SLICES).handle({
    // Somebody else's change to our slices is undone.
    updated: (slice) => {
      if (isOurs(slice) && !seen.wrote(slice)) queue.add(serviceKey(slice))
    },
    deleted: (slice) => {
      if (isOurs(slice) && !seen.removed(slice)) queue.add(serviceKey(slice))
    },
  })
  const seeZones = (): void => {
    if (zones.changed()) queue.add(ZONES_KEY)
  }
  informers.of(NODES).handle({
    added: ({ metadata }) => {
      // A pod may be known before its node.
      for (const key of seen.waiting(metadata.name ?? '')) queue.add(key)
      seeZones()
    },
    updated: (node, before) => {
      const zoneOf = ({ metadata }: Node): string | undefined => metadata.labels?.[ZONE_LABEL]
      if (isNodeReady(node) !== isNodeReady(before) || zoneOf(node) !== zoneOf(before)) seeZones()
    },
    deleted: seeZones,
  })
}

async function write(
  { api }: ControllerContext,
  key: string,
  { create, update, remove, triggered }: Plan & { readonly triggered: string | undefined },
  seen: SeenSlices,
): Promise<void> {
  for (const slice of create) {
    try {
      seen.note(key, await api.create(ENDPOINT_SLICES, stamped(slice, triggered)))
    } catch (error) {
      if (isTerminating(error) || isNotFound(error)) return
      throw failed('create', '', key, error)
    }
  }
  for (const slice of update) {
    const { name = '' } = slice.metadata
    const changed = api.update(ENDPOINT_SLICES, stamped(slice, triggered)).catch((error: unknown) => {
      throw failed('update', `${name} `, key, error)
    })
    seen.note(key, await changed)
  }
  for (const slice of remove) {
    const { namespace, name = '' } = slice.metadata
    seen.noteRemoval(key, slice)
    await api.delete(ENDPOINT_SLICES, { namespace, name }).catch((error: unknown) => {
      if (!isNotFound(error)) throw failed('delete', `${name} `, key, error)
    })
  }
}

/** What is thrown for it: what a slice behind the server's meets, as it is. */
function failed(what: 'create' | 'update' | 'delete', name: string, key: string, error: unknown): unknown {
  if (isBehind(error)) return error
  const why = error instanceof Error ? error.message : String(error)
  return new Error(`failed to ${what} ${name}EndpointSlice for Service ${key}: ${why}`, { cause: error })
}

function stamped(slice: EndpointSlice, at: string | undefined): EndpointSlice {
  const { [TRIGGER_TIME]: _, ...others } = slice.metadata.annotations ?? {}
  const annotations = at === undefined ? others : { ...others, [TRIGGER_TIME]: at }
  return { ...slice, metadata: { ...slice.metadata, annotations } }
}

const isOurs = ({ metadata }: EndpointSlice): boolean => metadata.labels?.[MANAGED_BY] === MANAGER

const serviceKey = ({ metadata }: EndpointSlice): string =>
  `${metadata.namespace ?? ''}/${metadata.labels?.[SERVICE_NAME] ?? ''}`

/** What was written and has to be in the copy before anything is decided by it. Follows endpointslice_tracker.go. */
class SeenSlices {
  /** By service: generation of each slice by uid; -1: deleted. */
  readonly #generations = new Map<string, Map<string, number>>()
  readonly #waiting = new Map<string, ReadonlySet<string>>()

  note(key: string, { metadata }: EndpointSlice): void {
    this.#of(key).set(metadata.uid ?? '', metadata.generation ?? 0)
  }

  noteRemoval(key: string, { metadata }: EndpointSlice): void {
    this.#of(key).set(metadata.uid ?? '', -1)
  }

  wrote(slice: EndpointSlice): boolean {
    const generation = this.#generations.get(serviceKey(slice))?.get(slice.metadata.uid ?? '')
    return generation !== undefined && generation >= (slice.metadata.generation ?? 0)
  }

  /** Whether the deletion was ours. */
  removed(slice: EndpointSlice): boolean {
    const generations = this.#generations.get(serviceKey(slice))
    const isOwn = generations?.get(slice.metadata.uid ?? '') === -1
    generations?.delete(slice.metadata.uid ?? '')
    return isOwn
  }

  isStale(key: string, existing: readonly EndpointSlice[]): boolean {
    const known = new Map(existing.map(({ metadata }) => [metadata.uid ?? '', metadata.generation ?? 0]))
    for (const [uid, generation] of this.#generations.get(key) ?? [])
      if (generation === -1 ? known.has(uid) : (known.get(uid) ?? -1) < generation) return true
    return false
  }

  /** The service waits for these nodes. */
  wait(key: string, nodes: ReadonlySet<string>): void {
    if (nodes.size > 0) this.#waiting.set(key, nodes)
    else this.#waiting.delete(key)
  }

  waiting(node: string): string[] {
    return [...this.#waiting].filter(([, nodes]) => nodes.has(node)).map(([key]) => key)
  }

  forget(key: string): void {
    this.#generations.delete(key)
    this.#waiting.delete(key)
  }

  #of(key: string): Map<string, number> {
    let generations = this.#generations.get(key)
    if (!generations) this.#generations.set(key, (generations = new Map()))
    return generations
  }
}
