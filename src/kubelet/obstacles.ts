// What keeps the containers of a pod from being made: ConfigMaps and Secrets that are not there, a user they may not be.
// Follows makeEnvironmentVariables of k8s.io/kubernetes/pkg/kubelet/kubelet_pods.go, pkg/volume/{configmap,secret,projected}
// and verifyRunAsNonRoot of pkg/kubelet/kuberuntime.
import { type Api, isNotFound } from '../client/api.ts'
import type { Container, KeyToPath, Pod, Volume } from '../client/kinds/core.v1.gen.ts'
import { CONFIG_MAPS, SECRETS } from '../client/resources.ts'
import { claimOf } from '../client/volumes.ts'
import { StatusError } from '../machinery/status.ts'

const FORBIDDEN = 403

/** Something of another object that has to be there. */
interface Need {
  readonly kind: 'configmap' | 'secret'
  readonly name: string
  /** Absent: the object alone. */
  readonly keys: readonly string[]
}

export interface Obstacles {
  /** Volumes that cannot be mounted, with the reason. */
  readonly volumes: ReadonlyMap<string, string>
  /** Containers that cannot be made, with the reason. */
  readonly containers: ReadonlyMap<string, string>
}

/** Made by a controller in every namespace; it comes as soon as it can. */
const ROOT_CERTIFICATES = 'kube-root-ca.crt'

/** Whether there is anything about the pod that could keep it. Most have nothing. */
export function mayBeKept(pod: Pod): boolean {
  const { spec } = pod
  const containers = [...(spec.initContainers ?? []), ...spec.containers]
  return (
    (spec.volumes ?? []).some((one) => claimOf(pod, one) !== undefined || needsOfVolume(one).length > 0) ||
    containers.some((one) => needsOfContainer(one).length > 0 || rootFault(spec, one) !== undefined)
  )
}

/** What keeps the pod now. */
export async function obstaclesOf(pod: Pod, api: Api): Promise<Obstacles> {
  const { spec, metadata } = pod
  const look = new Look(api, metadata.namespace ?? '')
  const volumes = new Map<string, string>()
  for (const volume of spec.volumes ?? []) {
    const fault = await look.first(needsOfVolume(volume))
    if (fault !== undefined) volumes.set(volume.name, fault)
  }
  const containers = new Map<string, string>()
  for (const one of [...(spec.initContainers ?? []), ...spec.containers]) {
    const fault = rootFault(spec, one) ?? (await look.first(needsOfContainer(one)))
    if (fault !== undefined) containers.set(one.name, fault)
  }
  return { volumes, containers }
}

/** Reads each object once. */
class Look {
  readonly #api: Api
  readonly #namespace: string
  readonly #read = new Map<string, ReadonlySet<string> | undefined | null>()

  constructor(api: Api, namespace: string) {
    this.#api = api
    this.#namespace = namespace
  }

  /** The first of these that is not there, in words. */
  async first(needs: readonly Need[]): Promise<string | undefined> {
    for (const { kind, name, keys } of needs) {
      const found = await this.#keysOf(kind, name)
      if (found === null) continue
      const shown = JSON.stringify(name)
      if (found === undefined) return `${kind} ${shown} not found`
      const lacking = keys.find((key) => !found.has(key))
      const owner = kind === 'configmap' ? 'ConfigMap' : 'Secret'
      if (lacking !== undefined) return `couldn't find key ${lacking} in ${owner} ${this.#namespace}/${name}`
    }
    return undefined
  }

  /** undefined: there is no such object; null: nobody says whether there is. */
  async #keysOf(kind: Need['kind'], name: string): Promise<ReadonlySet<string> | undefined | null> {
    const key = `${kind}/${name}`
    if (!this.#read.has(key)) this.#read.set(key, await this.#fetch(kind, name))
    return this.#read.get(key)
  }

  async #fetch(kind: Need['kind'], name: string): Promise<ReadonlySet<string> | undefined | null> {
    const at = { namespace: this.#namespace, name }
    try {
      if (kind === 'secret') return new Set(Object.keys((await this.#api.get(SECRETS, at)).data ?? {}))
      const { data = {}, binaryData = {} } = await this.#api.get(CONFIG_MAPS, at)
      return new Set([...Object.keys(data), ...Object.keys(binaryData)])
    } catch (error) {
      if (isNotFound(error)) return undefined
      if (error instanceof StatusError && error.code === FORBIDDEN) return null
      throw error
    }
  }
}

type Source = { readonly name?: string | undefined; readonly optional?: boolean | undefined } | undefined

function need(kind: Need['kind'], source: Source, keys: readonly string[]): Need[] {
  if (!source || source.optional || !source.name || source.name === ROOT_CERTIFICATES) return []
  return [{ kind, name: source.name, keys }]
}

const keysOf = (items: readonly KeyToPath[] | undefined): string[] => (items ?? []).map(({ key }) => key)

function needsOfVolume({ configMap, secret, projected }: Volume): Need[] {
  return [
    ...need('configmap', configMap, keysOf(configMap?.items)),
    ...need(
      'secret',
      secret && { name: secret.secretName, optional: secret.optional },
      keysOf(secret?.items),
    ),
    ...(projected?.sources ?? []).flatMap((one) => [
      ...need('configmap', one.configMap, keysOf(one.configMap?.items)),
      ...need('secret', one.secret, keysOf(one.secret?.items)),
    ]),
  ]
}

function needsOfContainer({ env = [], envFrom = [] }: Container): Need[] {
  return [
    ...envFrom.flatMap(({ configMapRef, secretRef }) => [
      ...need('configmap', configMapRef, []),
      ...need('secret', secretRef, []),
    ]),
    ...env.flatMap(({ valueFrom }) => [
      ...need('configmap', valueFrom?.configMapKeyRef, [valueFrom?.configMapKeyRef?.key ?? '']),
      ...need('secret', valueFrom?.secretKeyRef, [valueFrom?.secretKeyRef?.key ?? '']),
    ]),
  ]
}

/** Who must not be root and says to be. Whom an image runs as is not known. */
function rootFault(
  { securityContext: ofPod }: Pod['spec'],
  { name, securityContext: own }: Container,
): string | undefined {
  const isBarred = own?.runAsNonRoot ?? ofPod?.runAsNonRoot ?? false
  if (!isBarred || (own?.runAsUser ?? ofPod?.runAsUser) !== 0) return undefined
  return `container's runAsUser breaks non-root policy (container: ${name})`
}
