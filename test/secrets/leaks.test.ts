// Secrets stay where they belong: not in the log, whatever its level, not in audit at level Metadata, and not in answers to
// those who may not read them, however a request fails.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { JsonObject } from '../../src/machinery/json.ts'
import { Door, type Heard, type Knock } from '../attacks/door.ts'
import { bundleProgram, type Program, type Running, run } from '../process/server.ts'

const PLANTED = 'planted-secret-value'
const ADMIN = 'planted-admin-token'
const STRANGER = 'planted-stranger-token'
const WRONG = 'planted-wrong-token'
const AT_REST = Buffer.from('planted-encryption-key-of-32-byt').toString('base64')
const SECRETS = '/api/v1/namespaces/default/secrets'
const TOKENS = '/api/v1/namespaces/default/serviceaccounts/default/token'

const folder = mkdtempSync(join(tmpdir(), 'dinghy-leaks-'))
const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text, { mode: 0o600 })
  return path
}

let program: Program
let server: Running
let door: Door
beforeAll(async () => {
  program = await bundleProgram()
  const tokens = file('tokens.csv', `${ADMIN},admin,1,system:masters\n${STRANGER},stranger,2\n`)
  const policy = file('policy.yaml', JSON.stringify({ ...AUDIT, rules: [{ level: 'Metadata' }] }))
  const encryption = file('encryption.yaml', JSON.stringify(ENCRYPTION))
  server = run(program, [
    ...['apiserver', '--memory', '--secure-port', '0', '--bind-address', '127.0.0.1', '--v', '10'],
    ...['--log-level', 'debug', '--cert-dir', join(folder, 'certs'), '--authorization-mode', 'RBAC'],
    ...['--token-auth-file', tokens, '--encryption-provider-config', encryption],
    ...['--audit-policy-file', policy, '--audit-log-path', join(folder, 'audit.log')],
    '--audit-log-mode=blocking',
  ])
  door = new Door(await urlOf(server))
})
afterAll(async () => {
  door?.close()
  server?.child.kill('SIGKILL')
  await server?.ended
  program?.remove()
  rmSync(folder, { recursive: true, force: true })
})

const AUDIT = { apiVersion: 'audit.k8s.io/v1', kind: 'Policy' }
const ENCRYPTION = {
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'EncryptionConfiguration',
  resources: [
    { resources: ['secrets'], providers: [{ aesgcm: { keys: [{ name: 'k', secret: AT_REST }] } }] },
  ],
}

/** The log says where it is served. */
async function urlOf({ stderr, ended }: Running): Promise<string> {
  const deadline = Date.now() + 120_000
  for (;;) {
    const [, url] = /"url":"(https:[^"]+)"/.exec(stderr()) ?? []
    if (url) return url
    const over = await Promise.race([ended, new Promise((done) => setTimeout(done, 20))])
    if (over || Date.now() > deadline) throw new Error(`not started: ${stderr()}`)
  }
}

const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { k: PLANTED } }
const merge = 'application/merge-patch+json'
const broken = (more: object): JsonObject => ({ ...object, ...more }) as unknown as JsonObject

/** Requests with secrets in them, each of which fails in its way; those of strangers must not be told any. */
const FAILING: readonly Omit<Knock, 'token'>[] = [
  { method: 'POST', path: SECRETS, body: object },
  { method: 'POST', path: SECRETS, body: broken({ metadata: { name: 'NOT A NAME' } }) },
  { method: 'POST', path: SECRETS, body: broken({ kind: 'ConfigMap' }) },
  { method: 'POST', path: SECRETS, body: broken({ data: { 'a/b': btoa(PLANTED) } }) },
  { method: 'POST', path: SECRETS, body: broken({ type: 'kubernetes.io/tls' }) },
  { method: 'POST', path: SECRETS, body: broken({ type: 'kubernetes.io/basic-auth' }) },
  { method: 'POST', path: SECRETS, body: broken({ metadata: { name: 's', namespace: 'other' } }) },
  { method: 'PUT', path: `${SECRETS}/s`, body: broken({ type: 'other' }) },
  { method: 'PUT', path: `${SECRETS}/s`, body: broken({ metadata: { name: 's', resourceVersion: '1' } }) },
  { method: 'PUT', path: `${SECRETS}/none`, body: broken({ metadata: { name: 'other' } }) },
  { method: 'PATCH', path: `${SECRETS}/s`, body: { metadata: { uid: 'x' } }, type: merge },
  { method: 'PATCH', path: `${SECRETS}/none`, body: { stringData: { k: PLANTED } }, type: merge },
  { method: 'PATCH', path: `${SECRETS}/s`, body: { stringData: { k: PLANTED } }, type: 'text/plain' },
  { method: 'GET', path: `${SECRETS}/s?fieldSelector=data.k%3Dx` },
  { method: 'GET', path: `${SECRETS}?fieldSelector=data.k%3Dx` },
  { method: 'GET', path: `${SECRETS}?resourceVersion=99999999&timeoutSeconds=1` },
  { method: 'DELETE', path: `${SECRETS}/s`, body: { preconditions: { uid: 'x' } } },
  { method: 'POST', path: '/apis/authentication.k8s.io/v1/tokenreviews', body: { spec: { token: WRONG } } },
  { method: 'POST', path: TOKENS, body: { spec: { expirationSeconds: 1 } } },
  { method: 'GET', path: '/version', headers: { authorization: `Bearer ${WRONG}` } },
  { method: 'GET', path: '/version', headers: { authorization: `Basic ${btoa(`admin:${WRONG}`)}` } },
  { method: 'GET', path: '/api', headers: { cookie: `session=${WRONG}`, 'x-api-key': WRONG } },
]

it('shows no secret in logs, audit or answers, however requests fail', async () => {
  const made = await door.knock({ method: 'POST', path: SECRETS, body: object, token: ADMIN })
  expect([made.status, made.text.includes(btoa(PLANTED))]).toEqual([201, true])
  await door.knock({
    method: 'POST',
    path: '/api/v1/namespaces/default/serviceaccounts',
    body: { metadata: { name: 'default' } },
    token: ADMIN,
  })
  const issued = await door.knock({ method: 'POST', path: TOKENS, body: { spec: {} }, token: ADMIN })
  const { token } = (JSON.parse(issued.text) as { status: { token: string } }).status
  const strangers: Heard[] = []
  for (const knock of FAILING) {
    await door.knock({ token: ADMIN, ...knock })
    for (const who of [{ token: STRANGER }, { token: WRONG }, {}, { token }])
      strangers.push(await door.knock({ ...who, ...knock }))
  }
  await door.knock({ method: 'GET', path: '/version', token: `${token.slice(0, -4)}AAAA` })
  const bad = strangers.filter(({ status }) => status >= 500)
  expect(bad).toEqual([])
  const planted = [PLANTED, btoa(PLANTED), ADMIN, STRANGER, WRONG, AT_REST, token.split('.')[2] as string]
  const audit = readFileSync(join(folder, 'audit.log'), 'utf8')
  expect(audit.split('\n').length).toBeGreaterThan(FAILING.length * 4)
  const log = server.stderr() + server.stdout()
  expect(log).toContain('a request failed')
  for (const secret of planted) {
    expect(log).not.toContain(secret)
    expect(audit).not.toContain(secret)
    // What they sent themselves may be quoted to them; what was stored, and others' tokens, may not.
    if (secret !== WRONG && secret !== PLANTED && secret !== btoa(PLANTED))
      expect(strangers.filter(({ text }) => text.includes(secret))).toEqual([])
  }
})
