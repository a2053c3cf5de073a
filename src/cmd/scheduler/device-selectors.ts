// What evaluates the expressions that select devices, for the scheduler: loaded when the first class of devices is seen,
// as few clusters have any.
import type { DeviceSelectors } from '../../scheduler/plugins/devices/selectors.ts'

export function deviceSelectors(): DeviceSelectors {
  let loaded: DeviceSelectors['matches'] | undefined
  let loading: Promise<void> | undefined
  return {
    get isLoaded() {
      return loaded !== undefined
    },
    load: () =>
      (loading ??= import('./device-expressions.ts').then((found) => void (loaded = found.selectsDevice))),
    matches(expression, driver, device) {
      if (!loaded) throw new Error('what selects devices is not loaded yet')
      return loaded(expression, driver, device)
    },
  }
}
