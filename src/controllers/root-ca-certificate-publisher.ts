// Every namespace has the CA that its pods check the API server with, in the ConfigMap kube-root-ca.crt.
// Follows k8s.io/kubernetes/pkg/controller/certificates/rootcacertpublisher.
import { isAlreadyExists, isNotFound, isTerminating } from '../client/api.ts'
import { type Controller, type ControllerContext, queueOf, work } from '../client/controller.ts'
import type { ConfigMap, Namespace } from '../client/kinds/core.v1.gen.ts'
import { CONFIG_MAPS, NAMESPACES } from '../client/resources.ts'

const NAME = 'root-ca-certificate-publisher-controller'
const CONFIG_MAP = 'kube-root-ca.crt'
const KEY = 'ca.crt'
const ABOUT = 'kubernetes.io/description'
const ABOUT_TEXT =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.'

/** What has to be written; undefined: nothing. */
export function wantedConfigMap(
  current: ConfigMap | undefined,
  namespace: string,
  rootCa: string,
): { write: 'create' | 'update'; object: ConfigMap } | undefined {
  const data = { [KEY]: rootCa }
  const annotations = { [ABOUT]: ABOUT_TEXT }
  if (!current) {
    return { write: 'create', object: { metadata: { namespace, name: CONFIG_MAP, annotations }, data } }
  }
  const isRight =
    current.metadata.annotations?.[ABOUT] === ABOUT_TEXT &&
    Object.keys(current.data ?? {}).length === 1 &&
    current.data?.[KEY] === rootCa
  if (isRight) return undefined
  const metadata = { ...current.metadata, annotations: { ...current.metadata.annotations, ...annotations } }
  return { write: 'update', object: { ...current, metadata, data } }
}

/** `rootCa` is PEM. */
export function rootCaPublisher(context: ControllerContext, rootCa: string): Controller {
  const { api, informers, log } = context
  const queue = queueOf(context, 'root_ca_cert_publisher')
  const namespaces = informers.of(NAMESPACES)
  const maps = informers.of(CONFIG_MAPS)
  const see = ({ metadata }: Namespace): void => queue.add(metadata.name ?? '')
  const seeMap = ({ metadata }: ConfigMap): void => {
    if (metadata.name === CONFIG_MAP) queue.add(metadata.namespace ?? '')
  }
  namespaces.handle({ added: see, updated: see })
  maps.handle({ updated: seeMap, deleted: seeMap })
  const reconcile = async (namespace: string): Promise<void> => {
    if (namespaces.reader.get(namespace)?.status?.phase !== 'Active') return
    const wanted = wantedConfigMap(maps.reader.get(`${namespace}/${CONFIG_MAP}`), namespace, rootCa)
    if (wanted) await api[wanted.write](CONFIG_MAPS, wanted.object).catch(settled)
  }
  return { name: NAME, run: (signal) => work({ name: NAME, queue, workers: 1, reconcile, log }, signal) }
}

/** Somebody made it before, or it or the namespace is about to go: nothing is left to do. */
function settled(error: unknown): void {
  if (!isAlreadyExists(error) && !isNotFound(error) && !isTerminating(error)) throw error
}
