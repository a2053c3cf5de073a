// Who of several endpoints gets a connection: each in its turn, or always the same for a client.
// Follows k8s.io/kubernetes/pkg/proxy's session affinity.
import type { Clock } from '../../client/clock.ts'
import type { Backend } from './backends.ts'

/** Clients that are remembered for one port; the one that came longest ago is forgotten first. */
const MAX_CLIENTS = 10_000

export class Choice {
  readonly #clock: Clock
  readonly #clients = new Map<string, { readonly backend: Backend; readonly until: number }>()
  #turn = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** All of them, in the order in which they are to be tried. */
  inOrder(backends: readonly Backend[], client: string, affinityMs: number | undefined): readonly Backend[] {
    const at = backends.length === 0 ? 0 : this.#turn++ % backends.length
    const turned = [...backends.slice(at), ...backends.slice(0, at)]
    const known = affinityMs === undefined ? undefined : this.#clients.get(client)
    if (!known || known.until < this.#clock.now()) return turned
    const { host, port } = known.backend
    const own = turned.filter((one) => one.host === host && one.port === port)
    return [...own, ...turned.filter((one) => !own.includes(one))]
  }

  /** The client's connection has come to this one. */
  keep(client: string, backend: Backend, affinityMs: number | undefined): void {
    if (affinityMs === undefined) return
    this.#clients.delete(client)
    this.#clients.set(client, { backend, until: this.#clock.now() + affinityMs })
    if (this.#clients.size > MAX_CLIENTS) this.#clients.delete(this.#clients.keys().next().value as string)
  }
}
