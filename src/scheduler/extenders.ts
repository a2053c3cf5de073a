// Extenders: other programs that have a say in where pods go, asked over HTTP.
// Follows k8s.io/kubernetes/pkg/scheduler/extender.go and k8s.io/kube-scheduler/extender/v1.
import type { ExtenderConfig } from './config/extenders.ts'
import type { ClusterView } from './clusterview.ts'
import type { NodeInfo } from './nodeinfo.ts'
import { MAX_SCORE, type Rejection } from './plugin.ts'
import type { PodInfo } from './podinfo.ts'
import type { Candidate } from './preemption.ts'

/** Who is named where an extender refuses: any event may change its mind. */
export const EXTENDER = '*Extender'
/** The best that an extender gives a node. */
const MAX_PRIORITY = 10
const OK = 200

/** POSTs JSON; rejects where nobody answers in time. */
export type PostJson = (
  url: string,
  body: object,
) => Promise<{ readonly status: number; readonly body: Buffer }>

export interface Filtered {
  readonly nodes: readonly NodeInfo[]
  /** By the node's name. */
  readonly rejections: ReadonlyMap<string, Rejection>
}

type Answer = Readonly<Record<string, unknown>>

export class Extender {
  readonly #config: ExtenderConfig
  readonly #post: PostJson
  readonly #managed: ReadonlySet<string>

  constructor(config: ExtenderConfig, post: PostJson) {
    this.#config = config
    this.#post = post
    this.#managed = new Set(config.managedResources.map(({ name }) => name))
  }

  get name(): string {
    return this.#config.urlPrefix
  }

  /** Scheduling goes on when it does not answer. */
  get isIgnorable(): boolean {
    return this.#config.ignorable
  }

  get filters(): boolean {
    return this.#config.filterVerb !== ''
  }

  get prioritizes(): boolean {
    return this.#config.prioritizeVerb !== ''
  }

  get binds(): boolean {
    return this.#config.bindVerb !== ''
  }

  get preempts(): boolean {
    return this.#config.preemptVerb !== ''
  }

  /** Whether the pod asks for a resource that it looks after; one that looks after none has a say in all pods. */
  isInterested({ pod: { spec } }: PodInfo): boolean {
    if (this.#managed.size === 0) return true
    return [...spec.containers, ...(spec.initContainers ?? [])].some(({ resources }) =>
      [...Object.keys(resources?.requests ?? {}), ...Object.keys(resources?.limits ?? {})].some((name) =>
        this.#managed.has(name),
      ),
    )
  }

  async filter(pod: PodInfo, nodes: readonly NodeInfo[]): Promise<Filtered> {
    const answer = await this.#ask(this.#config.filterVerb, this.#args(pod, nodes))
    const error = textAt(answer, 'Error')
    if (error !== '') throw new Error(error)
    const byName = new Map(nodes.map((node) => [node.name, node]))
    const kept = this.#namesIn(answer).map((name) => {
      const node = byName.get(name)
      if (node) return node
      throw new Error(
        `extender ${JSON.stringify(this.name)} claims a filtered node ${JSON.stringify(name)} which is not found in the input node list`,
      )
    })
    const rejections = new Map<string, Rejection>()
    const reject = (field: string, isFinal: boolean): void => {
      for (const [node, why] of Object.entries(objectAt(answer, field))) {
        if (!rejections.has(node)) rejections.set(node, { plugin: EXTENDER, reasons: [String(why)], isFinal })
      }
    }
    reject('FailedAndUnresolvableNodes', true)
    reject('FailedNodes', false)
    return { nodes: kept, rejections }
  }

  /** What it adds to the nodes' scores, by their names. */
  async prioritize(pod: PodInfo, nodes: readonly NodeInfo[]): Promise<ReadonlyMap<string, number>> {
    const answer = await this.#ask(this.#config.prioritizeVerb, this.#args(pod, nodes))
    if (!Array.isArray(answer)) throw new Error(`extender ${this.name}: the answer is no list of priorities`)
    const factor = this.#config.weight * (MAX_SCORE / MAX_PRIORITY)
    return new Map(
      (answer as Answer[]).map((one) => [textAt(one, 'Host'), Number(at(one, 'Score') ?? 0) * factor]),
    )
  }

  /** Which of the candidates remain, and whom they send away. */
  async preempt(pod: PodInfo, candidates: readonly Candidate[], cluster: ClusterView): Promise<Candidate[]> {
    const { nodeCacheCapable, preemptVerb } = this.#config
    const victims = Object.fromEntries(
      candidates.map(({ node, victims: pods, violations }) => {
        const shown = pods.map((one) => (nodeCacheCapable ? { UID: one.uid } : one.pod))
        return [node.name, { Pods: shown, NumPDBViolations: violations }]
      }),
    )
    const field = nodeCacheCapable ? 'NodeNameToMetaVictims' : 'NodeNameToVictims'
    const answer = await this.#ask(preemptVerb, { Pod: pod.pod, [field]: victims })
    return Object.entries(objectAt(answer, 'NodeNameToMetaVictims')).map(([name, found]) => {
      const node = cluster.node(name)
      if (!node) throw new Error(`nodeinfo not found for node name ${JSON.stringify(name)}`)
      const uids = ((at(found as Answer, 'Pods') ?? []) as Answer[]).map((one) => textAt(one, 'UID'))
      if (uids.length === 0)
        throw new Error(`expected at least one victim pod on node ${JSON.stringify(name)}`)
      const pods = uids.map((uid) => {
        const victim = node.pods.get(uid)
        if (victim) return victim
        throw new Error(
          `extender: ${this.name} claims to preempt pod (UID: ${uid}) on node: ${name}, but the pod is not found on that node`,
        )
      })
      return { node, victims: pods, violations: Number(at(found as Answer, 'NumPDBViolations') ?? 0) }
    })
  }

  async bind({ pod: { metadata }, uid }: PodInfo, node: NodeInfo): Promise<void> {
    const { name = '', namespace = '' } = metadata
    const body = { PodName: name, PodNamespace: namespace, PodUID: uid, Node: node.name }
    const error = textAt(await this.#ask(this.#config.bindVerb, body), 'Error')
    if (error !== '') throw new Error(error)
  }

  #args(pod: PodInfo, nodes: readonly NodeInfo[]): object {
    return this.#config.nodeCacheCapable
      ? { Pod: pod.pod, Nodes: null, NodeNames: nodes.map(({ name }) => name) }
      : { Pod: pod.pod, Nodes: { metadata: {}, items: nodes.map(({ node }) => node) }, NodeNames: null }
  }

  #namesIn(answer: Answer): readonly string[] {
    const names = at(answer, 'NodeNames')
    if (this.#config.nodeCacheCapable && Array.isArray(names)) return names.map(String)
    const items = at(objectAt(answer, 'Nodes'), 'items')
    return Array.isArray(items)
      ? items.map((item) => textAt(objectAt(item as Answer, 'metadata'), 'name'))
      : []
  }

  async #ask(verb: string, body: object): Promise<Answer> {
    const url = `${this.#config.urlPrefix.replace(/\/+$/, '')}/${verb}`
    const reply = await this.#post(url, body)
    if (reply.status !== OK)
      throw new Error(`failed ${verb} with extender at URL ${url}, code ${reply.status}`)
    const answer = JSON.parse(reply.body.toString()) as unknown
    if (typeof answer !== 'object' || answer === null) throw new Error(`extender at URL ${url}: no object`)
    return answer as Answer
  }
}

/** As Go's decoder reads: names of fields are the same in whatever case. */
function at(object: Answer, name: string): unknown {
  if (Object.hasOwn(object, name)) return object[name]
  const key = Object.keys(object).find((one) => one.toLowerCase() === name.toLowerCase())
  return key === undefined ? undefined : object[key]
}

function textAt(object: Answer, name: string): string {
  const value = at(object, name)
  return typeof value === 'string' ? value : ''
}

function objectAt(object: Answer, name: string): Answer {
  const value = at(object, name)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Answer) : {}
}
