// Devices that pods claim: found on a node, kept for the pod while it is bound, written into the claims before.
// Follows k8s.io/kubernetes/pkg/scheduler/framework/plugins/dynamicresources.
import type { ControllerContext } from '../../client/controller.ts'
import type { AllocationResult, ResourceClaim } from '../../client/kinds/resource.v1.gen.ts'
import type { ClusterView } from '../clusterview.ts'
import type { NodeInfo } from '../nodeinfo.ts'
import type { ClusterEvent, FilterWork, Plugin, Rejection } from '../plugin.ts'
import type { PodInfo } from '../podinfo.ts'
import type { ObjectSources } from '../sources.ts'
import { Allocations } from './devices/allocations.ts'
import { allocate } from './devices/allocator.ts'
import { claimsOf, isClaimOf, ownClaimNames } from './devices/podclaims.ts'
import { type DeviceSelectors, SelectorFault } from './devices/selectors.ts'
import { deallocate, reserveClaim, unreserveClaim } from './devices/writes.ts'
import { anyTerm } from './nodeselection.ts'

export const NAME = 'DynamicResources'
/** As the API has it: a claim is used by no more pods. */
const MAX_RESERVED = 256

const rejected = (reason: string): Rejection => ({ plugin: NAME, reasons: [reason], isFinal: true })
const ELSEWHERE = rejected('resourceclaim not available on the node')
const NONE_LEFT = rejected('cannot allocate all claims')
const IN_USE = rejected('resourceclaim in use')

export interface DevicesParts {
  readonly context: ControllerContext
  readonly sources: ObjectSources
  readonly selectors: DeviceSelectors
}

/** What was found out about the pod that is looked at. */
interface Looked {
  readonly uid: string
  readonly claims: readonly ResourceClaim[]
  readonly unallocated: readonly ResourceClaim[]
  /** By the node's name, for each of `unallocated`. */
  readonly found: Map<string, readonly AllocationResult[]>
  /** Claims whose devices some node cannot reach. */
  readonly elsewhere: Set<ResourceClaim>
}

/** All profiles share what is kept. */
export function dynamicResourcesMaker(parts: DevicesParts): () => Plugin {
  const plugin = new DynamicResources(parts)
  return () => plugin
}

class DynamicResources implements Plugin {
  readonly name = NAME
  readonly #parts: DevicesParts
  readonly #allocations: Allocations
  #looked: Looked | undefined

  constructor(parts: DevicesParts) {
    this.#parts = parts
    this.#allocations = new Allocations(parts.sources)
  }

  holdsBack({ pod }: PodInfo): string | undefined {
    if (!pod.spec.resourceClaims?.length) return undefined
    if (!this.#parts.selectors.isLoaded) return 'waiting for what selects devices'
    const claims = claimsOf(pod, this.#parts.sources)
    return typeof claims === 'string' ? claims : undefined
  }

  readonly filter = ({ pod, uid }: PodInfo, { sources }: ClusterView): FilterWork | Rejection | undefined => {
    if (!pod.spec.resourceClaims?.length) return undefined
    const claims = claimsOf(pod, sources)
    if (typeof claims === 'string') return rejected(claims)
    for (const claim of claims) {
      const why = this.#refusal(claim, uid)
      if (why) return why
    }
    const unallocated = claims.filter(({ status }) => status.allocation === undefined)
    const looked: Looked = { uid, claims, unallocated, found: new Map(), elsewhere: new Set() }
    this.#looked = looked
    const places = claims.flatMap((claim) => {
      const { nodeSelector } = claim.status.allocation ?? {}
      return nodeSelector ? [{ claim, isIn: anyTerm(nodeSelector.nodeSelectorTerms) }] : []
    })
    return {
      filter: (node) => {
        const wrong = places.filter(({ isIn }) => !isIn(node.node))
        for (const { claim } of wrong) looked.elsewhere.add(claim)
        if (wrong.length > 0) return ELSEWHERE
        return unallocated.length === 0 ? undefined : this.#find(looked, node)
      },
    }
  }

  /** Why no node will do, whatever it is. */
  #refusal(claim: ResourceClaim, pod: string): Rejection | undefined {
    const { reservedFor = [], allocation } = claim.status
    const { namespace = '', name = '', uid = '' } = claim.metadata
    if (allocation) {
      const isFull = reservedFor.length >= MAX_RESERVED
      return isFull && !reservedFor.some((one) => one.uid === pod) ? IN_USE : undefined
    }
    if (this.#allocations.isPending(uid))
      return rejected(`resource claim ${namespace}/${name} is in the process of being allocated`)
    for (const { name: request, exactly, firstAvailable = [] } of claim.spec.devices.requests) {
      for (const { deviceClassName } of exactly ? [exactly] : firstAvailable) {
        if (!this.#parts.sources.deviceClass(deviceClassName))
          return rejected(`request ${request}: device class ${deviceClassName} does not exist`)
      }
    }
    return undefined
  }

  #find({ unallocated, found }: Looked, node: NodeInfo): Rejection | undefined {
    const { sources, selectors } = this.#parts
    try {
      const results = allocate(unallocated, node, {
        selectors,
        deviceClass: (name) => sources.deviceClass(name),
        slices: this.#allocations.slices(),
        taken: this.#allocations.taken(),
      })
      if (!results) return NONE_LEFT
      found.set(node.name, results)
      return undefined
    } catch (error) {
      if (error instanceof SelectorFault) throw error
      // What the claim asks of this node's devices cannot be, and may be on another one.
      return rejected(error instanceof Error ? error.message : String(error))
    }
  }

  reserve({ uid }: PodInfo, { name }: NodeInfo): void {
    const looked = this.#looked
    if (looked?.uid !== uid || looked.unallocated.length === 0) return
    const results = looked.found.get(name)
    if (!results) throw new Error('claim allocation not found for node')
    looked.unallocated.forEach((claim, i) =>
      this.#allocations.keep(claim, results[i] as AllocationResult, uid),
    )
  }

  unreserve({ pod, uid }: PodInfo): void {
    if (!pod.spec.resourceClaims?.length) return
    this.#allocations.giveBack(uid)
    const { context, sources } = this.#parts
    const claims = claimsOf(pod, sources)
    for (const claim of typeof claims === 'string' ? [] : claims) {
      if (!claim.status.reservedFor?.some((one) => one.uid === uid)) continue
      unreserveClaim(context.api, claim, uid).catch((error: unknown) =>
        context.log.warn({ claim: claim.metadata.name, error: String(error) }, 'a claim stays reserved'),
      )
    }
  }

  readonly preBind = async ({ pod }: PodInfo): Promise<void> => {
    if (!pod.spec.resourceClaims?.length) return
    const { context, sources } = this.#parts
    const claims = claimsOf(pod, sources)
    if (typeof claims === 'string') throw new Error(claims)
    for (const claim of claims) {
      if (claim.status.reservedFor?.some(({ uid }) => uid === pod.metadata.uid)) continue
      const kept = this.#allocations.keptFor(claim.metadata.uid ?? '', pod.metadata.uid ?? '')
      await reserveClaim(context.api, claim, pod, kept)
    }
  }

  readonly makeRoom = ({ pod, uid }: PodInfo): string | Promise<string> => {
    if (!pod.spec.resourceClaims?.length) return 'no new claims to deallocate'
    const looked = this.#looked?.uid === uid ? this.#looked : undefined
    const idle = [...(looked?.elsewhere ?? [])].find(({ status: { reservedFor = [] } }) =>
      reservedFor.every((one) => one.uid === uid),
    )
    if (!idle) return 'still not schedulable'
    return deallocate(this.#parts.context.api, idle).then(() => 'deallocation of ResourceClaim completed')
  }

  mayHelp(event: ClusterEvent, { pod }: PodInfo): boolean {
    switch (event.kind) {
      case 'node':
        return true
      case 'self':
        return ownClaimNames(pod).length > 0
      case 'object':
        if (event.of === 'ResourceSlice' || event.of === 'DeviceClass') return !event.isGone
        // Its own claim is there or is allocated; or another one gave back what it had.
        return (
          event.of === 'ResourceClaim' && (isClaimOf(event.object as ResourceClaim, pod) || isFreed(event))
        )
      default:
        return false
    }
  }
}

const isFreed = ({ object, isGone }: ClusterEvent & { kind: 'object' }): boolean =>
  isGone || (object as ResourceClaim).status.allocation === undefined
