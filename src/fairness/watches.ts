// Who watches what, counted: a write costs more the more watchers hear of it.
// Pure. Follows k8s.io/apiserver/pkg/util/flowcontrol/watch_tracker.go.
import type { RequestInfo } from '../machinery/attributes.ts'

/** Watches of a whole resource ("") or of one namespace, and in them of everything ("") or of one name. */
type Counts = Map<string, Map<string, number>>

/** Watches of pods are indexed by their node: those of one node hear only of its pods. */
const INDEXED_RESOURCE = 'pods'
const INDEX_FIELD = /(?:^|,)spec\.nodeName==?([^,!=]+)(?:,|$)/

export class WatchTracker {
  /** By group, then resource. */
  readonly #counts = new Map<string, Map<string, Counts>>()

  /** Counts a watch; answers how to forget it, which counts once. */
  register(info: RequestInfo, fieldSelector: string | null): () => void {
    if (info.resource === INDEXED_RESOURCE && fieldSelector && INDEX_FIELD.test(fieldSelector))
      return () => undefined
    this.#add(info, 1)
    let isForgotten = false
    return () => {
      if (!isForgotten) this.#add(info, -1)
      isForgotten = true
    }
  }

  /** How many watches may hear of what this request does. */
  interested({ group, resource, namespace, name }: RequestInfo): number {
    const counts = this.#counts.get(group)?.get(resource)
    if (!counts) return 0
    let sum = counts.get('')?.get('') ?? 0
    if (namespace !== '') sum += counts.get(namespace)?.get('') ?? 0
    if (name !== '') sum += counts.get(namespace)?.get(name) ?? 0
    return sum
  }

  #add({ group, resource, namespace, name }: RequestInfo, change: number): void {
    const resources = within(this.#counts, group)
    const counts = within(resources, resource)
    const names = within(counts, namespace)
    const count = (names.get(name) ?? 0) + change
    if (count > 0) return void names.set(name, count)
    names.delete(name)
    if (names.size === 0) counts.delete(namespace)
    if (counts.size === 0) resources.delete(resource)
    if (resources.size === 0) this.#counts.delete(group)
  }
}

function within<T>(map: Map<string, Map<string, T>>, key: string): Map<string, T> {
  let inner = map.get(key)
  if (!inner) map.set(key, (inner = new Map<string, T>()))
  return inner
}
