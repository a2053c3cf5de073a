// Time for this room, injected: its tests do not wait.

export interface Clock {
  /** ms, never going back; where it begins does not matter. */
  now(): number
  /** Calls back once after `ms`; the function that is returned cancels it. Does not keep the process alive. */
  after(ms: number, call: () => void): () => void
}

export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  after(ms, call) {
    const timer = setTimeout(call, ms).unref()
    return () => clearTimeout(timer)
  },
}
