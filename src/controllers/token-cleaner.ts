// Deletes tokens by which nodes join when their time is over. Follows k8s.io/kubernetes/pkg/controller/bootstrap/tokencleaner.go.
import { isConflict, isNotFound } from '../client/api.ts'
import { isBootstrapToken, timeLeft } from '../client/bootstraptokens.ts'
import { type Controller, type ControllerContext, queueOf, work } from '../client/controller.ts'
import type { Secret } from '../client/kinds/core.v1.gen.ts'
import { keyOf } from '../client/resource.ts'
import { SECRETS } from '../client/resources.ts'

const NAME = 'token-cleaner-controller'

export function tokenCleaner(context: ControllerContext): Controller {
  const { api, informers, clock, log } = context
  const queue = queueOf(context, 'token_cleaner')
  const secrets = informers.of(SECRETS)
  const see = (secret: Secret): void => {
    if (isBootstrapToken(secret)) queue.add(keyOf(secret))
  }
  secrets.handle({ added: see, updated: see })
  const reconcile = async (key: string): Promise<void> => {
    const secret = secrets.reader.get(key)
    if (!secret || !isBootstrapToken(secret)) return
    const left = timeLeft(secret, clock.now())
    if (left > 0) {
      if (left < Infinity) queue.addAfter(key, left)
      return
    }
    const { namespace, name = '', uid = '' } = secret.metadata
    await api.delete(SECRETS, { namespace, name }, { preconditions: { uid } }).catch((error: unknown) => {
      if (!isNotFound(error) && !isConflict(error)) throw error
    })
  }
  return { name: NAME, run: (signal) => work({ name: NAME, queue, workers: 1, reconcile, log }, signal) }
}
