// The admission chain: every plugin in order, first those that change the object, later those that judge it.
// Stands in the write loop, around the registry. Follows k8s.io/apiserver/pkg/admission (chain.go).
import type { GroupResource } from '../machinery/gvk.ts'
import type { Lister } from '../machinery/lister.ts'
import type { Resource } from '../schema/resource.ts'
import { AdmissionMeters, StepMeter, type StepType } from './meters.ts'
import type { AdmissionAttributes, AdmissionPlugin, AdmissionTarget } from './plugin.ts'

type Step = (attributes: AdmissionAttributes) => void | Promise<void>

/** What one of the two steps does with one target. */
interface Steps {
  readonly steps: readonly Step[]
  readonly meter: StepMeter
}

/** The plugins that look at one target. */
interface Route {
  readonly admit: Steps
  readonly validate: Steps
  /** What they read; once it is loaded, requests need not wait for anything. */
  readonly reads: readonly GroupResource[]
  loaded: boolean
  loading: Promise<void> | undefined
}

export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[]
  readonly #lister: Lister
  readonly #meters: AdmissionMeters
  readonly #routes = new WeakMap<Resource, Map<string, Route>>()

  /** `plugins` in the order in which they run. */
  constructor(plugins: readonly AdmissionPlugin[], lister: Lister, meters = new AdmissionMeters()) {
    this.#plugins = plugins
    this.#lister = lister
    this.#meters = meters
  }

  /**
   * Lets every plugin change `attributes.object`. Returns nothing where no plugin had to wait, which is the common
   * case: await the result only where there is one. A refusal is a StatusError, thrown or rejected with.
   * Where a plugin asks for it by `attributes.reinvocation`, all of them see the object a second time.
   */
  admit(attributes: AdmissionAttributes): void | Promise<void> {
    const route = this.#routeOf(attributes)
    if (route.loaded) return admitTwice(route, attributes)
    return this.#load(route).then(() => admitTwice(route, attributes))
  }

  /** Lets every plugin judge the object as it will be stored. Returns and fails as `admit`. */
  validate(attributes: AdmissionAttributes): void | Promise<void> {
    const route = this.#routeOf(attributes)
    if (route.loaded) return run(route.validate, attributes)
    return this.#load(route).then(() => run(route.validate, attributes))
  }

  #routeOf(target: AdmissionTarget): Route {
    let routes = this.#routes.get(target.resource)
    if (!routes) this.#routes.set(target.resource, (routes = new Map()))
    const key = target.subresource === '' ? target.operation : `${target.operation}/${target.subresource}`
    let route = routes.get(key)
    if (!route) routes.set(key, (route = this.#makeRoute(target)))
    return route
  }

  #makeRoute(target: AdmissionTarget): Route {
    const lister = this.#lister
    const plugins = this.#plugins.filter((plugin) => plugin.handles(target))
    const reads = plugins.flatMap((plugin) => plugin.reads ?? [])
    const stepsOf = (type: StepType): Steps => {
      const own = plugins.filter((plugin) => plugin[type] !== undefined)
      const names = own.map(({ name }) => name)
      return {
        steps: own.map((plugin) => (attributes) => plugin[type]?.(attributes, lister)),
        meter: new StepMeter(this.#meters, { type, operation: target.operation, names }),
      }
    }
    return {
      admit: stepsOf('admit'),
      validate: stepsOf('validate'),
      ...{ reads, loaded: reads.length === 0, loading: undefined },
    }
  }

  /** One load serves all who wait for it; one that failed is tried again by the next request. */
  #load(route: Route): Promise<void> {
    route.loading ??= this.#lister
      .ready(...route.reads)
      .then(() => {
        route.loaded = true
      })
      .finally(() => {
        route.loading = undefined
      })
    return route.loading
  }
}

function admitTwice({ admit }: Route, attributes: AdmissionAttributes): void | Promise<void> {
  const pending = run(admit, attributes)
  return pending ? pending.then(() => again(admit, attributes)) : again(admit, attributes)
}

function again(steps: Steps, attributes: AdmissionAttributes): void | Promise<void> {
  const { reinvocation } = attributes
  if (!reinvocation?.wanted || reinvocation.again) return
  reinvocation.again = true
  return run(steps, attributes)
}

function run(all: Steps, attributes: AdmissionAttributes): void | Promise<void> {
  const startedAt = performance.now()
  const weight = all.meter.begins(startedAt)
  return weight === 0
    ? plain(all, 0, attributes, startedAt)
    : measured(all, 0, attributes, { startedAt, weight })
}

/** What nobody measures, but for refusals: their plugin is taken to have taken what the step did. */
function plain(
  all: Steps,
  from: number,
  attributes: AdmissionAttributes,
  startedAt: number,
): void | Promise<void> {
  const { steps } = all
  let i = from
  let pending: void | Promise<void> = undefined
  try {
    for (; i < steps.length && !pending; i++) pending = (steps[i] as Step)(attributes)
  } catch (error) {
    return refused(all, i, startedAt, error)
  }
  return pending?.then(
    () => plain(all, i, attributes, startedAt),
    (error: unknown) => refused(all, i - 1, startedAt, error),
  )
}

function refused({ meter }: Steps, index: number, startedAt: number, error: unknown): never {
  const tookMs = performance.now() - startedAt
  meter.refused(index, { pluginMs: tookMs, stepMs: tookMs }, 0)
  throw error
}

interface Measure {
  readonly startedAt: number
  /** So many runs are like this one. */
  readonly weight: number
}

function measured(
  all: Steps,
  from: number,
  attributes: AdmissionAttributes,
  measure: Measure,
): void | Promise<void> {
  const { steps, meter } = all
  const { startedAt, weight } = measure
  let at = from === 0 ? startedAt : performance.now()
  const refuse = (index: number, error: unknown): never => {
    const now = performance.now()
    meter.refused(index, { pluginMs: now - at, stepMs: now - startedAt }, weight)
    throw error
  }
  const passed = (index: number): void => {
    const now = performance.now()
    meter.pluginPassed(index, now - at, weight)
    at = now
  }
  for (let i = from; i < steps.length; i++) {
    let pending: void | Promise<void>
    try {
      pending = (steps[i] as Step)(attributes)
    } catch (error) {
      return refuse(i, error)
    }
    if (!pending) passed(i)
    else {
      const next = (): void | Promise<void> => {
        passed(i)
        return measured(all, i + 1, attributes, measure)
      }
      return pending.then(next, (error: unknown) => refuse(i, error))
    }
  }
  meter.passed(at - startedAt, weight)
}
