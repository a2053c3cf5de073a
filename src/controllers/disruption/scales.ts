// How many pods the controllers of some pods want. Follows the finders of k8s.io/kubernetes/pkg/controller/disruption.
import { isNotFound } from '../../client/api.ts'
import type { ControllerContext } from '../../client/controller.ts'
import { discover, kindKey, type ServedResource } from '../../client/discovery.ts'
import type { Pod } from '../../client/kinds/core.v1.gen.ts'
import type { OwnerReference } from '../../client/kinds/meta.v1.gen.ts'
import { controllerOf } from '../../client/ownership.ts'
import type { ApiObject, Resource } from '../../client/resource.ts'
import { DEPLOYMENTS, REPLICA_SETS, REPLICATION_CONTROLLERS, STATEFUL_SETS } from '../../client/resources.ts'

type Scalable = ApiObject & { spec?: { replicas?: number | undefined } | undefined }

export interface Scale {
  readonly pods: number
  /** Names of pods that nothing controls. */
  readonly unmanaged: readonly string[]
}

export class Scales {
  readonly #context: ControllerContext
  #kinds: ReadonlyMap<string, ServedResource> = new Map()

  constructor(context: ControllerContext) {
    this.#context = context
    for (const resource of [DEPLOYMENTS, REPLICA_SETS, REPLICATION_CONTROLLERS, STATEFUL_SETS])
      context.informers.of(resource as Resource)
  }

  /** Rejects where a pod's controller is gone, or cannot be scaled. */
  async of(pods: readonly Pod[]): Promise<Scale> {
    const scales = new Map<string, number>()
    const seen = new Set<string>()
    const unmanaged: string[] = []
    for (const pod of pods) {
      const { name = '', namespace = '' } = pod.metadata
      const owner = controllerOf(pod)
      if (!owner) {
        unmanaged.push(name)
        continue
      }
      if (seen.has(owner.uid)) continue
      seen.add(owner.uid)
      const found = await this.#find(owner, namespace)
      if (!found) throw new Error(`found no controllers for pod ${JSON.stringify(name)}`)
      scales.set(found.metadata.uid ?? '', found.spec?.replicas ?? 0)
    }
    return { pods: [...scales.values()].reduce((sum, one) => sum + one, 0), unmanaged }
  }

  async #find(owner: OwnerReference, namespace: string): Promise<Scalable | undefined> {
    const known = this.#known(owner, namespace)
    if (known === undefined) return this.#scaleOf(owner, namespace)
    const above = owner.kind === 'ReplicaSet' ? controllerOf(known) : undefined
    return above?.kind === 'Deployment' ? this.#known(above, namespace) : known
  }

  #known({ kind, apiVersion, name, uid }: OwnerReference, namespace: string): Scalable | undefined {
    for (const resource of [DEPLOYMENTS, REPLICA_SETS, REPLICATION_CONTROLLERS, STATEFUL_SETS]) {
      const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : ''
      if (resource.kind !== kind || resource.group !== group) continue
      const found = this.#context.informers
        .of(resource as Resource<Scalable>)
        .reader.get(`${namespace}/${name}`)
      if (found?.metadata.uid === uid) return found
    }
    return undefined
  }

  /** Of a kind of its own, by its scale. */
  async #scaleOf(
    { apiVersion, kind, name, uid }: OwnerReference,
    namespace: string,
  ): Promise<Scalable | undefined> {
    const { api } = this.#context
    const key = kindKey(apiVersion, kind)
    if (!this.#kinds.has(key)) this.#kinds = (await discover(api)).kinds
    const resource = this.#kinds.get(key)
    if (!resource) return undefined
    try {
      const scale = await api.get(resource as Resource<Scalable>, { namespace, name, subresource: 'scale' })
      return scale.metadata.uid === uid ? scale : undefined
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }
}
