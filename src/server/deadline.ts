// How long a request may take: a minute, or less where the client says so. What is not done by then is answered with 504,
// whatever it waits for. Around the handlers of the chain, watches and connections excepted.
// Follows k8s.io/apiserver/pkg/endpoints/filters/request_deadline.go and pkg/server/filters/timeout.go.
import { parseDuration } from '../machinery/duration.ts'
import { badRequest, timedOut } from '../machinery/status.ts'

/** Upstream's --request-timeout. */
const REQUEST_TIMEOUT_MS = 60_000
const INVALID = 'invalid timeout specified in the request URL'
/** Requests are given up this much late at most. */
const SWEEP_MS = 500

/** The time that a request has, in ms. Throws 400 for a `timeout` in the query that is none. */
export function allottedMs(query: URLSearchParams): number {
  const wanted = query.size > 0 ? query.get('timeout') : null
  if (!wanted) return REQUEST_TIMEOUT_MS
  const ms = durationMs(wanted)
  return ms > 0 && ms < REQUEST_TIMEOUT_MS ? ms : REQUEST_TIMEOUT_MS
}

function durationMs(text: string): number {
  try {
    return Number(parseDuration(text)) / 1e6
  } catch (error) {
    throw badRequest(`${INVALID} - ${error instanceof Error ? error.message : String(error)}`)
  }
}

interface Waiting {
  readonly until: number
  giveUp(): void
}

/** The requests under way. One timer looks after all of them: setting one for each costs more. */
const waiting = new Set<Waiting>()
let sweep: NodeJS.Timeout | undefined

function giveUpLate(): void {
  const now = performance.now()
  for (const one of waiting) if (one.until <= now) one.giveUp()
  if (waiting.size > 0) return
  clearInterval(sweep)
  sweep = undefined
}

/** What `work` comes to, or 504 after `ms`. Work that comes too late is not heard any more. */
export function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const one: Waiting = {
      until: performance.now() + ms,
      giveUp: () => {
        waiting.delete(one)
        reject(timedOut('request did not complete within the allotted timeout'))
      },
    }
    waiting.add(one)
    sweep ??= setInterval(giveUpLate, SWEEP_MS).unref()
    work.then(
      (value) => {
        waiting.delete(one)
        resolve(value)
      },
      (error: unknown) => {
        waiting.delete(one)
        reject(error as Error)
      },
    )
  })
}
