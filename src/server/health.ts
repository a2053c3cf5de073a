// /healthz, /livez, /readyz: named checks, each of which can be asked for alone or left out.
// Follows k8s.io/apiserver/pkg/server/healthz.
import type { HealthSlis } from '../machinery/healthslis.ts'
import type { Exchange } from './exchange.ts'
import { baseHeaders } from './respond.ts'

const ENDPOINTS = ['healthz', 'livez', 'readyz'] as const

export interface HealthCheck {
  readonly name: string
  /** Which of the three endpoints count it. */
  readonly on: readonly (typeof ENDPOINTS)[number][]
  /** Why it is not healthy; undefined: it is. */
  check(): string | undefined | Promise<string | undefined>
  /** What is said of a check that does not end in time. */
  readonly late?: string
}

/** Hears of every document that was answered: its path, the code, how long it took in ms. */
export type DocumentTold = (path: string, code: number, tookMs: number) => void

/** A check that takes longer than this has failed. */
const CHECK_TIMEOUT_MS = 2_000

/**
 * Serves the endpoints; the handler returns false for paths that are none of them. Apart from express, which is loaded
 * when something else is asked for: this is what a server that has just started is asked first.
 */
export function healthHandler(
  checks: readonly HealthCheck[],
  failed: (exchange: Exchange, error: unknown) => void,
  told: DocumentTold,
  slis: HealthSlis,
): (exchange: Exchange) => boolean {
  const endpoints = new Map<string, HealthCheck[]>()
  for (const endpoint of ENDPOINTS)
    endpoints.set(
      endpoint,
      checks.filter((check) => check.on.includes(endpoint)),
    )
  return (exchange) => {
    const [path = '', query = ''] = exchange.url.split('?', 2)
    const [, endpoint = '', name, ...rest] = path.split('/')
    const own = endpoints.get(endpoint)
    if (!own || !path.startsWith('/') || rest.length) return false
    const check = name === undefined ? undefined : own.find((c) => c.name === name)
    if (name !== undefined && !check) return false
    const startedAt = performance.now()
    const answered = check
      ? one(check, exchange)
      : all({ endpoint, checks: own, slis }, new URLSearchParams(query), exchange).then((status) =>
          told(path, status, performance.now() - startedAt),
        )
    answered.catch((error: unknown) => failed(exchange, error))
    return true
  }
}

async function one(check: HealthCheck, exchange: Exchange): Promise<void> {
  const fault = await outcome(check)
  if (fault === undefined) text(exchange, 200, 'ok')
  else text(exchange, 500, `internal server error: ${fault}\n`)
}

interface Asked {
  readonly endpoint: string
  readonly checks: readonly HealthCheck[]
  readonly slis: HealthSlis
}

async function all(
  { endpoint, checks, slis }: Asked,
  query: URLSearchParams,
  exchange: Exchange,
): Promise<number> {
  const excluded = new Set(query.getAll('exclude'))
  const lines: string[] = []
  let failed = false
  for (const check of checks) {
    if (excluded.delete(check.name)) {
      lines.push(`[+]${check.name} excluded: ok`)
      continue
    }
    const fault = await outcome(check)
    slis.observe(check.name, endpoint, fault === undefined)
    if (fault !== undefined) failed = true
    lines.push(fault === undefined ? `[+]${check.name} ok` : `[-]${check.name} failed: reason withheld`)
  }
  if (excluded.size)
    lines.push(
      `warn: some health checks cannot be excluded: no matches for ${[...excluded].map((e) => JSON.stringify(e)).join(',')}`,
    )
  if (failed) return text(exchange, 500, `${lines.join('\n')}\n${endpoint} check failed\n`)
  if (!query.has('verbose')) return text(exchange, 200, 'ok')
  return text(exchange, 200, `${lines.join('\n')}\n${endpoint} check passed\n`)
}

async function outcome(check: HealthCheck): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(check.late ?? 'timed out'), CHECK_TIMEOUT_MS)
  })
  try {
    return await Promise.race([Promise.resolve(check.check()), late])
  } catch (error) {
    return error instanceof Error ? error.message : 'failed'
  } finally {
    clearTimeout(timer)
  }
}

function text(exchange: Exchange, status: number, body: string): number {
  const headers = {
    ...baseHeaders(exchange),
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
  }
  exchange.answer(status, headers, Buffer.from(body))
  return status
}
