// Has drivers attach volumes to the nodes whose pods need them, and detach them when no pod does; tells nodes what is
// attached to them. Follows k8s.io/kubernetes/pkg/controller/volume/attachdetach.
import { isAlreadyExists, isNotFound } from '../../client/api.ts'
import { type Controller, type ControllerContext, queueOf, work } from '../../client/controller.ts'
import { type DriverVolume, driverVolumeOf, uniqueVolumeName } from '../../client/csivolumes.ts'
import type { Node, PersistentVolume, Pod } from '../../client/kinds/core.v1.gen.ts'
import type { VolumeAttachment } from '../../client/kinds/storage.v1.gen.ts'
import type { WorkQueue } from '../../client/queue.ts'
import type { EventRecorder } from '../../client/recorder.ts'
import { keyOf } from '../../client/resource.ts'
import {
  CSI_DRIVERS,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  PODS,
  VOLUME_ATTACHMENTS,
} from '../../client/resources.ts'
import { syncedOrAborted } from '../../client/synced.ts'
import { claimKeysOf, hasEnded, keyOfReference } from '../../client/volumes.ts'
import { attaches, detaches, isManaged, newAttachment, outcome, type VolumeState } from './attachments.ts'

const NAME = 'persistentvolume-attach-detach-controller'
const BY_CLAIM = 'claim'
const BY_NODE = 'node'
const BY_VOLUME = 'volume'
const WORKERS = 4

const sourcesOf = ({ informers }: ControllerContext) => ({
  claims: informers.of(PERSISTENT_VOLUME_CLAIMS),
  volumes: informers.of(PERSISTENT_VOLUMES),
  drivers: informers.of(CSI_DRIVERS),
  nodes: informers.of(NODES),
  pods: informers
    .of(PODS)
    .index(BY_CLAIM, claimKeysOf)
    .index(BY_NODE, ({ spec }) => [spec.nodeName ?? '']),
  attachments: informers
    .of(VOLUME_ATTACHMENTS)
    .index(BY_VOLUME, ({ spec }) => [spec.source.persistentVolumeName ?? ''])
    .index(BY_NODE, ({ spec }) => [spec.nodeName]),
})
type Sources = ReturnType<typeof sourcesOf>

/** `isForced`: volumes go from nodes that are silent for too long, though they may have them mounted. */
export function attachDetachController(context: ControllerContext, isForced: boolean): Controller {
  const sources = sourcesOf(context)
  const volumeQueue = queueOf(context, 'volumes-to-attach')
  const nodeQueue = queueOf(context, 'node-volumes-attached')
  const attacher = new Attacher(context, sources, { volumeQueue, nodeQueue, isForced })
  listen(sources, attacher, { volumeQueue, nodeQueue })
  const base = { name: NAME, workers: WORKERS, log: context.log }
  return {
    name: NAME,
    async run(signal) {
      if (!(await syncedOrAborted(Object.values(sources), signal))) return
      await Promise.all([
        work({ ...base, queue: volumeQueue, reconcile: (name) => attacher.reconcile(name) }, signal),
        work({ ...base, queue: nodeQueue, reconcile: (name) => attacher.tellNode(name) }, signal),
      ])
    },
  }
}

interface Ways {
  readonly volumeQueue: WorkQueue
  readonly nodeQueue: WorkQueue
  readonly isForced: boolean
}

function listen(
  sources: Sources,
  attacher: Attacher,
  { volumeQueue, nodeQueue }: Omit<Ways, 'isForced'>,
): void {
  const { claims, volumes, drivers, nodes, pods, attachments } = sources
  const seePod = (pod: Pod): void => {
    if (!pod.spec.nodeName) return
    for (const key of claimKeysOf(pod)) {
      const name = claims.reader.get(key)?.spec.volumeName
      if (name) volumeQueue.add(name)
    }
  }
  pods.handle({ added: seePod, updated: seePod, deleted: seePod })
  const seeClaim = ({ spec: { volumeName } }: { spec: { volumeName?: string | undefined } }): void => {
    if (volumeName) volumeQueue.add(volumeName)
  }
  claims.handle({ added: seeClaim, updated: seeClaim, deleted: seeClaim })
  const seeVolume = (volume: PersistentVolume): void => {
    if (driverVolumeOf(volume)) volumeQueue.add(keyOf(volume))
  }
  volumes.handle({ added: seeVolume, updated: seeVolume })
  const all = (): void => volumes.reader.list().forEach(seeVolume)
  drivers.handle({ added: all, updated: all, deleted: all })
  const seeAttachment = (attachment: VolumeAttachment, before?: VolumeAttachment): void => {
    attacher.tellPods(attachment, before)
    volumeQueue.add(attachment.spec.source.persistentVolumeName ?? '')
    nodeQueue.add(attachment.spec.nodeName)
  }
  attachments.handle({
    added: (one) => seeAttachment(one, one),
    updated: seeAttachment,
    deleted: (one) => {
      attacher.forget(one)
      seeAttachment(one, one)
    },
  })
  const seeNode = (node: Node, before?: Node): void => {
    if (before && nodeState(node) === nodeState(before)) return
    const { name = '' } = node.metadata
    nodeQueue.add(name)
    for (const one of attachments.reader.by(BY_NODE, name))
      volumeQueue.add(one.spec.source.persistentVolumeName ?? '')
    pods.reader.by(BY_NODE, name).forEach(seePod)
  }
  nodes.handle({
    added: (node) => seeNode(node),
    updated: seeNode,
    deleted: (node) => {
      attacher.nodeGone(node)
      seeNode(node)
    },
  })
}

/** What of a node matters here. */
const nodeState = (node: Node): string =>
  JSON.stringify([
    isManaged(node),
    node.spec.taints,
    node.status.volumesInUse,
    node.status.volumesAttached,
    node.status.conditions?.find(({ type }) => type === 'Ready')?.status,
  ])

class Attacher {
  readonly #context: ControllerContext
  readonly #sources: Sources
  readonly #ways: Ways
  readonly #recorder: EventRecorder
  /** Since when attachments are unwanted, by name, in ms. */
  readonly #unwanted = new Map<string, number>()
  /** Attachments that nodes are not to count on any more. */
  readonly #leaving = new Set<string>()
  /** Nodes that are gone: what they said last of what they have mounted counts as long as something is attached. */
  readonly #gone = new Map<string, Node>()
  /** Pods that were told that their volume is elsewhere, by volume and node. */
  readonly #refused = new Set<string>()

  constructor(context: ControllerContext, sources: Sources, ways: Ways) {
    this.#context = context
    this.#sources = sources
    this.#ways = ways
    this.#recorder = context.recorder.as({ component: 'attachdetach-controller' })
  }

  /** Attaches and detaches one volume. */
  async reconcile(name: string): Promise<void> {
    const volume = this.#sources.volumes.reader.get(name)
    const csi = volume && driverVolumeOf(volume)
    if (!volume || !csi || this.#isLeftAlone(csi)) return
    const state = this.#stateOf(volume)
    const wanted = new Set(state.pods.keys())
    for (const { spec, metadata } of state.attachments)
      if (wanted.has(spec.nodeName)) this.#unwanted.delete(metadata.name ?? '')
    for (const key of this.#refused)
      if (key.startsWith(`${name} `) && !wanted.has(key.slice(name.length + 1))) this.#refused.delete(key)
    for (const { attachment, waitMs } of detaches(state)) {
      const { name: own = '' } = attachment.metadata
      if (!this.#unwanted.has(own)) this.#unwanted.set(own, this.#context.clock.now())
      if (waitMs === undefined) await this.#detach(attachment)
      else if (waitMs !== Infinity) this.#ways.volumeQueue.addAfter(name, waitMs)
    }
    for (const { node, refusal } of attaches(state)) {
      const key = `${name} ${node}`
      if (refusal === undefined) {
        this.#refused.delete(key)
        await this.#attach(newAttachment(volume, csi, node))
      } else if (!this.#refused.has(key)) {
        this.#refused.add(key)
        const message = `Multi-Attach error for volume ${JSON.stringify(name)} ${refusal}`
        this.#tell(state.pods.get(node) ?? [], 'Warning', 'FailedAttachVolume', message)
      }
    }
  }

  /** Writes what is attached to a node into its status. */
  async tellNode(name: string): Promise<void> {
    const node = this.#sources.nodes.reader.get(name)
    if (!node || !isManaged(node)) return
    const attached = this.#sources.attachments.reader
      .by(BY_NODE, name)
      .filter(({ status, metadata }) => status?.attached && metadata.deletionTimestamp === undefined)
      .filter(({ metadata }) => !this.#leaving.has(metadata.name ?? ''))
      .flatMap(({ spec }) => {
        const volume = this.#sources.volumes.reader.get(spec.source.persistentVolumeName ?? '')
        const csi = volume && driverVolumeOf(volume)
        return csi ? [{ name: uniqueVolumeName(csi), devicePath: '' }] : []
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
    const known = (node.status.volumesAttached ?? []).map((one) => one.name).sort()
    if (JSON.stringify(known) === JSON.stringify(attached.map((one) => one.name))) return
    const body = { status: { volumesAttached: attached } }
    try {
      await this.#context.api.patch(NODES, { name, subresource: 'status' }, body, { type: 'merge' })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  /** How the driver fared, where that is new. */
  tellPods(attachment: VolumeAttachment, before: VolumeAttachment | undefined): void {
    const volume = this.#sources.volumes.reader.get(attachment.spec.source.persistentVolumeName ?? '')
    const told = volume && outcome(attachment, before, volume.metadata.name ?? '')
    if (!volume || !told) return
    const pods = this.#podsOf(volume).get(attachment.spec.nodeName) ?? []
    this.#tell(pods, told.type, told.reason, told.message)
  }

  /** A driver that says that its volumes need no attaching. */
  #isLeftAlone({ driver }: DriverVolume): boolean {
    return this.#sources.drivers.reader.get(driver)?.spec.attachRequired === false
  }

  #stateOf(volume: PersistentVolume): VolumeState {
    const attachments = this.#sources.attachments.reader.by(BY_VOLUME, volume.metadata.name ?? '')
    const since = (node: string): number | undefined => {
      const one = attachments.find(({ spec }) => spec.nodeName === node)
      return this.#unwanted.get(one?.metadata.name ?? '')
    }
    const now = this.#context.clock.now()
    return {
      volume,
      attachments,
      isForced: this.#ways.isForced,
      pods: this.#podsOf(volume),
      node: (name) => this.#sources.nodes.reader.get(name) ?? this.#gone.get(name),
      unwantedMs: (node) => now - (since(node) ?? now),
    }
  }

  /** Pods on nodes of ours whose claim has this volume. */
  #podsOf({ metadata, spec: { claimRef } }: PersistentVolume): Map<string, Pod[]> {
    const pods = new Map<string, Pod[]>()
    if (!claimRef) return pods
    const claim = this.#sources.claims.reader.get(keyOfReference(claimRef))
    if (claim?.metadata.uid !== claimRef.uid || claim?.spec.volumeName !== metadata.name) return pods
    for (const pod of this.#sources.pods.reader.by(BY_CLAIM, keyOfReference(claimRef))) {
      const { nodeName = '' } = pod.spec
      const node = this.#sources.nodes.reader.get(nodeName)
      if (!node || !isManaged(node) || hasEnded(pod)) continue
      pods.set(nodeName, [...(pods.get(nodeName) ?? []), pod])
    }
    return pods
  }

  async #attach(attachment: VolumeAttachment): Promise<void> {
    this.#leaving.delete(attachment.metadata.name ?? '')
    try {
      await this.#context.api.create(VOLUME_ATTACHMENTS, attachment)
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
  }

  /** The node learns first that it cannot count on the volume any more. */
  async #detach({ metadata: { name = '', uid = '' }, spec }: VolumeAttachment): Promise<void> {
    this.#leaving.add(name)
    await this.tellNode(spec.nodeName)
    try {
      await this.#context.api.delete(VOLUME_ATTACHMENTS, { name }, { preconditions: { uid } })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  /** The attachment is gone. */
  forget({ metadata: { name = '' }, spec: { nodeName } }: VolumeAttachment): void {
    this.#unwanted.delete(name)
    this.#leaving.delete(name)
    if (this.#sources.attachments.reader.by(BY_NODE, nodeName).length === 0) this.#gone.delete(nodeName)
  }

  /** It is not ready any more, whatever it said. */
  nodeGone({ metadata, spec, status: { volumesInUse } }: Node): void {
    const { name = '' } = metadata
    if (this.#sources.attachments.reader.by(BY_NODE, name).length === 0) return
    this.#gone.set(name, {
      metadata,
      spec,
      status: { ...(volumesInUse && { volumesInUse }) } as Node['status'],
    })
  }

  #tell(pods: readonly Pod[], type: 'Normal' | 'Warning', reason: string, message: string): void {
    for (const pod of pods) this.#recorder.event({ resource: PODS, object: pod }, type, reason, message)
  }
}
