// Devices that are made ready after they were handed out: their drivers say so in conditions of the claim's status, and
// the pod is bound when all are true.
// Follows isClaimReadyForBinding and PreBind of k8s.io/kubernetes/pkg/scheduler/framework/plugins/dynamicresources.
import { type Clock, sleep } from '../../../client/clock.ts'
import type {
  AllocatedDeviceStatus,
  DeviceRequestAllocationResult,
  ResourceClaim,
} from '../../../client/kinds/resource.v1.gen.ts'

/** How often claims are looked at, in the scheduler's own copies. */
const LOOK_MS = 200

export const hasConditions = ({ status }: ResourceClaim): boolean =>
  status.allocation?.devices.results?.some(({ bindingConditions = [] }) => bindingConditions.length > 0) ===
  true

/** Whether its devices are ready; throws Error, in upstream's words, where one of them will not be. */
export function isReady(claim: ResourceClaim): boolean {
  const { allocation, devices = [] } = claim.status
  if (!allocation) return false
  return (allocation.devices.results ?? []).every((one) => {
    const { bindingConditions = [], bindingFailureConditions = [] } = one
    if (bindingConditions.length === 0) return true
    const status = devices.find((device) => isOf(device, one))
    if (!status) return false
    const found = (type: string) => status.conditions.find((condition) => condition.type === type)
    for (const type of bindingFailureConditions) {
      const failed = found(type)
      if (failed?.status !== 'True') continue
      const why = `claim=${claim.metadata.name}, reason=${failed.reason}, message=${JSON.stringify(failed.message)}`
      throw new Error(`device binding failed: ${why}`)
    }
    return bindingConditions.every((type) => found(type)?.status === 'True')
  })
}

const isOf = (
  { driver, pool, device, shareID }: AllocatedDeviceStatus,
  one: DeviceRequestAllocationResult,
): boolean =>
  driver === one.driver &&
  pool === one.pool &&
  device === one.device &&
  (shareID ?? one.shareID) === one.shareID

/** Whether its devices had as much time as they may have. */
export function isLate(claim: ResourceClaim, now: number, timeoutMs: number): boolean {
  const since = claim.status.allocation?.allocationTimestamp
  return since !== undefined && hasConditions(claim) && Date.parse(since) + timeoutMs < now
}

/** Its devices failed, or took too long: it has to be taken back before the pod can have others. */
export function isBroken(claim: ResourceClaim, now: number, timeoutMs: number): boolean {
  try {
    return claim.status.allocation !== undefined && !isReady(claim) && isLate(claim, now, timeoutMs)
  } catch {
    return true
  }
}

export interface Waiting {
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** The claims as they are now. Throws Error where one of them is gone. */
  claims(): readonly ResourceClaim[]
}

/** Waits until the devices of all claims are ready. Rejects in upstream's words where they will not be, or not in time. */
export async function untilReady({ clock, timeoutMs, signal, claims }: Waiting): Promise<void> {
  const end = clock.now() + timeoutMs
  for (;;) {
    const waiting = claims().filter((claim) => !isReady(claim))
    if (waiting.length === 0) return
    const late = waiting.find((claim) => isLate(claim, clock.now(), timeoutMs))
    if (late) throw new Error(`device binding timeout: claim=${late.metadata.name}`)
    if (clock.now() > end) throw new Error('device binding timeout: context deadline exceeded')
    await sleep(clock, LOOK_MS, signal)
    if (signal.aborted) throw new Error('context canceled')
  }
}
