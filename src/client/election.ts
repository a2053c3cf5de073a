// One of several processes works, by a Lease that it renews; when it stops renewing, another takes over.
// Follows k8s.io/client-go/tools/leaderelection.
import { type Api, isAlreadyExists, isConflict, isNotFound } from './api.ts'
import { type Clock, microTimeOf, sleep } from './clock.ts'
import type { Lease, LeaseSpec } from './kinds/coordination.v1.gen.ts'
import { LEASES } from './resources.ts'

export interface ElectionOptions {
  readonly api: Api
  readonly clock: Clock
  /** Of the lease: "kube-controller-manager" in "kube-system". */
  readonly namespace: string
  readonly name: string
  /** Of this process, unlike every other's. */
  readonly identity: string
  /** Upstream's defaults are 15, 10 and 2 s. */
  readonly leaseSeconds: number
  readonly renewDeadlineSeconds: number
  readonly retrySeconds: number
}

/** What a candidate saw last, and when: the holder's own clock does not count. */
interface Observed {
  spec: LeaseSpec
  at: number
}

/**
 * Waits to be the leader, then runs `lead` until it ends or the lease is lost: then its signal aborts. Resolves when
 * `lead` is over, and the lease given back where it was still held. Rejects with what `lead` rejects with.
 */
export async function lead(
  options: ElectionOptions,
  work: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const candidate = new Candidate(options)
  const { clock, retrySeconds } = options
  while (!signal.aborted && !(await candidate.tryAcquireOrRenew())) {
    await sleep(clock, retrySeconds * 1000 * (1 + Math.random() * 0.2), signal)
  }
  if (signal.aborted) return
  const leading = new AbortController()
  const stop = (): void => leading.abort()
  signal.addEventListener('abort', stop, { once: true })
  const renewing = renew(candidate, options, leading)
  try {
    await work(leading.signal)
  } finally {
    signal.removeEventListener('abort', stop)
    stop()
    await renewing
    await candidate.release()
  }
}

async function renew(
  candidate: Candidate,
  options: ElectionOptions,
  leading: AbortController,
): Promise<void> {
  const { clock, retrySeconds, renewDeadlineSeconds } = options
  let renewedAt = clock.now()
  while (!leading.signal.aborted) {
    await sleep(clock, retrySeconds * 1000, leading.signal)
    if (leading.signal.aborted) return
    if (await candidate.tryAcquireOrRenew()) renewedAt = clock.now()
    else if (clock.now() - renewedAt > renewDeadlineSeconds * 1000) leading.abort()
  }
}

class Candidate {
  readonly #options: ElectionOptions
  #observed: Observed | undefined

  constructor(options: ElectionOptions) {
    this.#options = options
  }

  /** Whether the lease is ours now. Failures of the server are a no. */
  async tryAcquireOrRenew(): Promise<boolean> {
    try {
      return await this.#try()
    } catch {
      return false
    }
  }

  async #try(): Promise<boolean> {
    const { api, namespace, name, identity } = this.#options
    let lease: Lease
    try {
      lease = await api.get(LEASES, { namespace, name })
    } catch (error) {
      if (!isNotFound(error)) throw error
      return this.#write(() =>
        api.create(LEASES, { metadata: { namespace, name }, spec: this.#spec(undefined) }),
      )
    }
    const spec: LeaseSpec = lease.spec ?? {}
    this.#observe(spec)
    if (spec.holderIdentity && spec.holderIdentity !== identity && !this.#isOver(spec)) return false
    return this.#write(() => api.update(LEASES, { ...lease, spec: this.#spec(spec) }))
  }

  /** Gives the lease back, so that the next needs not wait for its end. */
  async release(): Promise<void> {
    const { api, namespace, name, identity } = this.#options
    try {
      const lease = await api.get(LEASES, { namespace, name })
      if (lease.spec?.holderIdentity !== identity) return
      const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 }
      await api.update(LEASES, { ...lease, spec })
    } catch {
      // It ends by itself.
    }
  }

  async #write(write: () => Promise<Lease>): Promise<boolean> {
    try {
      this.#observe((await write()).spec ?? {})
      return true
    } catch (error) {
      if (isConflict(error) || isAlreadyExists(error)) return false
      throw error
    }
  }

  #observe(spec: LeaseSpec): void {
    if (JSON.stringify(this.#observed?.spec) === JSON.stringify(spec)) return
    this.#observed = { spec, at: this.#options.clock.now() }
  }

  #isOver(spec: LeaseSpec): boolean {
    const seconds = spec.leaseDurationSeconds ?? this.#options.leaseSeconds
    return this.#observed === undefined || this.#observed.at + seconds * 1000 <= this.#options.clock.now()
  }

  #spec(before: LeaseSpec | undefined): LeaseSpec {
    const { identity, leaseSeconds, clock } = this.#options
    const now = microTimeOf(clock)
    const isOurs = before?.holderIdentity === identity
    return {
      holderIdentity: identity,
      leaseDurationSeconds: leaseSeconds,
      acquireTime: isOurs ? before.acquireTime : now,
      renewTime: now,
      leaseTransitions: before === undefined ? 0 : (before.leaseTransitions ?? 0) + (isOurs ? 0 : 1),
    }
  }
}
