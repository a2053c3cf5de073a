// What evaluates the expressions that select devices. It is given from outside: CEL is no room of the scheduler's.
// Follows the role of k8s.io/dynamic-resource-allocation/cel.
import type { Device, DeviceSelector } from '../../../client/kinds/resource.v1.gen.ts'

export interface DeviceSelectors {
  readonly isLoaded: boolean
  /** To be called, and waited for, before `matches`. */
  load(): Promise<void>
  /** Throws Error where the expression cannot be compiled or evaluated for this device. */
  matches(expression: string, driver: string, device: Device): boolean
}

/** Whether all of them select the device. Throws as `matches`. */
export const selectsAll = (
  list: readonly DeviceSelector[] | undefined,
  selectors: DeviceSelectors,
  driver: string,
  device: Device,
): boolean =>
  (list ?? []).every(({ cel }) => cel !== undefined && selectors.matches(cel.expression, driver, device))
