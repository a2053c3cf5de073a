// Every namespace has the service account that its pods run as.
// Follows k8s.io/kubernetes/pkg/controller/serviceaccount/serviceaccounts_controller.go.
import { isAlreadyExists, isTerminating } from '../client/api.ts'
import { type Controller, type ControllerContext, queueOf, work } from '../client/controller.ts'
import type { Namespace } from '../client/kinds/core.v1.gen.ts'
import { NAMESPACES, SERVICE_ACCOUNTS } from '../client/resources.ts'

const NAME = 'serviceaccount-controller'
const DEFAULT_ACCOUNT = 'default'

export function serviceAccountController(context: ControllerContext): Controller {
  const { api, informers, log } = context
  const queue = queueOf(context, 'serviceaccount')
  const namespaces = informers.of(NAMESPACES)
  const accounts = informers.of(SERVICE_ACCOUNTS)
  const see = ({ metadata }: Namespace): void => queue.add(metadata.name ?? '')
  namespaces.handle({ added: see, updated: see })
  accounts.handle({
    deleted: ({ metadata }) => {
      if (metadata.name === DEFAULT_ACCOUNT) queue.add(metadata.namespace ?? '')
    },
  })
  const reconcile = async (name: string): Promise<void> => {
    const namespace = namespaces.reader.get(name)
    if (namespace?.status?.phase !== 'Active') return
    if (accounts.reader.get(`${name}/${DEFAULT_ACCOUNT}`)) return
    await api
      .create(SERVICE_ACCOUNTS, { metadata: { namespace: name, name: DEFAULT_ACCOUNT } })
      .catch(settled)
  }
  return { name: NAME, run: (signal) => work({ name: NAME, queue, workers: 1, reconcile, log }, signal) }
}

/** Somebody made it before, or the namespace is about to go: nothing is left to do. */
function settled(error: unknown): void {
  if (!isAlreadyExists(error) && !isTerminating(error)) throw error
}
