// Making and ending pods for a controller, with the events that users look for on the controlling object.
// Follows RealPodControl of k8s.io/kubernetes/pkg/controller/controller_utils.go and slowStartBatch of its replicaset.
import { StatusError } from '../machinery/status.ts'
import { type Api, isNotFound } from './api.ts'
import type { Pod, PodTemplateSpec } from './kinds/core.v1.gen.ts'
import { controllerRef, type Owner } from './ownership.ts'
import type { EventRecorder } from './recorder.ts'
import { PODS } from './resources.ts'

/** A name as long as this still has room for the dash of its pods' names. */
const MAX_NAME = 253
/** As upstream's SlowStartInitialBatchSize: a quota that is used up costs one failure a round. */
const FIRST_BATCH = 1

/** The pod of a template, named after its controller. Its spec is the template's own: copy it before changing it. */
export function podOfTemplate(template: PodTemplateSpec, owner: Owner): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {}
  const { name = '', namespace } = owner.object.metadata
  return {
    metadata: {
      namespace,
      generateName: name.length < MAX_NAME ? `${name}-` : name,
      ...(labels ? { labels: { ...labels } } : {}),
      ...(annotations ? { annotations: { ...annotations } } : {}),
      ...(finalizers ? { finalizers: [...finalizers] } : {}),
      ownerReferences: [controllerRef(owner)],
    },
    spec: template.spec,
    status: {},
  }
}

/** A refusal that no try can change: the namespace goes away. */
export const isNamespaceTerminating = (error: unknown): boolean =>
  error instanceof StatusError &&
  (error.status.details?.causes ?? []).some(({ reason }) => reason === 'NamespaceTerminating')

export class PodControl {
  readonly #api: Api
  readonly #recorder: EventRecorder

  constructor(api: Api, recorder: EventRecorder) {
    this.#api = api
    this.#recorder = recorder
  }

  /** Rejects as the server refuses, after an event FailedCreate. */
  async create(pod: Pod, owner: Owner): Promise<Pod> {
    if (Object.keys(pod.metadata.labels ?? {}).length === 0)
      throw new Error('unable to create pods, no labels')
    try {
      const created = await this.#api.create(PODS, pod)
      this.#recorder.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`)
      return created
    } catch (error) {
      if (!isNamespaceTerminating(error)) {
        this.#recorder.event(owner, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`)
      }
      throw error
    }
  }

  /** Rejects as the server refuses, with NotFound too; any other refusal is told by an event FailedDelete. */
  async delete({ metadata: { namespace, name = '' } }: Pod, owner: Owner): Promise<void> {
    try {
      await this.#api.delete(PODS, { namespace, name })
    } catch (error) {
      if (isNotFound(error)) throw error
      this.#recorder.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`)
      throw new Error(`unable to delete pods: ${messageOf(error)}`, { cause: error })
    }
    this.#recorder.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`)
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export interface Batch {
  readonly successes: number
  /** The first of the failures. */
  readonly error?: unknown
}

/**
 * Calls `make` for 0 up to `count` - 1: one, then two, then four at a time, and so on. After a batch in which one failed no
 * further one begins.
 */
export async function slowStart(count: number, make: (index: number) => Promise<unknown>): Promise<Batch> {
  let successes = 0
  let begun = 0
  for (let size = FIRST_BATCH; begun < count; size *= 2) {
    const from = begun
    begun = Math.min(count, begun + size)
    const results = await Promise.allSettled(Array.from({ length: begun - from }, (_, i) => make(from + i)))
    const failed = results.find(({ status }) => status === 'rejected')
    successes += results.filter(({ status }) => status === 'fulfilled').length
    if (failed?.status === 'rejected') return { successes, error: failed.reason as unknown }
  }
  return { successes }
}
