// ServiceAccount: every pod runs as a service account that exists, and finds its token where it expects it.
// Follows plugin/pkg/admission/serviceaccount.
import { setTimeout as delay } from 'node:timers/promises'
import type { JsonObject } from '../machinery/json.ts'
import type { Lister } from '../machinery/lister.ts'
import { generateName } from '../machinery/names.ts'
import { goQuote } from '../machinery/quote.ts'
import { pathSegmentErrors } from '../machinery/validation.ts'
import { forbid } from './forbid.ts'
import {
  type AdmissionAttributes,
  type AdmissionPlugin,
  type AdmissionTarget,
  isFor,
  type Lookup,
} from './plugin.ts'
import { forbiddenReference, referencesSecrets } from './secretreferences.ts'
import { type Container, type Pod, PODS, type ServiceAccount as Account } from './shapes.ts'

const ACCOUNTS = { group: '', resource: 'serviceaccounts' }
const DEFAULT_ACCOUNT = 'default'
const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror'
const ENFORCE_ANNOTATION = 'kubernetes.io/enforce-mountable-secrets'

const VOLUME_PREFIX = 'kube-api-access-'
const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
/** An hour and seven seconds: the number by which the token issuer knows that nobody chose it. */
const TOKEN_SECONDS = 3607
const VOLUME_MODE = 0o644

/** The account of a new namespace is made by a controller, so it may come an instant after the namespace. */
const DEFAULT_ACCOUNT_ATTEMPTS = 10
const RETRY_MILLISECONDS = 100

export class ServiceAccount implements AdmissionPlugin {
  readonly name = 'ServiceAccount'
  readonly reads = [ACCOUNTS]
  readonly #lookup: Lookup | undefined
  readonly #wait: (milliseconds: number) => Promise<unknown>

  constructor(lookup?: Lookup, wait: (milliseconds: number) => Promise<unknown> = delay) {
    this.#lookup = lookup
    this.#wait = wait
  }

  handles(target: AdmissionTarget): boolean {
    return target.operation === 'CREATE'
      ? isFor(target, PODS)
      : target.operation === 'UPDATE' && isFor(target, PODS, 'ephemeralcontainers')
  }

  admit(attributes: AdmissionAttributes, lister: Lister): void | Promise<void> {
    if (attributes.operation !== 'CREATE') return
    const pod = attributes.object as Pod
    if (isMirror(pod)) return refuseMirrorReferences(attributes, pod)
    const name = pod.spec.serviceAccountName || DEFAULT_ACCOUNT
    pod.spec.serviceAccountName = name
    pod.spec.serviceAccount = name
    return this.#with(attributes, lister, (account) => {
      if (pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true)
        mountToken(pod)
      if (!pod.spec.imagePullSecrets?.length && account.imagePullSecrets?.length) {
        pod.spec.imagePullSecrets = account.imagePullSecrets.map((secret) => ({ ...secret }))
      }
      limitReferences(attributes, pod, account)
    })
  }

  validate(attributes: AdmissionAttributes, lister: Lister): void | Promise<void> {
    const pod = attributes.object as Pod
    if (attributes.operation === 'CREATE' && isMirror(pod)) return refuseMirrorReferences(attributes, pod)
    if (!pod.spec.serviceAccountName) {
      const where = `${attributes.namespace}/${pod.metadata.name ?? ''}`
      throw forbid(attributes, `no service account specified for pod ${where}`)
    }
    return this.#with(attributes, lister, (account) => limitReferences(attributes, pod, account))
  }

  #with(
    attributes: AdmissionAttributes,
    lister: Lister,
    use: (account: Account) => void,
  ): void | Promise<void> {
    const name = (attributes.object as Pod).spec.serviceAccountName as string
    const account = lister.get(ACCOUNTS, attributes.namespace, name) as Account | undefined
    if (account) return use(account)
    return this.#find(attributes.namespace, name, lister).then((found) => {
      if (found) return use(found)
      const faults = pathSegmentErrors(name)
      const why = faults.length
        ? `invalid resource name ${goQuote(name)}: [${faults.join(' ')}]`
        : `serviceaccount "${name}" not found`
      throw forbid(attributes, `error looking up service account ${attributes.namespace}/${name}: ${why}`)
    })
  }

  async #find(namespace: string, name: string, lister: Lister): Promise<Account | undefined> {
    const attempts = name === DEFAULT_ACCOUNT ? DEFAULT_ACCOUNT_ATTEMPTS : 1
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (attempt > 0) await this.#wait(RETRY_MILLISECONDS)
      const found = this.#lookup
        ? await this.#lookup(ACCOUNTS, namespace, name)
        : lister.get(ACCOUNTS, namespace, name)
      if (found) return found as Account
    }
    return undefined
  }
}

const isMirror = (pod: Pod): boolean => pod.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined

/** A mirror pod shows what a kubelet runs by itself: it is not changed, and must not ask for credentials. */
function refuseMirrorReferences(attributes: AdmissionAttributes, pod: Pod): void {
  if (pod.spec.serviceAccountName) throw forbid(attributes, 'a mirror pod may not reference service accounts')
  if (referencesSecrets(pod)) throw forbid(attributes, 'a mirror pod may not reference secrets')
  for (const volume of pod.spec.volumes ?? []) {
    if (volume.projected?.sources?.some((source) => source.serviceAccountToken)) {
      throw forbid(attributes, 'a mirror pod may not use ServiceAccountToken volume projections')
    }
  }
}

/** An account may say that its pods use no secrets but those that it lists. */
function limitReferences(attributes: AdmissionAttributes, pod: Pod, account: Account): void {
  const enforce = account.metadata.annotations?.[ENFORCE_ANNOTATION] ?? ''
  if (!['1', 't', 'T', 'true', 'TRUE', 'True'].includes(enforce)) return
  const allowed = new Set((account.secrets ?? []).map((secret) => secret.name ?? ''))
  const ephemeral = attributes.operation === 'UPDATE'
  const name = account.metadata.name ?? ''
  const refusal = forbiddenReference(pod, allowed, ephemeral)
  if (refusal) {
    throw forbid(
      attributes,
      `${refusal} is not allowed because service account ${name} does not reference that secret`,
    )
  }
  if (ephemeral) return
  const pullable = new Set((account.imagePullSecrets ?? []).map((secret) => secret.name ?? ''))
  pod.spec.imagePullSecrets?.forEach((secret, index) => {
    if (pullable.has(secret.name ?? '')) return
    const what = `imagePullSecrets[${index}].name="${secret.name ?? ''}"`
    const why = `service account ${name} does not reference that imagePullSecret`
    throw forbid(attributes, `${what} is not allowed because ${why}`)
  })
}

function mountToken(pod: Pod): void {
  const { spec } = pod
  const existing = spec.volumes?.find((volume) => volume.name.startsWith(VOLUME_PREFIX))
  const name = existing?.name ?? generateName(VOLUME_PREFIX)
  const inInit = mountInto(spec.initContainers, name)
  const inMain = mountInto(spec.containers, name)
  if (existing || !(inInit || inMain)) return
  spec.volumes = [...(spec.volumes ?? []), { name, projected: tokenSources() }]
}

/** True where a container needed the mount; one that has another volume at that path keeps it. */
function mountInto(containers: Container[] | undefined, name: string): boolean {
  let needed = false
  for (const container of containers ?? []) {
    if (container.volumeMounts?.some((mount) => mount.mountPath === MOUNT_PATH)) continue
    container.volumeMounts = [
      ...(container.volumeMounts ?? []),
      { name, readOnly: true, mountPath: MOUNT_PATH },
    ]
    needed = true
  }
  return needed
}

function tokenSources(): { sources: JsonObject[]; defaultMode: number } {
  const namespace = { path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }
  return {
    sources: [
      { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      { downwardAPI: { items: [namespace] } },
    ],
    defaultMode: VOLUME_MODE,
  }
}
