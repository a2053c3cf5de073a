// One pass over one Deployment: what it knows, and the writes that it makes.
// Follows k8s.io/kubernetes/pkg/controller/deployment/sync.go.
import { type Api, isAlreadyExists, isNotFound } from '../../client/api.ts'
import type { Clock } from '../../client/clock.ts'
import type { Deployment, DeploymentStatus, ReplicaSet } from '../../client/kinds/apps.v1.gen.ts'
import type { Pod, PodTemplateSpec } from '../../client/kinds/core.v1.gen.ts'
import { controllerRef, isControlledBy } from '../../client/ownership.ts'
import { isNamespaceTerminating, messageOf } from '../../client/podcontrol.ts'
import type { WorkQueue } from '../../client/queue.ts'
import type { EventRecorder, EventType } from '../../client/recorder.ts'
import { DEPLOYMENTS, REPLICA_SETS } from '../../client/resources.ts'
import { isSameStatus } from '../../client/statuswrite.ts'
import type { Reader } from '../../client/store.ts'
import { templateHash } from '../../client/templatehash.ts'
import {
  byRevision,
  findNewSet,
  HASH_LABEL,
  isSameTemplate,
  maxRevision,
  newSetAnnotations,
  REVISION,
  sizeAnnotations,
} from './revisions.ts'
import { maxSurge, newSetSize, replicasOf, type Size } from './sizes.ts'
import { hasDeadline, historyLimit, progressCondition, type Sets, withProgress } from './status.ts'

const MAX_NAME = 253

export interface Parts {
  readonly api: Api
  readonly clock: Clock
  readonly recorder: EventRecorder
  readonly queue: WorkQueue
  readonly deployments: Reader<Deployment>
  readonly sets: Reader<ReplicaSet>
  readonly pods: Reader<Pod>
}

export class Run {
  readonly parts: Parts
  /** As it is known to be on the server; what the informer holds is never changed. */
  deployment: Deployment

  constructor(parts: Parts, deployment: Deployment) {
    this.parts = parts
    this.deployment = deployment
  }

  event(type: EventType, reason: string, message: string): void {
    this.parts.recorder.event({ resource: DEPLOYMENTS, object: this.deployment }, type, reason, message)
  }

  /** Writes the status, and the annotations, where they differ. Returns whether they did. */
  async write(status: DeploymentStatus, revision?: string): Promise<boolean> {
    const { metadata } = this.deployment
    const isNewRevision = revision !== undefined && metadata.annotations?.[REVISION] !== revision
    if (!isNewRevision && isSameStatus(status, this.deployment.status)) return false
    const annotations = isNewRevision
      ? { ...metadata.annotations, [REVISION]: revision }
      : metadata.annotations
    const changed = { ...this.deployment, metadata: { ...metadata, annotations }, status }
    this.deployment = await this.parts.api.updateStatus(DEPLOYMENTS, changed)
    return true
  }

  /** Tells the new set from the old ones, brings its annotations up to date, and makes it where it is missing and wanted. */
  async split(sets: readonly ReplicaSet[], isWanted: boolean): Promise<Sets> {
    const existing = findNewSet(this.deployment, sets)
    const oldSets = sets.filter((set) => set !== existing)
    const revision = maxRevision(oldSets) + 1n
    if (existing) return { newSet: await this.#refresh(existing, revision), oldSets }
    return { newSet: isWanted ? await this.#make(oldSets, revision) : undefined, oldSets }
  }

  async #refresh(set: ReplicaSet, revision: bigint): Promise<ReplicaSet> {
    const { deployment } = this
    const annotations = newSetAnnotations(deployment, set, revision)
    const { minReadySeconds } = deployment.spec
    if (
      !isSameStatus(annotations, set.metadata.annotations ?? {}) ||
      (set.spec.minReadySeconds ?? 0) !== (minReadySeconds ?? 0)
    ) {
      const metadata = { ...set.metadata, annotations }
      return this.parts.api.update(REPLICA_SETS, { ...set, metadata, spec: { ...set.spec, minReadySeconds } })
    }
    const isNoted = !hasDeadline(deployment) || progressCondition(deployment) !== undefined
    const found = `Found new replica set "${set.metadata.name}"`
    const status = isNoted
      ? deployment.status
      : withProgress(deployment, this.parts.clock, 'True', 'FoundNewReplicaSet', found)
    await this.write(status, set.metadata.annotations?.[REVISION])
    return set
  }

  async #make(oldSets: readonly ReplicaSet[], revision: bigint): Promise<ReplicaSet> {
    const wanted = this.#newSet(oldSets, revision)
    const name = wanted.metadata.name ?? ''
    let created: ReplicaSet
    try {
      created = await this.parts.api.create(REPLICA_SETS, wanted)
    } catch (error) {
      if (!isAlreadyExists(error)) throw await this.#refused(name, error)
      created = await this.#existing(name, error)
      await this.write(this.deployment.status, String(revision))
      return created
    }
    if (replicasOf(created) > 0) {
      const message = `Scaled up replica set ${name} from 0 to ${replicasOf(created)}`
      this.event('Normal', 'ScalingReplicaSet', message)
    }
    const { clock } = this.parts
    const status = hasDeadline(this.deployment)
      ? withProgress(
          this.deployment,
          clock,
          'True',
          'NewReplicaSetCreated',
          `Created new replica set "${name}"`,
        )
      : this.deployment.status
    await this.write(status, String(revision))
    return created
  }

  #newSet(oldSets: readonly ReplicaSet[], revision: bigint): ReplicaSet {
    const { metadata, spec, status } = this.deployment
    const hash = templateHash(spec.template, status.collisionCount)
    const labels = { ...spec.template.metadata?.labels, [HASH_LABEL]: hash }
    const template: PodTemplateSpec = { ...spec.template, metadata: { ...spec.template.metadata, labels } }
    const set: ReplicaSet = {
      metadata: {
        name: `${(metadata.name ?? '').slice(0, MAX_NAME - 1 - hash.length)}-${hash}`,
        namespace: metadata.namespace,
        ownerReferences: [controllerRef({ resource: DEPLOYMENTS, object: this.deployment })],
        labels,
      },
      spec: {
        replicas: newSetSize(this.deployment, oldSets, 0),
        minReadySeconds: spec.minReadySeconds,
        selector: {
          ...spec.selector,
          matchLabels: { ...spec.selector.matchLabels, [HASH_LABEL]: hash },
        },
        template,
      },
      status: { replicas: 0 },
    }
    set.metadata.annotations = {
      ...newSetAnnotations(this.deployment, set, revision),
      ...this.#annotations(),
    }
    return set
  }

  #annotations(): Record<string, string> {
    const replicas = replicasOf(this.deployment)
    return sizeAnnotations(replicas, replicas + maxSurge(this.deployment))
  }

  /** The set of that name, where it is ours: the informer had not heard of it. Else the hash collides: count it. */
  async #existing(name: string, collision: unknown): Promise<ReplicaSet> {
    const { metadata, spec, status } = this.deployment
    const set = await this.parts.api.get(REPLICA_SETS, { namespace: metadata.namespace, name })
    if (isControlledBy(set, this.deployment) && isSameTemplate(set.spec.template, spec.template)) return set
    await this.write({ ...status, collisionCount: (status.collisionCount ?? 0) + 1 })
    throw collision
  }

  async #refused(name: string, error: unknown): Promise<unknown> {
    if (isNamespaceTerminating(error)) return error
    const message = `Failed to create new replica set "${name}": ${messageOf(error)}`
    this.event('Warning', 'ReplicaSetCreateError', message)
    if (!hasDeadline(this.deployment)) return error
    const status = withProgress(this.deployment, this.parts.clock, 'False', 'ReplicaSetCreateError', message)
    // The refusal of the set is what is to be heard of, whatever becomes of the status.
    await this.write(status).catch(() => undefined)
    return error
  }

  /** Sizes a set. Where the size stays, its annotations are renewed only when asked for. */
  async resize({ set, replicas }: Size, renewsAnnotations = false): Promise<void> {
    const before = replicasOf(set)
    const annotations = { ...set.metadata.annotations, ...this.#annotations() }
    const isSized = before === replicas
    if (isSized && (!renewsAnnotations || isSameStatus(annotations, set.metadata.annotations))) return
    const { name } = set.metadata
    const metadata = { ...set.metadata, annotations }
    await this.parts.api.update(REPLICA_SETS, { ...set, metadata, spec: { ...set.spec, replicas } })
    if (isSized) return
    const way = before < replicas ? 'up' : 'down'
    this.event(
      'Normal',
      'ScalingReplicaSet',
      `Scaled ${way} replica set ${name} from ${before} to ${replicas}`,
    )
  }

  /** Forgets the oldest revisions that are above the limit and empty. */
  async cleanUp(oldSets: readonly ReplicaSet[]): Promise<void> {
    const alive = oldSets.filter(({ metadata }) => metadata.deletionTimestamp === undefined).sort(byRevision)
    const excess = alive.length - historyLimit(this.deployment)
    for (const set of alive.slice(0, Math.max(0, excess))) {
      if (!isEmpty(set)) continue
      const { namespace, name = '' } = set.metadata
      await this.parts.api.delete(REPLICA_SETS, { namespace, name }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
    }
  }
}

const isEmpty = (set: ReplicaSet): boolean =>
  set.status.replicas === 0 &&
  replicasOf(set) === 0 &&
  (set.metadata.generation ?? 0) <= (set.status.observedGeneration ?? 0)
