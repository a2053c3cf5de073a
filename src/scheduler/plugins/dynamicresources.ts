// Devices that pods claim: found on a node, kept for the pod while it is bound, written into the claims before.
// Follows k8s.io/kubernetes/pkg/scheduler/framework/plugins/dynamicresources.
import type { ControllerContext } from '../../client/controller.ts'
import type { AllocationResult, ResourceClaim } from '../../client/kinds/resource.v1.gen.ts'
import type { ClusterView } from '../clusterview.ts'
import type { NodeInfo } from '../nodeinfo.ts'
import {
  type ClusterEvent,
  type FilterWork,
  normalizeToMax,
  type Plugin,
  type Rejection,
  type ScoreWork,
} from '../plugin.ts'
import type { PodInfo } from '../podinfo.ts'
import type { ObjectSources } from '../sources.ts'
import type { PluginArgs } from '../config/args.ts'
import { Allocations, type InUse } from './devices/allocations.ts'
import { allocate } from './devices/allocator.ts'
import { alternativesScore, hasAlternatives } from './devices/alternatives.ts'
import { hasConditions, isBroken, untilReady } from './devices/binding.ts'
import {
  backedResources,
  extendedClaim,
  extendedClaimOf,
  extendedRequests,
  isDelegated,
} from './devices/extended.ts'
import { deleteClaim, ExtendedClaims, type Wanted } from './devices/extendedclaims.ts'
import { claimsOf, isClaimOf, ownClaimNames } from './devices/podclaims.ts'
import { type DeviceSelectors, SelectorFault } from './devices/selectors.ts'
import { deallocate, reserveClaim, unreserveClaim } from './devices/writes.ts'
import { PODS } from '../../client/resources.ts'
import { anyTerm } from './nodeselection.ts'

export const NAME = 'DynamicResources'
/** As the API has it: a claim is used by no more pods. */
const MAX_RESERVED = 256

const rejected = (reason: string): Rejection => ({ plugin: NAME, reasons: [reason], isFinal: true })
const ELSEWHERE = rejected('resourceclaim not available on the node')
const NONE_LEFT = rejected('cannot allocate all claims')
const UNUSABLE = rejected('cannot schedule extended resource claim')
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
  /** Claims whose devices some node cannot reach, or will not be ready. */
  readonly elsewhere: Set<ResourceClaim>
  /** What others have. */
  readonly inUse: InUse
  /** What the pod asks for that devices may stand for, and the claim that was made for it before. */
  readonly backed: readonly string[]
  readonly made: ResourceClaim | undefined
  /** By the node's name: the claim that is made where the pod goes there. */
  readonly wanted: Map<string, Wanted>
}

/** All profiles share what is kept. */
export function dynamicResourcesMaker(parts: DevicesParts): (args: PluginArgs) => Plugin {
  const allocations = new Allocations(parts.sources)
  return ({ DynamicResources: { bindingTimeout } }) =>
    new DynamicResources(parts, allocations, bindingTimeout)
}

class DynamicResources implements Plugin {
  readonly name = NAME
  readonly #parts: DevicesParts
  readonly #allocations: Allocations
  readonly #bindingTimeoutMs: number
  readonly #extended: ExtendedClaims
  #looked: Looked | undefined

  constructor(parts: DevicesParts, allocations: Allocations, bindingTimeoutMs: number) {
    this.#parts = parts
    this.#allocations = allocations
    this.#extended = new ExtendedClaims(allocations)
    this.#bindingTimeoutMs = bindingTimeoutMs
  }

  #isConcerned(pod: PodInfo): boolean {
    return (
      (pod.pod.spec.resourceClaims?.length ?? 0) > 0 || backedResources(pod, this.#parts.sources).length > 0
    )
  }

  holdsBack(info: PodInfo): string | undefined {
    const { pod } = info
    if (!this.#isConcerned(info)) return undefined
    if (!this.#parts.selectors.isLoaded) return 'waiting for what selects devices'
    const claims = claimsOf(pod, this.#parts.sources)
    return typeof claims === 'string' ? claims : undefined
  }

  readonly filter = (info: PodInfo, { sources }: ClusterView): FilterWork | Rejection | undefined => {
    const { pod, uid } = info
    if (!this.#isConcerned(info)) return undefined
    const claims = claimsOf(pod, sources)
    if (typeof claims === 'string') return rejected(claims)
    for (const claim of claims) {
      const why = this.#refusal(claim, uid)
      if (why) return why
    }
    const unallocated = claims.filter(({ status }) => status.allocation === undefined)
    const now = this.#parts.context.clock.now()
    const broken = claims.filter((claim) => isBroken(claim, now, this.#bindingTimeoutMs))
    const looked: Looked = {
      ...{ uid, claims, unallocated, found: new Map(), elsewhere: new Set(broken) },
      ...{ inUse: this.#allocations.inUse(), backed: backedResources(info, sources), wanted: new Map() },
      made: extendedClaimOf(info, sources.resourceClaims()),
    }
    this.#looked = looked
    const places = claims.flatMap((claim) => {
      const { nodeSelector } = claim.status.allocation ?? {}
      return nodeSelector ? [{ claim, isIn: anyTerm(nodeSelector.nodeSelectorTerms) }] : []
    })
    return {
      filter: (node) => {
        const wrong = places.filter(({ isIn }) => !isIn(node.node))
        for (const { claim } of wrong) looked.elsewhere.add(claim)
        if (wrong.length + broken.length > 0) return ELSEWHERE
        return this.#find(info, looked, node)
      },
    }
  }

  readonly score = {
    weight: 1,
    prepare: ({ uid }: PodInfo): ScoreWork | undefined => {
      const looked = this.#looked
      if (looked?.uid !== uid || !looked.claims.some(hasAlternatives)) return undefined
      const { claims, unallocated, found } = looked
      return {
        score: ({ name }) => {
          const results = found.get(name) ?? []
          return alternativesScore(
            claims.map((claim) => [claim, claim.status.allocation ?? results[unallocated.indexOf(claim)]]),
          )
        },
        normalize: (scores) => normalizeToMax(scores),
      }
    },
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

  #find(pod: PodInfo, looked: Looked, node: NodeInfo): Rejection | undefined {
    const { unallocated, found, inUse } = looked
    const { sources, selectors } = this.#parts
    const extended = this.#wantedOn(pod, looked, node)
    if (extended && looked.made) return UNUSABLE
    const claims = extended ? [...unallocated, extended.claim] : unallocated
    if (claims.length === 0) return undefined
    try {
      const results = allocate(claims, node, {
        selectors,
        deviceClass: (name) => sources.deviceClass(name),
        slices: this.#allocations.slices(),
        ...inUse,
      })
      if (!results) return NONE_LEFT
      found.set(node.name, results)
      if (extended) looked.wanted.set(node.name, extended)
      return undefined
    } catch (error) {
      if (error instanceof SelectorFault) throw error
      // What the claim asks of this node's devices cannot be, and may be on another one.
      return rejected(error instanceof Error ? error.message : String(error))
    }
  }

  /** What stands for the pod's extended resources that the node itself has none of. */
  #wantedOn(pod: PodInfo, { backed }: Looked, node: NodeInfo): Wanted | undefined {
    const delegated = backed.filter((name) => isDelegated(name, node))
    if (delegated.length === 0) return undefined
    const { sources } = this.#parts
    const { requests, mappings } = extendedRequests(pod.pod, delegated, (name) =>
      sources.classForResource(name),
    )
    return { claim: extendedClaim(pod, requests), mappings }
  }

  reserve({ uid }: PodInfo, { name }: NodeInfo): void {
    const looked = this.#looked
    const extended = looked?.wanted.get(name)
    if (looked?.uid !== uid || (looked.unallocated.length === 0 && !extended)) return
    const results = looked.found.get(name)
    if (!results) throw new Error('claim allocation not found for node')
    looked.unallocated.forEach((claim, i) =>
      this.#allocations.keep(claim, results[i] as AllocationResult, uid),
    )
    const last = results[looked.unallocated.length]
    if (extended && last) this.#extended.decide(uid, extended, last)
  }

  unreserve(info: PodInfo): void {
    const { pod, uid } = info
    if (!this.#isConcerned(info)) return
    this.#allocations.giveBack(uid)
    const { context, sources } = this.#parts
    const made = this.#extended.madeFor(uid) ?? extendedClaimOf(info, sources.resourceClaims())
    this.#extended.done(uid)
    if (made) {
      deleteClaim(made, context.api).catch((error: unknown) =>
        context.log.warn({ claim: made.metadata.name, error: String(error) }, 'a claim is not deleted'),
      )
    }
    const claims = claimsOf(pod, sources)
    for (const claim of typeof claims === 'string' ? [] : claims) {
      if (!claim.status.reservedFor?.some((one) => one.uid === uid)) continue
      unreserveClaim(context.api, claim, uid).catch((error: unknown) =>
        context.log.warn({ claim: claim.metadata.name, error: String(error) }, 'a claim stays reserved'),
      )
    }
  }

  readonly preBind = async (info: PodInfo, node: NodeInfo, signal: AbortSignal): Promise<void> => {
    const { pod, uid: podUid } = info
    if (!this.#isConcerned(info)) return
    const { context, sources } = this.#parts
    const { clock, recorder } = context
    const claims = (): ResourceClaim[] => {
      const found = claimsOf(pod, sources)
      if (typeof found === 'string') throw new Error(found)
      return found
    }
    const reserved: ResourceClaim[] = []
    for (const claim of claims()) {
      const isUsed = claim.status.reservedFor?.some(({ uid }) => uid === pod.metadata.uid)
      const kept = this.#allocations.keptFor(claim.metadata.uid ?? '', pod.metadata.uid ?? '')
      reserved.push(isUsed ? claim : await reserveClaim({ api: context.api, clock }, claim, pod, kept))
    }
    const made = await this.#extended.make(pod, context)
    if (made) reserved.push(made)
    if (!reserved.some(hasConditions)) return this.#extended.done(podUid)
    const message = `waiting for binding conditions for device on node ${node.name}`
    recorder.event({ resource: PODS, object: pod }, 'Normal', 'BindingConditionsPending', message)
    const { namespace = '', name = '' } = made?.metadata ?? {}
    const all = (): ResourceClaim[] => [
      ...claims(),
      ...(made ? [sources.resourceClaim(namespace, name) ?? made] : []),
    ]
    await untilReady({ clock, timeoutMs: this.#bindingTimeoutMs, signal, claims: all })
    this.#extended.done(podUid)
  }

  readonly makeRoom = (info: PodInfo): string | Promise<string> => {
    const { uid } = info
    if (!this.#isConcerned(info)) return 'no new claims to deallocate'
    const looked = this.#looked?.uid === uid ? this.#looked : undefined
    const idle = [...(looked?.elsewhere ?? [])].find(({ status: { reservedFor = [] } }) =>
      reservedFor.every((one) => one.uid === uid),
    )
    const { api } = this.#parts.context
    if (idle) return deallocate(api, idle).then(() => 'deallocation of ResourceClaim completed')
    if (!looked?.made) return 'still not schedulable'
    return deleteClaim(looked.made, api).then(() => 'deletion of ResourceClaim completed')
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
