// Leases for keys with a time to live, shared by many keys: each lease costs etcd a commit and a timer.
// Beside the etcd engine; follows k8s.io/apiserver/pkg/storage/etcd3 (lease manager).

/** A lease lives at most this much longer than asked, so that later keys can share it. */
const REUSE_MAX_SECONDS = 60
const REUSE_SHARE = 0.05

/** Keys on one lease: they all expire in one commit of etcd. */
const KEYS_MAX = 1000

interface SharedLease {
  readonly id: Promise<string>
  /** No key that must live `ttl` seconds from later than this on may join. */
  readonly joinUntil: number
  keys: number
}

export class Leases {
  private readonly grant: (ttlSeconds: number) => Promise<string>
  private readonly byTtl = new Map<number, SharedLease>()

  /** `grant` makes a lease and answers its id. */
  constructor(grant: (ttlSeconds: number) => Promise<string>) {
    this.grant = grant
  }

  /** The id of a lease that lives `ttlSeconds` at least. */
  get(ttlSeconds: number): Promise<string> {
    const shared = this.byTtl.get(ttlSeconds)
    if (shared !== undefined && shared.keys < KEYS_MAX && Date.now() <= shared.joinUntil) {
      shared.keys++
      return shared.id
    }
    const reuse = Math.min(Math.floor(ttlSeconds * REUSE_SHARE), REUSE_MAX_SECONDS)
    const lease = {
      id: this.grant(Math.ceil(ttlSeconds) + reuse),
      joinUntil: Date.now() + reuse * 1000,
      keys: 1,
    }
    this.byTtl.set(ttlSeconds, lease)
    lease.id.catch(() => this.forget(ttlSeconds))
    return lease.id
  }

  /** The lease is gone before its time (etcd was restored, or we slept). */
  forget(ttlSeconds: number): void {
    this.byTtl.delete(ttlSeconds)
  }
}
