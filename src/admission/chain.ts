// The admission chain: every plugin in order, first those that change the object, later those that judge it.
// Stands in the write loop, around the registry. Follows k8s.io/apiserver/pkg/admission (chain.go).
import type { GroupResource } from '../machinery/gvk.ts'
import type { Lister } from '../machinery/lister.ts'
import type { Resource } from '../schema/resource.ts'
import type { AdmissionAttributes, AdmissionPlugin, AdmissionTarget } from './plugin.ts'

type Step = (attributes: AdmissionAttributes) => void | Promise<void>

/** The plugins that look at one target. */
interface Route {
  readonly admit: readonly Step[]
  readonly validate: readonly Step[]
  /** What they read; once it is loaded, requests need not wait for anything. */
  readonly reads: readonly GroupResource[]
  loaded: boolean
  loading: Promise<void> | undefined
}

export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[]
  readonly #lister: Lister
  readonly #routes = new WeakMap<Resource, Map<string, Route>>()

  /** `plugins` in the order in which they run. */
  constructor(plugins: readonly AdmissionPlugin[], lister: Lister) {
    this.#plugins = plugins
    this.#lister = lister
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
    if (route.loaded) return run(route.validate, 0, attributes)
    return this.#load(route).then(() => run(route.validate, 0, attributes))
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
    const admit: Step[] = []
    const validate: Step[] = []
    const reads: GroupResource[] = []
    for (const plugin of this.#plugins) {
      if (!plugin.handles(target)) continue
      reads.push(...(plugin.reads ?? []))
      if (plugin.admit) admit.push((attributes) => plugin.admit?.(attributes, lister))
      if (plugin.validate) validate.push((attributes) => plugin.validate?.(attributes, lister))
    }
    return { admit, validate, reads, loaded: reads.length === 0, loading: undefined }
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
  const pending = run(admit, 0, attributes)
  return pending ? pending.then(() => again(admit, attributes)) : again(admit, attributes)
}

function again(steps: readonly Step[], attributes: AdmissionAttributes): void | Promise<void> {
  const { reinvocation } = attributes
  if (!reinvocation?.wanted || reinvocation.again) return
  reinvocation.again = true
  return run(steps, 0, attributes)
}

function run(steps: readonly Step[], from: number, attributes: AdmissionAttributes): void | Promise<void> {
  for (let i = from; i < steps.length; i++) {
    const pending = (steps[i] as Step)(attributes)
    if (pending) return pending.then(() => run(steps, i + 1, attributes))
  }
}
