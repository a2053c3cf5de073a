// `dinghy user add`: the kubeconfig that it writes lets its user in.
import { X509Certificate } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { parse } from 'yaml'
import { Api } from '../../src/client/api.ts'
import { Http2Transport } from '../../src/client/http2.ts'
import { clientOptions } from '../../src/client/kubeconfig.ts'
import type { Resource } from '../../src/client/resource.ts'
import { type ApiServer, startApiServer } from '../../src/cmd/apiserver/apiserver.ts'
import { DEFAULTS } from '../../src/cmd/options.ts'
import { user } from '../../src/cmd/user.ts'

const REVIEWS: Resource = {
  group: 'authentication.k8s.io',
  version: 'v1',
  resource: 'selfsubjectreviews',
  kind: 'SelfSubjectReview',
  namespaced: false,
}
const dir = mkdtempSync(join(tmpdir(), 'dinghy-user-'))
const written: string[] = []
let server: ApiServer

beforeAll(async () => {
  server = await startApiServer({ ...DEFAULTS, port: 0, certDir: join(dir, 'pki') })
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0)
})
afterAll(async () => {
  vi.restoreAllMocks()
  await server.stop()
  rmSync(dir, { recursive: true, force: true })
})

const add = (...args: readonly string[]): Promise<void> =>
  user(['add', ...args, '--data-dir', dir, '--server', server.url])

it('lets a user in, with the groups that were said and for the days that were said', async () => {
  const path = join(dir, 'new', 'jo.kubeconfig')
  await add('jo', '--group', 'writers', '--group', 'a, b', '--days', '2', '--kubeconfig', path)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  const options = clientOptions(parse(readFileSync(path, 'utf8')) as never, dir)
  const left = Date.parse(new X509Certificate(options.cert ?? '').validTo) - Date.now()
  expect(left).toBeLessThan(2 * 86_400_000 + 1000)
  expect(left).toBeGreaterThan(86_400_000)
  const transport = new Http2Transport(options)
  try {
    const review = (await new Api(transport, 'test').create(REVIEWS, { metadata: {} })) as never as {
      status: { userInfo: object }
    }
    expect(review.status.userInfo).toMatchObject({
      username: 'jo',
      groups: ['a, b', 'writers', 'system:authenticated'],
    })
  } finally {
    transport.close()
  }
  expect(written.join('')).toContain(`kubectl --kubeconfig ${path} get pods`)
})

it.each([
  ['no name', ['--group', 'a'], 'which user?'],
  ['no URL', ['jo', '--server', 'nowhere'], '--server: nowhere is no URL'],
  ['an unknown flag', ['jo', '--groop', 'a'], "unknown option '--groop'; did you mean --group?"],
])('refuses %s', async (_what, args, message) => {
  await expect(user(['add', ...args])).rejects.toThrow(message)
})

it('makes no folder where there is no cluster', async () => {
  const absent = join(dir, 'absent')
  await expect(user(['add', 'jo', '--data-dir', absent])).rejects.toThrow(
    /holds no CA: start the cluster once/,
  )
  expect(existsSync(absent)).toBe(false)
  await expect(user(['remove', 'jo'])).rejects.toThrow('try dinghy user add NAME')
})
