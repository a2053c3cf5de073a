// Work on one request that would hold up all others: it is done in turns. What takes long is made of units (a rule that
// is compiled, a pattern that is searched for) whose outcomes are kept while the work lasts. When a turn has been long
// enough, the work is broken off; others have theirs; then it begins again, and comes to where it was at once, since the
// units that were done are known.
//
// A goroutine would be preempted here: upstream needs nothing like it.
import { performance } from 'node:perf_hooks'
import { type StatusError, timedOut } from '../machinery/status.ts'

/** What one turn may take, in milliseconds: what others hardly notice, and far more than it takes to begin again. */
const TURN_MS = 20
/** How long requests may take, upstream: what is not done by then is not worth it any more. */
const LONGEST_MS = 60_000

/** Whoever catches it (inTurns alone) awaits `rest`, and does the same again. */
class TurnOver extends Error {
  readonly rest: () => Promise<void>

  constructor(rest: () => Promise<void>) {
    super('the turn is over')
    this.rest = rest
  }
}

/** What one piece of work knows by now. */
class Work {
  /** Of units, by what they are about. */
  readonly known = new Map<unknown, Map<string, unknown>>()
  readonly until = performance.now() + LONGEST_MS
  #spent = 0

  begin(): void {
    this.#spent = 0
  }

  spend(ms: number): void {
    this.#spent += ms
    if (this.#spent > TURN_MS) throw new TurnOver(others)
  }

  keep(about: unknown, key: string, outcome: unknown): void {
    const units = this.known.get(about)
    if (units) units.set(key, outcome)
    else this.known.set(about, new Map([[key, outcome]]))
  }
}

const others = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** The work that is being done right now, if it is done in turns. */
let current: Work | undefined

function turn<T>(work: Work, action: () => T): T {
  const before = current
  current = work
  work.begin()
  try {
    return action()
  } finally {
    current = before
  }
}

/**
 * Does `action`, in several turns where it takes long; it is begun again for each of them, and must change nothing.
 * Rejects with what it throws, and with a Timeout where it takes longer than any request may.
 */
export async function inTurns<T>(action: () => T): Promise<T> {
  const work = new Work()
  for (;;) {
    const began = performance.now()
    try {
      const outcome = turn(work, action)
      // Much of such work may come one after the other.
      if (performance.now() - began > TURN_MS) await others()
      return outcome
    } catch (error) {
      if (!(error instanceof TurnOver)) throw error
      await error.rest()
      if (performance.now() > work.until) throw outOfTime()
    }
  }
}

/** What a request hears that took longer than any may. */
export const outOfTime = (): StatusError =>
  timedOut('request did not complete within requested timeout - context deadline exceeded')

/** A unit that keeps its outcome by itself. Its time counts; after it the turn may be over. */
export function counted<T>(unit: () => T): T {
  const work = current
  if (!work) return unit()
  const began = performance.now()
  const outcome = unit()
  work.spend(performance.now() - began)
  return outcome
}

/** A unit whose outcome is kept while the work lasts: of what it is `about`, the one that is named `key`. */
export function remembered<T>(about: unknown, key: string, unit: () => T): T {
  const work = current
  if (!work) return unit()
  const units = work.known.get(about)
  if (units?.has(key)) return units.get(key) as T
  const began = performance.now()
  const outcome = unit()
  work.keep(about, key, outcome)
  work.spend(performance.now() - began)
  return outcome
}

/** Whether there are turns to be had: else nothing can be done elsewhere, either. */
export const hasTurns = (): boolean => current !== undefined

/**
 * A unit that somebody else does meanwhile. `ask` is given how many milliseconds are left; where it rejects, the work
 * is refused with that.
 */
export function elsewhere<T>(about: unknown, key: string, ask: (leftMs: number) => Promise<T>): T {
  const work = current
  if (!work) throw new Error('nobody takes turns')
  const units = work.known.get(about)
  if (units?.has(key)) {
    const kept = units.get(key) as { outcome: T } | { error: unknown }
    if ('error' in kept) throw kept.error
    return kept.outcome
  }
  throw new TurnOver(async () => {
    const kept = await ask(work.until - performance.now()).then(
      (outcome) => ({ outcome }),
      (error: unknown) => ({ error }),
    )
    work.keep(about, key, kept)
  })
}
