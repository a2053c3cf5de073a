// Deletes pods from nodes with taints of effect NoExecute, when the time that they tolerate is over.
// Follows k8s.io/kubernetes/pkg/controller/tainteviction.
import { isNotFound } from '../../client/api.ts'
import { timeOf } from '../../client/clock.ts'
import { type Controller, type ControllerContext, queueOf, work } from '../../client/controller.ts'
import type { Node, Pod } from '../../client/kinds/core.v1.gen.ts'
import { podCondition } from '../../client/podstate.ts'
import { keyOf, splitKey } from '../../client/resource.ts'
import { NODES, PODS } from '../../client/resources.ts'
import { evicting, toleratedMs } from './tolerated.ts'

const NAME = 'taint-eviction-controller'
const BY_NODE = 'node'
/** As upstream's UpdateWorkerSize. */
const WORKERS = 8

/** An eviction that is to come. Times in ms since 1970. */
interface Planned {
  readonly since: number
  readonly at: number
  cancel(): void
}

export function taintEvictionController(context: ControllerContext): Controller {
  const { informers, log } = context
  const queue = queueOf(context, 'noexec_taint_pod')
  const pods = informers.of(PODS).index(BY_NODE, ({ spec }) => [spec.nodeName ?? ''])
  const nodes = informers.of(NODES)
  const plans = new Plans(context, (key) => queue.add(key))
  const look = (pod: Pod): void => {
    const taints = evicting(nodes.reader.get(pod.spec.nodeName ?? '')?.spec?.taints)
    plans.plan(pod, toleratedMs(taints, pod.spec.tolerations))
  }
  pods.handle({
    added: look,
    updated: (pod, before) => {
      const isOther = JSON.stringify(pod.spec.tolerations) !== JSON.stringify(before.spec.tolerations)
      if (isOther || pod.spec.nodeName !== before.spec.nodeName) look(pod)
    },
    deleted: (pod) => plans.plan(pod, undefined),
  })
  const lookAll = ({ metadata }: Node): void => {
    for (const pod of pods.reader.by(BY_NODE, metadata.name ?? '')) look(pod)
  }
  nodes.handle({
    added: lookAll,
    updated: (node, before) => {
      const [now, then] = [evicting(node.spec?.taints), evicting(before.spec?.taints)]
      if (JSON.stringify(now) !== JSON.stringify(then)) lookAll(node)
    },
  })
  const reconcile = (key: string): Promise<void> => evict(context, key)
  return {
    name: NAME,
    async run(signal) {
      await work({ name: NAME, queue, workers: WORKERS, reconcile, log }, signal)
      plans.clear()
    },
  }
}

class Plans {
  readonly #context: ControllerContext
  readonly #due: (key: string) => void
  readonly #plans = new Map<string, Planned>()

  constructor(context: ControllerContext, due: (key: string) => void) {
    this.#context = context
    this.#due = due
  }

  /** In so many ms; undefined: never. A plan that is sooner stays, counted from when the first one was made. */
  plan(pod: Pod, ms: number | undefined): void {
    const key = keyOf(pod)
    const planned = this.#plans.get(key)
    if (ms === undefined || pod.metadata.deletionTimestamp !== undefined) {
      if (planned) this.#cancel(pod, planned)
      return
    }
    const now = this.#context.clock.now()
    if (ms === 0) {
      planned?.cancel()
      this.#plans.delete(key)
      return this.#due(key)
    }
    const since = planned?.since ?? now
    if (planned && planned.at <= since + ms) return
    planned?.cancel()
    const at = since + ms
    const cancel = this.#context.clock.after(at - now, () => {
      this.#plans.delete(key)
      this.#due(key)
    })
    this.#plans.set(key, { since, at, cancel })
  }

  clear(): void {
    for (const { cancel } of this.#plans.values()) cancel()
    this.#plans.clear()
  }

  #cancel(pod: Pod, planned: Planned): void {
    planned.cancel()
    this.#plans.delete(keyOf(pod))
    const message = `Cancelling deletion of Pod ${keyOf(pod)}`
    this.#context.recorder.event({ resource: PODS, object: pod }, 'Normal', 'TaintManagerEviction', message)
  }
}

async function evict({ api, recorder, clock }: ControllerContext, key: string): Promise<void> {
  const place = splitKey(key)
  try {
    const pod = await api.get(PODS, place)
    if (pod.metadata.deletionTimestamp !== undefined) return
    const message = `Marking for deletion Pod ${key}`
    recorder.event({ resource: PODS, object: pod }, 'Normal', 'TaintManagerEviction', message)
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByTaintManager',
      message: 'Taint manager: deleting due to NoExecute taint',
    }
    const said = podCondition(pod, condition.type)
    if (said?.status !== 'True' || said.reason !== condition.reason) {
      const conditions = [{ ...condition, lastTransitionTime: timeOf(clock) }]
      const body = { metadata: { uid: pod.metadata.uid ?? '' }, status: { conditions } }
      await api.patch(PODS, { ...place, subresource: 'status' }, body, { type: 'strategic' })
    }
    await api.delete(PODS, place)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
