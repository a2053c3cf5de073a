// A namespace that is deleted takes with it what is in it, and goes when nothing is left.
// Follows k8s.io/kubernetes/pkg/controller/namespace.
import { isConflict, isNotFound } from '../../client/api.ts'
import { timeOf } from '../../client/clock.ts'
import { type Controller, type ControllerContext, queueOf, work } from '../../client/controller.ts'
import { discover } from '../../client/discovery.ts'
import type { Namespace } from '../../client/kinds/core.v1.gen.ts'
import { NAMESPACES } from '../../client/resources.ts'
import { nextConditions } from './conditions.ts'
import { type Deletion, deleteContent } from './content.ts'

const NAME = 'namespace-controller'
const FINALIZER = 'kubernetes'
/** As upstream: what stays behind is looked at again within a minute, however often that was in vain. */
const RETRY = { firstMs: 5, maxMs: 60_000 }

export interface NamespaceOptions {
  readonly workers: number
  /** How long other API servers are given to learn of the deletion, so that they let nothing new in. */
  readonly graceMs: number
}

export function namespaceController(context: ControllerContext, options: NamespaceOptions): Controller {
  const queue = queueOf(context, 'namespace', RETRY)
  const see = ({ metadata }: Namespace): void => {
    if (metadata.deletionTimestamp) queue.addAfter(metadata.name ?? '', options.graceMs)
  }
  context.informers.of(NAMESPACES).handle({ added: see, updated: see })
  const reconcile = async (name: string): Promise<void> => {
    const estimate = await deleteNamespace(context, name)
    if (estimate > 0) queue.addAfter(name, (Math.floor(estimate / 2) + 1) * 1000)
  }
  const { log } = context
  return {
    name: NAME,
    run: (signal) => work({ name: NAME, queue, workers: options.workers, reconcile, log }, signal),
  }
}

/** Seconds until it is worth another look; 0: done. Rejects where something could not be deleted. */
async function deleteNamespace(context: ControllerContext, name: string): Promise<number> {
  const { api, clock } = context
  try {
    const found = await api.get(NAMESPACES, { name })
    if (!found.metadata.deletionTimestamp) return 0
    const namespace = await terminating(context, found)
    if (!namespace.spec?.finalizers?.length) return 0
    const deletion = await deleteContent(api, clock, namespace, await discover(api))
    await tell(context, namespace, deletion)
    if (deletion.errors.length > 0 || deletion.undiscovered.length > 0)
      throw new Error([...deletion.errors, ...deletion.undiscovered].join(', '))
    if (deletion.estimate > 0) return deletion.estimate
    await finalize(context, namespace)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  return 0
}

/** The namespace, whose status says that it goes. */
function terminating({ api }: ControllerContext, namespace: Namespace): Promise<Namespace> {
  if (namespace.status?.phase === 'Terminating') return Promise.resolve(namespace)
  const status = { ...namespace.status, phase: 'Terminating' }
  return api.updateStatus(NAMESPACES, { ...namespace, status })
}

async function tell(
  { api, clock, log }: ControllerContext,
  namespace: Namespace,
  deletion: Deletion,
): Promise<void> {
  const before = namespace.status?.conditions ?? []
  const conditions = nextConditions(before, deletion, timeOf(clock))
  if (conditions === before) return
  try {
    await api.updateStatus(NAMESPACES, {
      ...namespace,
      status: { ...namespace.status, conditions: [...conditions] },
    })
  } catch (error) {
    // The deletion matters more than the news of it, which come again.
    log.debug({ namespace: namespace.metadata.name, error: String(error) }, 'could not tell of a deletion')
  }
}

async function finalize({ api }: ControllerContext, namespace: Namespace): Promise<void> {
  for (let current = namespace; ;) {
    const finalizers = (current.spec?.finalizers ?? []).filter((one) => one !== FINALIZER).sort()
    try {
      await api.update(NAMESPACES, { ...current, spec: { ...current.spec, finalizers } }, 'finalize')
      return
    } catch (error) {
      if (!isConflict(error)) throw error
    }
    const name = current.metadata.name ?? ''
    const latest = await api.get(NAMESPACES, { name })
    if (latest.metadata.uid !== current.metadata.uid) throw new Error(`${name} is another namespace by now`)
    current = latest
  }
}
