// The objects that a cluster of mixed.ts ends with, without what differs by its nature: identities, times, versions,
// addresses, the random ends of names, hashes of templates, and which node a pod came to.
import type { Json, JsonObject } from '../src/machinery/json.ts'
import { differences } from './differential/answers.ts'
import type { Kubectl } from './mixed-kubectl.ts'

/** By kind and name. */
export type Normal = ReadonlyMap<string, JsonObject>

const KINDS = [
  'deployments,replicasets,statefulsets,daemonsets,controllerrevisions,jobs,pods,services,endpointslices,endpoints',
  'poddisruptionbudgets,serviceaccounts,configmaps,persistentvolumeclaims,secrets,resourcequotas',
  'horizontalpodautoscalers,cronjobs,replicationcontrollers,persistentvolumes,nodes',
].join(',')

interface Listed {
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly uid: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[]
  }
  readonly revision?: number
}

/** Keys that say when, in which order, or by whom. */
const LEFT_OUT = new Set(
  `uid resourceVersion creationTimestamp managedFields lastTransitionTime lastUpdateTime startTime startedAt
  finishedAt completionTime observedGeneration generation nodeName hostIP hostIPs podIP podIPs clusterIP clusterIPs
  containerID lastProbeTime collisionCount selfLink ca.crt targetRef acquireTime renewTime
  endpoints.kubernetes.io/last-change-trigger-time generateName kubeletEndpoint`.split(/\s+/),
)

/** Waits for nothing: what is there now. */
export async function finalObjects(kubectl: Kubectl): Promise<Normal> {
  const list = JSON.parse(await kubectl.run(`get ${KINDS} -o json`)) as { items: Listed[] }
  const namespaces = JSON.parse(await kubectl.run('get namespaces -o json')) as { items: Listed[] }
  const items = [...list.items, ...namespaces.items]
  const names = namesOf(items)
  const found = new Map<string, JsonObject[]>()
  for (const item of items) {
    const normal = stripped(renamed(item as never, names)) as JsonObject
    const { kind, metadata } = normal as unknown as Listed
    const key = `${kind} ${metadata.name}`
    found.set(key, [...(found.get(key) ?? []), normal])
  }
  const result = new Map<string, JsonObject>()
  // Pods of one set have one name now; they are told apart by what they say.
  for (const [key, several] of [...found].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const sorted = several.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    sorted.forEach((one, i) => result.set(sorted.length > 1 ? `${key} ${i + 1}` : key, one))
  }
  return result
}

/** Names with hashes and random ends, and identities, with what stands for them. */
function namesOf(items: readonly Listed[]): Map<string, string> {
  const names = new Map<string, string>()
  for (const { kind, metadata, revision } of items) {
    const owner = metadata.ownerReferences?.[0]
    const { name, uid, labels = {}, annotations = {} } = metadata
    if (kind === 'ReplicaSet') {
      const number = `r${annotations['deployment.kubernetes.io/revision'] ?? ''}`
      const hash = labels['pod-template-hash']
      if (hash !== undefined) names.set(name, `${name.slice(0, -hash.length)}${number}`).set(hash, number)
    }
    if (kind === 'ControllerRevision' && owner) {
      names.set(name, `${owner.name}-c${revision}`)
      names.set(name.slice(owner.name.length + 1), `c${revision}`)
    }
    names.set(uid, `uid of ${kind}`)
  }
  for (const { kind, metadata } of items) {
    const owner = metadata.ownerReferences?.[0]
    const isRandom = (kind === 'Pod' && owner?.kind !== 'StatefulSet') || kind === 'EndpointSlice'
    if (!isRandom) continue
    const base = metadata.name.slice(0, metadata.name.lastIndexOf('-'))
    names.set(metadata.name, `${names.get(base) ?? base}-*`)
  }
  return names
}

/** Of pods: which is free depends on the order in which they came to their node. */
const ADDRESS = /^\d+\.\d+\.\d+\.\d+$/

/** The same with these words put for those, wherever they stand by themselves or between colons, dashes and slashes. */
function renamed(value: Json, names: ReadonlyMap<string, string>): Json {
  if (typeof value === 'string') {
    if (ADDRESS.test(value)) return 'an address'
    return (
      names.get(value) ??
      value.replace(/[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?/g, (word) => names.get(word) ?? word)
    )
  }
  if (Array.isArray(value)) return value.map((one) => renamed(one, names))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(entriesOf(value).map(([key, one]) => [key, renamed(one, names)]))
}

function stripped(value: Json): Json {
  if (Array.isArray(value)) {
    const all = value.map(stripped)
    return all.every((one) => typeof one === 'object') ? all.sort(byText) : all
  }
  if (typeof value !== 'object' || value === null) return value
  const kept = entriesOf(value)
    .filter(([key]) => !LEFT_OUT.has(key))
    .map(([key, one]): [string, Json] => [key, stripped(one)])
    .filter(([, one]) => JSON.stringify(one) !== '{}')
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)))
}

const entriesOf = (object: JsonObject): [string, Json][] => Object.entries(object) as [string, Json][]

const byText = (a: Json, b: Json): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

/** How the second cluster's objects differ from the first's, by object. */
export function compareObjects(first: Normal, second: Normal): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const key of new Set([...first.keys(), ...second.keys()])) {
    const [a, b] = [first.get(key), second.get(key)]
    const lines = a && b ? differences(answer(a), answer(b), false) : [a ? '- it is there' : '+ it is there']
    if (lines.length > 0) found.set(key, lines)
  }
  return found
}

const answer = (body: JsonObject): { status: number; body: JsonObject; warnings: string[] } => ({
  status: 200,
  body,
  warnings: [],
})
