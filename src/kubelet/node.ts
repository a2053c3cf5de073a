// One simulated node: its registration, its lease, its status.
// Follows k8s.io/kubernetes/pkg/kubelet (kubelet_node_status.go) and k8s.io/component-helpers/apimachinery/lease.
import { type Api, isAlreadyExists, isConflict, isNotFound } from '../client/api.ts'
import { type Clock, microTimeOf } from '../client/clock.ts'
import type { ControllerLog } from '../client/controller.ts'
import type { Lease } from '../client/kinds/coordination.v1.gen.ts'
import type { Node } from '../client/kinds/core.v1.gen.ts'
import type { EventRecorder } from '../client/recorder.ts'
import { LEASES, NODES } from '../client/resources.ts'
import { machineOf } from '../client/simulated.ts'
import { type Range, parseRange, PodAddresses } from './addresses.ts'
import { HostPorts } from './hostports.ts'
import { type NodeSpecimen, nodeObject, nodeStatus } from './nodeobject.ts'
import { NodeVolumes } from './nodevolumes.ts'
import type { Disk } from './programs.ts'
import { NodeRoom } from './room.ts'

const LEASE_NAMESPACE = 'kube-node-lease'
/** As upstream: leases of 40 s, renewed each 10 s; an unchanged status is written again after 5 minutes. */
const LEASE_SECONDS = 40
export const HEARTBEAT_MS = 10_000
const STATUS_REPORT_MS = 300_000

export interface NodeParts {
  readonly api: Api
  readonly clock: Clock
  readonly log: ControllerLog
  readonly recorder: EventRecorder
}

export class SimulatedNode {
  readonly specimen: NodeSpecimen
  readonly api: Api
  readonly recorder: EventRecorder
  /** What hostPath volumes of its pods hold. */
  readonly files: Disk = new Map()
  readonly ports = new HostPorts()
  readonly room = new NodeRoom()
  readonly volumes = new NodeVolumes()
  readonly #clock: Clock
  readonly #log: ControllerLog
  #addresses: PodAddresses | undefined
  #node: Node | undefined
  #lease: Lease | undefined
  #reportedAt = 0
  #isBeating = false
  #reportsVolumes: Promise<void> | undefined

  constructor(specimen: NodeSpecimen, { api, clock, log, recorder }: NodeParts) {
    this.specimen = specimen
    this.api = api
    this.recorder = recorder
    this.#clock = clock
    this.#log = log
  }

  get name(): string {
    return this.specimen.name
  }

  /** The Node object as it was seen last. */
  get node(): Node | undefined {
    return this.#node
  }

  /** Its machine is switched off, or gone: nothing happens on it. */
  get isOff(): boolean {
    return this.#node !== undefined && machineOf(this.#node) !== 'on'
  }

  /** Where its pods get their addresses; undefined until the node has a range. */
  get addresses(): PodAddresses | undefined {
    const cidr = this.#node?.spec.podCIDR
    const range: Range | undefined = cidr === undefined ? undefined : parseRange(cidr)
    if (range) this.#addresses ??= new PodAddresses(range)
    return this.#addresses
  }

  /** Makes the Node object, or takes over the one that is there; then a lease. Rejects with what the server refuses. */
  async register(): Promise<void> {
    const now = this.#clock.now()
    try {
      this.#node = await this.api.create(NODES, nodeObject(this.specimen, now))
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
      this.#node = await this.api.get(NODES, { name: this.name })
      await this.#reportStatus()
    }
    this.#reportedAt = now
    await this.#renew()
  }

  /** The Node object as it is now; as it was seen last where it cannot be read. */
  async latest(): Promise<Node | undefined> {
    try {
      this.#node = await this.api.get(NODES, { name: this.name })
    } catch (error) {
      this.#log.warn({ node: this.name, error: String(error) }, 'could not read the node')
    }
    return this.#node
  }

  /** The object as others changed it. Its range may come late. */
  seen(node: Node): void {
    this.#node = node
  }

  /** Whether all of these volumes are attached, as the status says that others write. */
  hasAttached(names: Iterable<string>): boolean {
    const attached = new Set(this.#node?.status.volumesAttached?.map(({ name }) => name))
    return [...names].every((name) => attached.has(name))
  }

  /** Tells which volumes are in use, where that is new. One write at a time; those that fail come again with a heartbeat. */
  async reportVolumes(): Promise<void> {
    while (!this.isOff && this.#node && !isSame(this.volumes.names(), this.#node.status.volumesInUse)) {
      this.#reportsVolumes ??= this.#writeVolumes().finally(() => (this.#reportsVolumes = undefined))
      await this.#reportsVolumes
    }
  }

  async #writeVolumes(): Promise<void> {
    const names = this.volumes.names()
    const body = { status: { volumesInUse: names.length === 0 ? null : names } }
    this.#node = await this.api.patch(NODES, { name: this.name, subresource: 'status' }, body, {
      type: 'strategic',
    })
  }

  /** Called once in each period. Failures are told of and come again with the next. */
  beat(): void {
    if (this.#isBeating || this.isOff) return
    this.#isBeating = true
    this.#beat()
      .catch((error: unknown) =>
        this.#log.warn({ node: this.name, error: String(error) }, 'a heartbeat failed'),
      )
      .finally(() => (this.#isBeating = false))
  }

  async #beat(): Promise<void> {
    await this.#renew()
    if (this.#clock.now() - this.#reportedAt >= STATUS_REPORT_MS || this.#isDoubted())
      await this.#reportStatus()
    await this.reportVolumes()
  }

  /** Somebody, the node life-cycle controller, wrote that the node is gone. */
  #isDoubted(): boolean {
    return this.#node?.status.conditions?.find(({ type }) => type === 'Ready')?.status !== 'True'
  }

  async #reportStatus(): Promise<void> {
    const now = this.#clock.now()
    const { images: _, ...status } = nodeStatus(this.specimen, now, this.#node?.status.conditions)
    const body = { status } as never
    this.#node = await this.api.patch(NODES, { name: this.name, subresource: 'status' }, body, {
      type: 'strategic',
    })
    this.#reportedAt = now
  }

  async #renew(): Promise<void> {
    const known = this.#lease
    try {
      this.#lease = known ? await this.api.update(LEASES, this.#leaseNow(known)) : await this.#firstLease()
    } catch (error) {
      // Somebody else wrote or deleted it: read it anew.
      this.#lease = undefined
      if (!isConflict(error) && !isNotFound(error)) throw error
      this.#lease = await this.#firstLease()
    }
  }

  async #firstLease(): Promise<Lease> {
    const metadata = { namespace: LEASE_NAMESPACE, name: this.name }
    try {
      return await this.api.create(LEASES, this.#leaseNow({ metadata, spec: {} }))
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
      return this.api.update(LEASES, this.#leaseNow(await this.api.get(LEASES, metadata)))
    }
  }

  #leaseNow(lease: Lease): Lease {
    const { uid = '' } = this.#node?.metadata ?? {}
    const owner = { apiVersion: 'v1', kind: 'Node', name: this.name, uid }
    const { managedFields: _, ...metadata } = lease.metadata
    return {
      metadata: { ...metadata, ownerReferences: [owner] },
      spec: {
        holderIdentity: this.name,
        leaseDurationSeconds: LEASE_SECONDS,
        renewTime: microTimeOf(this.#clock),
      },
    }
  }
}

const isSame = (names: readonly string[], others: readonly string[] = []): boolean =>
  names.length === others.length && names.every((name, i) => name === others[i])
