// The scale subresource of whatever an autoscaler names. Follows k8s.io/client-go/scale and its use in
// k8s.io/kubernetes/pkg/controller/podautoscaler/horizontal.go.
import { type Api, isConflict } from '../../client/api.ts'
import { type Clock, sleep } from '../../client/clock.ts'
import { discover, type Discovered } from '../../client/discovery.ts'
import type { Scale } from '../../client/kinds/autoscaling.v1.gen.ts'
import type { CrossVersionObjectReference } from '../../client/kinds/autoscaling.v2.gen.ts'
import { pathOf, type Resource } from '../../client/resource.ts'

/** What a server serves is asked for again after so long, or when a kind is missing. */
const KNOWN_MS = 30_000
/** As upstream's retries of conflicts. */
const TRIES = 5
const PAUSE_MS = 10

/** Throws an Error in upstream's words for what is no version of a group. */
export function groupIn(apiVersion = ''): string {
  const parts = apiVersion.split('/')
  if (parts.length > 2) throw new Error(`unexpected GroupVersion string: ${apiVersion}`)
  return parts.length === 2 ? (parts[0] ?? '') : ''
}

export class Scales {
  readonly #api: Api
  readonly #clock: Clock
  #known: Promise<Discovered> | undefined
  #knownAt = -Infinity

  constructor(api: Api, clock: Clock) {
    this.#api = api
    this.#clock = clock
  }

  /** The resource of a kind in whatever version its group prefers. Rejects in upstream's words where there is none. */
  async resolve({ apiVersion, kind }: CrossVersionObjectReference): Promise<Resource> {
    const group = groupIn(apiVersion)
    const find = ({ resources }: Discovered): Resource | undefined =>
      resources.find((one) => one.group === group && one.kind === kind && one.verbs.has('get'))
    const found = find(await this.#discovered(KNOWN_MS)) ?? find(await this.#discovered(0))
    if (found) return found
    throw new Error(`no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`)
  }

  get(resource: Resource, namespace: string, name: string): Promise<Scale> {
    return this.#api.raw(pathOf(resource, namespace, name, 'scale')) as unknown as Promise<Scale>
  }

  /** Sets the number; where others write too, on the newest version. */
  async set(resource: Resource, scale: Scale, replicas: number, signal: AbortSignal): Promise<void> {
    const { namespace = '', name = '' } = scale.metadata
    let latest = scale
    for (let tries = 1; ; tries++) {
      try {
        const body = { ...latest, spec: { ...latest.spec, replicas } }
        await this.#api.put(resource, { namespace, name, subresource: 'scale' }, body)
        return
      } catch (error) {
        if (!isConflict(error) || tries === TRIES) throw error
      }
      await sleep(this.#clock, PAUSE_MS, signal)
      latest = await this.get(resource, namespace, name).catch(() => latest)
    }
  }

  #discovered(maxAgeMs: number): Promise<Discovered> {
    const now = this.#clock.now()
    if (this.#known && now - this.#knownAt < maxAgeMs) return this.#known
    this.#knownAt = now
    const asked = discover(this.#api)
    this.#known = asked
    asked.catch(() => {
      if (this.#known === asked) this.#known = undefined
    })
    return asked
  }
}

/** "ingresses.networking.k8s.io" */
export const qualified = ({ resource, group }: Resource): string =>
  group === '' ? resource : `${resource}.${group}`
