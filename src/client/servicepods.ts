// Which pods serve which services, at which ports. Follows k8s.io/endpointslice (util, FindPort) and
// its trigger_time_tracker.go.
import type { Pod, Service, ServicePort } from './kinds/core.v1.gen.ts'
import type { Informers } from './informer.ts'
import { isPodReady, isPodTerminal, podCondition } from './podstate.ts'
import { keyOf } from './resource.ts'
import { PODS, SERVICES } from './resources.ts'
import type { Reader } from './store.ts'

/** Whether a pod has an address that may be told of. */
export const hasEndpoint = (pod: Pod, withTerminating: boolean): boolean =>
  !isPodTerminal(pod) &&
  Boolean(pod.status.podIP || pod.status.podIPs?.length) &&
  (withTerminating || pod.metadata.deletionTimestamp === undefined)

export const setsHostname = (pod: Pod, service: Service): boolean =>
  Boolean(pod.spec.hostname) &&
  pod.spec.subdomain === service.metadata.name &&
  pod.metadata.namespace === service.metadata.namespace

export const isHeadless = ({ spec }: Service): boolean => !spec?.clusterIP || spec.clusterIP === 'None'

/** The number of the port in this pod; undefined where none of its containers names it. */
export function portOf(pod: Pod, port: ServicePort): number | undefined {
  if (typeof port.targetPort !== 'string') return port.targetPort ?? 0
  const sidecars = (pod.spec.initContainers ?? []).filter((one) => one.restartPolicy === 'Always')
  for (const container of [...pod.spec.containers, ...sidecars])
    for (const { name, protocol = 'TCP', containerPort } of container.ports ?? [])
      if (name === port.targetPort && protocol === (port.protocol ?? 'TCP')) return containerPort
  return undefined
}

/** Services with selectors; names of services are told of a pod that may serve them, now or before. */
export function watchServicePods(informers: Informers, changed: (serviceKey: string) => void): void {
  const services: Reader<Service> = informers.of(SERVICES).reader
  const tell = (pod: Pod, labels = pod.metadata.labels): void => {
    for (const service of services.inNamespace(pod.metadata.namespace ?? ''))
      if (selects(service, labels ?? {})) changed(keyOf(service))
  }
  informers.of(PODS).handle({
    added: (pod) => tell(pod),
    deleted: (pod) => tell(pod),
    updated: (pod, before) => {
      const isElsewhere = JSON.stringify(pod.metadata.labels) !== JSON.stringify(before.metadata.labels)
      if (!isElsewhere && endpointOf(pod) === endpointOf(before)) return
      tell(pod)
      if (isElsewhere) tell(before)
    },
  })
}

/** A service without a selector selects nothing; an empty one selects everything. */
export function selects({ spec }: Service, labels: Readonly<Record<string, string>>): boolean {
  if (!spec?.selector) return false
  for (const [key, value] of Object.entries(spec.selector)) if (labels[key] !== value) return false
  return true
}

/** What endpoints tell of a pod, as a text to compare. */
const endpointOf = (pod: Pod): string =>
  JSON.stringify([
    pod.metadata.deletionTimestamp,
    isPodReady(pod),
    isPodTerminal(pod),
    pod.status.podIP,
    pod.status.podIPs,
    pod.spec.nodeName,
    pod.spec.hostname,
    pod.spec.subdomain,
  ])

interface Times {
  service: string | undefined
  pods: Map<string, string>
}

/** Since when the endpoints of services are not up to date: measured by whoever programs networks. */
export class TriggerTimes {
  readonly #times = new Map<string, Times>()

  /** The earliest change since the last call, RFC 3339; undefined: none that is known. */
  next(service: Service, pods: readonly Pod[]): string | undefined {
    const key = keyOf(service)
    const before = this.#times.get(key)
    const times: Times = { service: service.metadata.creationTimestamp, pods: new Map() }
    const news: string[] = []
    for (const pod of pods) {
      const at = podCondition(pod, 'Ready')?.lastTransitionTime ?? ''
      times.pods.set(pod.metadata.name ?? '', at)
      if (before !== undefined && at > (before.pods.get(pod.metadata.name ?? '') ?? '')) news.push(at)
      if (before === undefined) news.push(at)
    }
    if (times.service !== undefined && times.service !== before?.service) news.push(times.service)
    this.#times.set(key, times)
    return news.filter((at) => at !== '').sort()[0]
  }

  forget(serviceKey: string): void {
    this.#times.delete(serviceKey)
  }
}
