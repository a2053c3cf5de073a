// When keys with a time to live are due: kept in memory for engines whose expiries are in memory.
// Stands beside the memory engine; follows etcd's server/lease (expiry in whole seconds, never early).

/** Timers cannot wait longer than a signed 32-bit number of milliseconds. */
const TIMER_MAX_MS = 2 ** 31 - 1

export class ExpiryQueue {
  /** Keys by the second (since the epoch) in which they are due: entries per second are few, seconds too. */
  private readonly due = new Map<number, Set<string>>()
  private readonly expire: (key: string) => void
  private timer: NodeJS.Timeout | undefined
  private timerSecond = Infinity

  /** `expire` is called once for each key whose time has come. */
  constructor(expire: (key: string) => void) {
    this.expire = expire
  }

  /** Returns the second in which `key` will be due: what {@link remove} needs. */
  add(key: string, ttlSeconds: number): number {
    const second = Math.ceil(Date.now() / 1000 + ttlSeconds)
    const keys = this.due.get(second)
    if (keys === undefined) this.due.set(second, new Set([key]))
    else keys.add(key)
    if (second < this.timerSecond) this.arm(second)
    return second
  }

  remove(key: string, second: number): void {
    const keys = this.due.get(second)
    if (keys?.delete(key) === true && keys.size === 0) this.due.delete(second)
  }

  stop(): void {
    clearTimeout(this.timer)
    this.due.clear()
  }

  private arm(second: number): void {
    clearTimeout(this.timer)
    this.timerSecond = second
    const wait = Math.min(Math.max(second * 1000 - Date.now(), 0), TIMER_MAX_MS)
    this.timer = setTimeout(() => this.fire(), wait)
    this.timer.unref()
  }

  private fire(): void {
    const now = Date.now() / 1000
    this.timerSecond = Infinity
    let next = Infinity
    for (const [second, keys] of [...this.due]) {
      if (second > now) {
        next = Math.min(next, second)
        continue
      }
      this.due.delete(second)
      for (const key of keys) this.expire(key)
    }
    if (next < this.timerSecond) this.arm(next)
  }
}
