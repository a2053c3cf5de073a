// Signs kube-public/cluster-info with every token by which nodes may join, so that a node that knows nothing but its token
// can tell the cluster from others. Follows k8s.io/kubernetes/pkg/controller/bootstrap/bootstrapsigner.go.
import { isConflict, isNotFound } from '../client/api.ts'
import { isBootstrapToken, textIn, timeLeft, TOKEN_NAMESPACE } from '../client/bootstraptokens.ts'
import { type Controller, type ControllerContext, queueOf, work } from '../client/controller.ts'
import type { ConfigMap, Secret } from '../client/kinds/core.v1.gen.ts'
import { keyOf } from '../client/resource.ts'
import { CONFIG_MAPS, SECRETS } from '../client/resources.ts'
import { detachedSignature } from '../pki/jws.ts'

const NAME = 'bootstrap-signer-controller'
const KEY = 'kube-public/cluster-info'
const CONTENT = 'kubeconfig'
const SIGNATURE = 'jws-kubeconfig-'
const SECRET_NAME = /^bootstrap-token-([a-z0-9]{6})$/

/** Id and secret of a token that may sign. */
function signingToken(secret: Secret, now: number): [id: string, secret: string] | undefined {
  const id = SECRET_NAME.exec(secret.metadata.name ?? '')?.[1]
  const own = textIn(secret, 'token-secret')
  const mayUse = textIn(secret, 'usage-bootstrap-signing') === 'true' && timeLeft(secret, now) > 0
  return id !== undefined && id === textIn(secret, 'token-id') && own !== '' && mayUse ? [id, own] : undefined
}

/** The config map with exactly the signatures of these tokens; undefined: it has them, or nothing to sign. */
export function signed(map: ConfigMap, secrets: readonly Secret[], now: number): ConfigMap | undefined {
  const content = map.data?.[CONTENT]
  if (content === undefined) return undefined
  const rest = Object.entries(map.data ?? {}).filter(([key]) => !key.startsWith(SIGNATURE))
  const tokens = secrets.filter(isBootstrapToken).map((secret) => signingToken(secret, now))
  const signatures = tokens
    .filter((token) => token !== undefined)
    .map(([id, secret]) => [SIGNATURE + id, detachedSignature(content, id, secret)] as const)
  const isSigned =
    signatures.every(([key, value]) => map.data?.[key] === value) &&
    Object.keys(map.data ?? {}).length === rest.length + signatures.length
  return isSigned ? undefined : { ...map, data: Object.fromEntries([...rest, ...signatures]) }
}

export function bootstrapSigner(context: ControllerContext): Controller {
  const { api, informers, clock, log } = context
  const queue = queueOf(context, 'bootstrap_signer_queue')
  const maps = informers.of(CONFIG_MAPS)
  const secrets = informers.of(SECRETS)
  const seeMap = (map: ConfigMap): void => {
    if (keyOf(map) === KEY) queue.add(KEY)
  }
  const seeSecret = (secret: Secret): void => {
    if (isBootstrapToken(secret)) queue.add(KEY)
  }
  maps.handle({ added: seeMap, updated: seeMap })
  secrets.handle({ added: seeSecret, updated: seeSecret, deleted: seeSecret })
  const reconcile = async (): Promise<void> => {
    const map = maps.reader.get(KEY)
    const wanted = map && signed(map, secrets.reader.inNamespace(TOKEN_NAMESPACE), clock.now())
    if (!wanted) return
    // A change that was made meanwhile leads here again.
    await api.update(CONFIG_MAPS, wanted).catch((error: unknown) => {
      if (!isNotFound(error) && !isConflict(error)) throw error
    })
  }
  return { name: NAME, run: (signal) => work({ name: NAME, queue, workers: 1, reconcile, log }, signal) }
}
