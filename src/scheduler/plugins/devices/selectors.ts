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

/** An expression that fails is the fault of who wrote it, whatever other nodes have: the pod is not scheduled. */
export class SelectorFault extends Error {}

/** Whether all of them select the device. Throws {@link SelectorFault}, which begins with `where` the selectors stand. */
export function selectsAll(
  list: readonly DeviceSelector[] | undefined,
  { selectors, where }: { readonly selectors: DeviceSelectors; readonly where: string },
  driver: string,
  device: Device,
): boolean {
  return (list ?? []).every(({ cel }, index) => {
    if (cel === undefined) return false
    try {
      return selectors.matches(cel.expression, driver, device)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new SelectorFault(`${where}: selector #${index}: CEL runtime error: ${why}`)
    }
  })
}
