// /healthz, /livez, /readyz: named checks, each of which can be asked for alone or left out.
// Follows k8s.io/apiserver/pkg/server/healthz.
import type { Request, Response, Router } from 'express'

export interface HealthCheck {
  readonly name: string
  /** Which of the three endpoints count it. */
  readonly on: readonly ('healthz' | 'livez' | 'readyz')[]
  /** Why it is not healthy; undefined: it is. */
  check(): string | undefined | Promise<string | undefined>
  /** What is said of a check that does not end in time. */
  readonly late?: string
}

export const PING: HealthCheck = { name: 'ping', on: ['healthz', 'livez', 'readyz'], check: () => undefined }

/** A check that takes longer than this has failed. */
const CHECK_TIMEOUT_MS = 2_000

/** Installs the endpoints. Paths with a slash at the end are not served, as upstream's are not. */
export function serveHealth(router: Router, checks: readonly HealthCheck[]): void {
  for (const endpoint of ['healthz', 'livez', 'readyz'] as const) {
    const own = checks.filter((check) => check.on.includes(endpoint))
    router.all(`/${endpoint}`, (request, response, next) => {
      if (request.path.endsWith('/')) return next()
      return all(endpoint, own, request, response)
    })
    router.all(`/${endpoint}/:name`, async (request, response, next) => {
      const check = own.find((c) => c.name === request.params['name'])
      if (!check || request.path.endsWith('/')) return next()
      const fault = await outcome(check)
      if (fault === undefined) text(response, 200, 'ok')
      else text(response, 500, `internal server error: ${fault}\n`)
    })
  }
}

async function all(
  endpoint: string,
  checks: readonly HealthCheck[],
  request: Request,
  response: Response,
): Promise<void> {
  const excluded = new Set([request.query['exclude'] ?? []].flat().map(String))
  const lines: string[] = []
  let failed = false
  for (const check of checks) {
    if (excluded.delete(check.name)) {
      lines.push(`[+]${check.name} excluded: ok`)
      continue
    }
    const fault = await outcome(check)
    if (fault !== undefined) failed = true
    lines.push(fault === undefined ? `[+]${check.name} ok` : `[-]${check.name} failed: reason withheld`)
  }
  if (excluded.size)
    lines.push(
      `warn: some health checks cannot be excluded: no matches for ${[...excluded].map((e) => JSON.stringify(e)).join(',')}`,
    )
  if (failed) return text(response, 500, `${lines.join('\n')}\n${endpoint} check failed\n`)
  if (request.query['verbose'] === undefined) return text(response, 200, 'ok')
  text(response, 200, `${lines.join('\n')}\n${endpoint} check passed\n`)
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

function text(response: Response, status: number, body: string): void {
  response
    .status(status)
    .set('x-content-type-options', 'nosniff')
    .type('text/plain; charset=utf-8')
    .send(body)
}
