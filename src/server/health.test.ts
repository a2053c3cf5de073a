import { expect, it } from 'vitest'
import { HealthSlis } from '../machinery/healthslis.ts'
import type { Exchange, Headers } from './exchange.ts'
import { type HealthCheck, healthHandler } from './health.ts'

const checks: HealthCheck[] = [
  { name: 'ping', on: ['healthz', 'livez', 'readyz'], check: () => undefined },
  { name: 'etcd', on: ['livez', 'readyz'], check: () => Promise.reject(new Error('no leader')) },
]

const slis = new HealthSlis()

/** What a request of this URL is answered; undefined: it is left to others. */
async function ask(url: string, own = checks): Promise<[number, string] | undefined> {
  return new Promise((resolve, reject) => {
    const answer = (status: number, headers: Headers, body?: unknown): void => {
      expect(headers['content-type']).toBe('text/plain; charset=utf-8')
      resolve([status, String(body)])
    }
    const exchange = { method: 'GET', url, headers: {}, answer } as unknown as Exchange
    const handle = healthHandler(
      own,
      (_exchange, error) => reject(error as Error),
      () => undefined,
      slis,
    )
    if (!handle(exchange)) resolve(undefined)
  })
}

it('answers ok where all checks of the endpoint pass', async () => {
  expect(await ask('/healthz')).toEqual([200, 'ok'])
  expect(await ask('/healthz?verbose')).toEqual([200, '[+]ping ok\nhealthz check passed\n'])
})

it('tells which check failed, and its reason only to who asks for that check alone', async () => {
  const text = '[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n'
  expect(await ask('/readyz')).toEqual([500, text])
  expect(await ask('/readyz/etcd')).toEqual([500, 'internal server error: no leader\n'])
  expect(await ask('/livez/ping')).toEqual([200, 'ok'])
})

it('leaves out what the query excludes, and warns of what it does not have', async () => {
  expect(await ask('/readyz?exclude=etcd')).toEqual([200, 'ok'])
  expect(await ask('/livez?exclude=etcd&exclude=other&verbose=true')).toEqual([
    200,
    '[+]ping ok\n[+]etcd excluded: ok\nwarn: some health checks cannot be excluded: no matches for "other"\nlivez check passed\n',
  ])
})

it('leaves other paths to others', async () => {
  const paths = ['/', '/readyz/', '/readyz/other', '/readyz/ping/', '//readyz', '/healthz/etcd', '/version']
  for (const path of paths) expect(await ask(path), path).toBe(undefined)
})

it('counts how each check ended, where all of an endpoint were asked for', async () => {
  const one: HealthCheck = { name: 'flaky', on: ['livez'], check: () => undefined }
  await ask('/livez', [one])
  await ask('/livez/flaky', [one])
  await ask('/livez?exclude=flaky', [one])
  await ask('/livez', [{ ...one, check: () => 'ill' }])
  const lines = slis.text().split('\n')
  expect(lines).toContain('kubernetes_healthcheck{name="flaky",type="livez"} 0')
  expect(lines).toContain('kubernetes_healthchecks_total{name="flaky",status="success",type="livez"} 1')
  expect(lines).toContain('kubernetes_healthchecks_total{name="flaky",status="error",type="livez"} 1')
})
