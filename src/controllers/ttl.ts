// Tells kubelets by an annotation how long they may keep secrets and config maps: the larger the cluster, the longer.
// Follows k8s.io/kubernetes/pkg/controller/ttl.
import { type Controller, type ControllerContext, queueOf, work } from '../client/controller.ts'
import type { Node } from '../client/kinds/core.v1.gen.ts'
import { NODES } from '../client/resources.ts'

const NAME = 'ttl-controller'
const ANNOTATION = 'node.alpha.kubernetes.io/ttl'
const WORKERS = 5

/** Upstream's steps. The way down begins lower than the way up ends, so that they do not swing. */
const STEPS = [
  { min: 0, max: 100, seconds: 0 },
  { min: 90, max: 500, seconds: 15 },
  { min: 450, max: 1000, seconds: 30 },
  { min: 900, max: 2000, seconds: 60 },
  { min: 1800, max: Infinity, seconds: 300 },
] as const

/** The step for so many nodes, coming from the step before. */
export function nextStep(step: number, nodes: number): number {
  let next = step
  while (nodes > (STEPS[next]?.max ?? Infinity)) next++
  while (nodes < (STEPS[next]?.min ?? 0)) next--
  return next
}

export function ttlController(context: ControllerContext): Controller {
  const { api, informers, log } = context
  const queue = queueOf(context, 'ttlcontroller')
  const nodes = informers.of(NODES)
  let step = 0
  const count = (): void => {
    const before = step
    step = nextStep(step, nodes.reader.size)
    if (step !== before) for (const { metadata } of nodes.reader.list()) queue.add(metadata.name ?? '')
  }
  const see = ({ metadata }: Node): void => queue.add(metadata.name ?? '')
  nodes.handle({
    added: (node) => {
      count()
      see(node)
    },
    updated: see,
    deleted: count,
  })
  const reconcile = async (name: string): Promise<void> => {
    const node = nodes.reader.get(name)
    const value = String(STEPS[step]?.seconds ?? 0)
    if (!node || node.metadata.annotations?.[ANNOTATION] === value) return
    const body = { metadata: { annotations: { [ANNOTATION]: value } } }
    await api.patch(NODES, { name }, body, { type: 'strategic' })
  }
  return {
    name: NAME,
    run: (signal) => work({ name: NAME, queue, workers: WORKERS, reconcile, log }, signal),
  }
}
