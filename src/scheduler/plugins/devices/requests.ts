// What a claim asks for, request by request: the alternatives of each, and which devices would do.
// Follows validateDeviceRequest and isSelectable of k8s.io/dynamic-resource-allocation/structured/internal.
import type {
  CapacityRequirements,
  DeviceClass,
  DeviceRequest,
  DeviceSubRequest,
  DeviceTaint,
  DeviceToleration,
  ExactDeviceRequest,
  ResourceClaim,
} from '../../../client/kinds/resource.v1.gen.ts'
import { type Amounts, takenOf } from './capacity.ts'
import type { Pool, PooledDevice } from './pools.ts'
import { type DeviceSelectors, selectsAll } from './selectors.ts'

/** One way of meeting a request. */
export interface Alternative {
  /** "request", or "request/alternative". */
  readonly name: string
  readonly isAdmin: boolean
  readonly tolerations: readonly DeviceToleration[]
  readonly deviceClass: DeviceClass
  /** All devices that would do are wanted, none but these. */
  readonly isAll: boolean
  readonly count: number
  readonly capacity: CapacityRequirements | undefined
  /** Those that would do, taken or not, in order. */
  readonly devices: readonly PooledDevice[]
}

export interface Demand {
  readonly request: DeviceRequest
  /** The best first. */
  readonly alternatives: readonly Alternative[]
}

export interface DemandParts {
  readonly pools: readonly Pool[]
  readonly selectors: DeviceSelectors
  /** What is taken already of devices that several may have, by their ids. */
  readonly shared: ReadonlyMap<string, Amounts>
  deviceClass(name: string): DeviceClass | undefined
}

/** Throws Error, in upstream's words, where the node cannot meet it whatever is free. */
export function demandsOf(claim: ResourceClaim, parts: DemandParts): Demand[] {
  return claim.spec.devices.requests.map((request) => {
    const { exactly, firstAvailable = [], name } = request
    if (exactly) return { request, alternatives: [alternativeOf(claim, name, exactly, parts)] }
    const alternatives = firstAvailable.map((one: DeviceSubRequest) =>
      alternativeOf(claim, `${name}/${one.name}`, one, parts),
    )
    return { request, alternatives }
  })
}

function alternativeOf(
  { metadata }: ResourceClaim,
  name: string,
  asked: ExactDeviceRequest | DeviceSubRequest,
  { pools, selectors, shared, deviceClass: classOf }: DemandParts,
): Alternative {
  const where = `claim ${metadata.namespace}/${metadata.name}, request ${name}`
  const deviceClass = classOf(asked.deviceClassName)
  if (!deviceClass) throw new Error(`${where}: could not retrieve device class ${asked.deviceClassName}`)
  const { tolerations = [], allocationMode = 'ExactCount', count = 1, capacity } = asked
  const isAll = allocationMode === 'All'
  const ofClass = { selectors, where: `class ${deviceClass.metadata.name}` }
  const ofClaim = { selectors, where: `claim ${metadata.namespace}/${metadata.name}` }
  const devices: PooledDevice[] = []
  for (const pool of pools) {
    if (isAll && (pool.isIncomplete || pool.isInvalid)) {
      const state = pool.isIncomplete ? 'being updated' : 'invalid'
      throw new Error(`${where}: asks for all devices, but resource pool ${pool.name} is currently ${state}`)
    }
    if (pool.isIncomplete || pool.isInvalid) continue
    for (const one of pool.devices) {
      const { driver, device } = one
      const isSelected =
        selectsAll(deviceClass.spec.selectors, ofClass, driver, device) &&
        selectsAll(asked.selectors, ofClaim, driver, device)
      // All are all of those that have as much left as is asked for.
      const isLeft = !isAll || takenOf(device, capacity, shared.get(one.id)) !== undefined
      if (isSelected && isLeft && isTolerated(device.taints, tolerations)) devices.push(one)
    }
  }
  const isAdmin = 'adminAccess' in asked && asked.adminAccess === true
  return {
    ...{ name, isAdmin, tolerations, deviceClass, isAll, devices, capacity },
    count: isAll ? devices.length : count,
  }
}

const EFFECTS = ['NoSchedule', 'NoExecute']

function isTolerated(taints: readonly DeviceTaint[] = [], tolerations: readonly DeviceToleration[]): boolean {
  return taints.every(
    (taint) => !EFFECTS.includes(taint.effect) || tolerations.some((one) => tolerates(one, taint)),
  )
}

function tolerates(
  { key, operator = 'Equal', value = '', effect }: DeviceToleration,
  taint: DeviceTaint,
): boolean {
  if (effect && effect !== taint.effect) return false
  if (key && key !== taint.key) return false
  return operator === 'Exists' || (operator === 'Equal' && Boolean(key) && value === (taint.value ?? ''))
}
