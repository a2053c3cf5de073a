// When pods have to leave devices with taints of effect NoExecute.
// Follows k8s.io/kubernetes/pkg/controller/devicetainteviction and ToleratesTaint of dynamic-resource-allocation.
import type {
  Device,
  DeviceTaint,
  DeviceToleration,
  ResourceClaim,
  ResourceSlice,
} from '../../client/kinds/resource.v1.gen.ts'

const EFFECT = 'NoExecute'

/** "driver/pool": what devices' names are unlike in. */
export const poolKey = ({ driver, pool }: { readonly driver: string; readonly pool: string }): string =>
  `${driver}/${pool}`

export const poolOfSlice = ({ spec }: ResourceSlice): string =>
  poolKey({ driver: spec.driver, pool: spec.pool.name })

/** The device of this name, as the newest generation of its pool has it. */
export function deviceIn(slices: readonly ResourceSlice[], name: string): Device | undefined {
  const newest = Math.max(...slices.map(({ spec }) => spec.pool.generation))
  for (const { spec } of slices) {
    const device =
      spec.pool.generation === newest ? spec.devices?.find((one) => one.name === name) : undefined
    if (device) return device
  }
  return undefined
}

export function toleratesTaint(toleration: DeviceToleration, taint: DeviceTaint): boolean {
  const { key = '', operator = 'Equal', value = '', effect = '' } = toleration
  if (effect !== '' && effect !== taint.effect) return false
  if (key !== '' && key !== taint.key) return false
  return operator === 'Exists' || (operator === 'Equal' && value === (taint.value ?? ''))
}

/** When users of a device with this taint have to go, in ms since 1970; undefined: never. */
function leaveAt(taint: DeviceTaint, tolerations: readonly DeviceToleration[] = []): number | undefined {
  const added = Date.parse(taint.timeAdded ?? '')
  const from = Number.isNaN(added) ? 0 : added
  const bearing = tolerations.filter((one) => one.effect === EFFECT && toleratesTaint(one, taint))
  if (bearing.length === 0) return from
  const seconds = bearing.map(({ tolerationSeconds }) => tolerationSeconds)
  if (seconds.includes(undefined)) return undefined
  return from + Math.min(...seconds.map((one) => Math.max(one ?? 0, 0))) * 1000
}

/** The same for all of a claim's devices: the earliest. */
export function evictionOf(
  claim: ResourceClaim,
  slicesOf: (pool: string) => readonly ResourceSlice[],
): number | undefined {
  const times: number[] = []
  for (const result of claim.status?.allocation?.devices?.results ?? []) {
    const device = deviceIn(slicesOf(poolKey(result)), result.device)
    for (const taint of device?.taints ?? []) {
      const at = taint.effect === EFFECT ? leaveAt(taint, result.tolerations) : undefined
      if (at !== undefined) times.push(at)
    }
  }
  return times.length === 0 ? undefined : Math.min(...times)
}
