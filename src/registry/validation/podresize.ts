// Rules of a pod's resize: amounts of cpu and memory change, nothing else.
// Follows pkg/apis/core/validation (ValidatePodResize).
import type { JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { semanticEqual } from '../equality.ts'
import { qosClassOf, qosClassOfPod } from '../qos.ts'
import { objectAt, objectsAt, present } from '../reading.ts'
import type { Spot } from './spot.ts'

const MIRROR = 'kubernetes.io/config.mirror'
const LISTS = ['requests', 'limits'] as const
const RESIZABLE: readonly string[] = ['cpu', 'memory']
const UNSUPPORTED = 'Pod running on node without support for resize'

/** Faults of the pod itself are told before; those of pods that are never resized stand alone. */
export function resizeUpdate(pod: Spot, old: KubeObject): void {
  const before = objectAt(old['spec'])
  const never = neverResized(old, before)
  if (never !== undefined) {
    pod.causes.length = 0
    // Upstream's path of the object itself prints as an empty index.
    return pod.named('[]').forbidden(never)
  }
  const spec = pod.at('spec')
  const qos = qosClassOfPod(old)
  if (qosClassOf(spec.object) !== qos)
    spec.invalid('Pod QOS Class may not change as a result of resizing', qos)
  if (!isSupported(old)) spec.forbidden(UNSUPPORTED)
  ofPod(spec, before)
  if (!sameOrder(spec, before)) return
  for (const list of ['initContainers', 'containers']) {
    const stored = objectsAt(before[list])
    spec.itemsOf(list).forEach((container, i) => keepsAmounts(container.at('resources'), stored[i]))
  }
  ofContainers(spec, before)
}

function neverResized(old: KubeObject, spec: JsonObject): string | undefined {
  if (old.metadata.annotations?.[MIRROR] !== undefined) return 'static pods cannot be resized'
  return objectAt(spec['os'])['name'] === 'windows' ? 'windows pods cannot be resized' : undefined
}

/** A kubelet that says what running containers have can change it. */
function isSupported(old: KubeObject): boolean {
  const statuses = objectsAt(objectAt(old['status'])['containerStatuses'])
  const running = statuses.find((status) => present(objectAt(status['state'])['running']))
  return !running || present(running['resources'])
}

function removed(now: JsonObject, before: JsonObject, list: (typeof LISTS)[number]): boolean {
  const [left, right] = [objectAt(now[list]), objectAt(before[list])]
  return RESIZABLE.some((name) => Object.hasOwn(right, name) && !Object.hasOwn(left, name))
}

function keepsAmounts(resources: Spot, stored: JsonObject | undefined): void {
  const before = objectAt(stored?.['resources'])
  for (const list of LISTS) {
    if (removed(resources.object, before, list))
      resources.at(list).forbidden(`resource ${list} cannot be removed`)
  }
}

/** These resources, with the amounts that may change as they were. */
function restored(now: JsonObject, before: JsonObject): JsonObject {
  const lists = LISTS.map((list) => {
    const [left, right] = [objectAt(now[list]), objectAt(before[list])]
    const kept = Object.entries(left).filter(([name]) => !RESIZABLE.includes(name))
    const old = Object.entries(right).filter(([name]) => RESIZABLE.includes(name))
    return [list, Object.fromEntries([...kept, ...old])]
  })
  return Object.fromEntries(lists) as JsonObject
}

function ofPod(spec: Spot, before: JsonObject): void {
  const [resources, old] = [spec.at('resources'), before['resources']]
  if (present(old) && !resources.isSet) return resources.forbidden('pod-level resources cannot be removed')
  for (const list of LISTS) {
    if (present(old) && removed(resources.object, objectAt(old), list))
      resources.at(list).forbidden(`pod-level resource ${list} cannot be removed`)
  }
  if (!semanticEqual(restored(resources.object, objectAt(old)), restored(objectAt(old), objectAt(old))))
    spec.forbidden('only cpu and memory resources are mutable at pod-level')
}

function sameOrder(spec: Spot, before: JsonObject): boolean {
  const known = spec.causes.length
  for (const list of ['containers', 'initContainers']) {
    const [containers, stored] = [spec.itemsOf(list), objectsAt(before[list])]
    if (containers.length !== stored.length)
      spec.at(list).forbidden(`${list} may not be added or removed on resize`)
    else {
      containers.forEach((container, i) => {
        const name = container.at('name')
        if (name.text !== stored[i]?.['name'])
          name.forbidden(`${list} may not be renamed or reordered on resize`)
      })
    }
  }
  return spec.causes.length === known
}

function ofContainers(spec: Spot, before: JsonObject): void {
  const isKept = (container: Spot, stored: JsonObject): boolean => {
    const resources = restored(container.at('resources').object, objectAt(stored['resources']))
    return semanticEqual(
      { ...container.object, resources },
      { ...stored, resources: objectAt(stored['resources']) },
    )
  }
  const check = (list: string, fault: (container: Spot) => void): void => {
    const stored = objectsAt(before[list])
    spec.itemsOf(list).forEach((container, i) => {
      if (!isKept(container, stored[i] ?? {})) fault(container)
    })
  }
  check('containers', () => spec.forbidden('only cpu and memory resources are mutable'))
  check('initContainers', (container) =>
    container.forbidden('only cpu and memory resources for init or sidecar containers are mutable'),
  )
}
