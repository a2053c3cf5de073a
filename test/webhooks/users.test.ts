// Who asks a webhook of admission: the user whom the kubeconfig of the plugin's configuration names after its host.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kubeConfigFileOf } from '../../src/admission/webhooks/configuration.ts'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import { hookUsers } from '../../src/cmd/webhooks/users.ts'
import { ApiClient, namespaceFor } from '../api/client.ts'
import { HookServer } from './hookserver.ts'

const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1'

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dinghy-hookusers-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const kubeconfig = (name: string, users: Readonly<Record<string, object>>): string => {
  const file = join(folder, name)
  const entries = Object.entries(users).map(([user, given]) => ({ name: user, user: given }))
  writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'Config', users: entries }))
  return file
}

describe('the user for a host', () => {
  const shown = async (users: Readonly<Record<string, object>>, host: string): Promise<string | undefined> =>
    (await hookUsers(kubeconfig('users', users)))(host).headers()['Authorization']

  const USERS = {
    'hook.ns.svc:443': { token: 'exact' },
    'other.ns.svc': { token: 'without port' },
    '*.ns.svc': { token: 'of the namespace' },
    '*.example.com:8443': { username: 'u', password: 'p' },
    '*': { token: 'anybody' },
  }

  it.each([
    ['hook.ns.svc:443', 'Bearer exact'],
    ['other.ns.svc:443', 'Bearer without port'],
    ['third.ns.svc:443', 'Bearer of the namespace'],
    ['third.ns.svc:444', 'Bearer anybody'],
    ['a.b.example.com:8443', `Basic ${Buffer.from('u:p').toString('base64')}`],
    ['a.b.example.com:443', 'Bearer anybody'],
    ['10.0.0.1:443', 'Bearer anybody'],
  ])('%s', async (host, expected) => {
    expect(await shown(USERS, host)).toBe(expected)
  })

  it('is nobody in particular where none is named after it', async () => {
    expect(await shown({ 'hook.ns.svc': { token: 'exact' } }, 'third.ns.svc:443')).toBeUndefined()
  })

  it('has no helpers', async () => {
    await expect(shown({ '*': { exec: {} } }, 'x:443')).rejects.toThrow('users with exec are not supported')
  })
})

describe("a plugin's configuration", () => {
  const given = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'WebhookAdmissionConfiguration' }
  it.each([
    [
      { ...given, kubeConfigFile: 'hooks' },
      'kubeConfigFile: Invalid value: "hooks": must be an absolute file path',
    ],
    [{ ...given, kind: 'Other' }, 'no kind "Other" is registered'],
    [{ ...given, kubeconfig: '/k' }, 'unknown field "kubeconfig"'],
    [{ ...given, staticManifestsDir: '/d' }, 'staticManifestsDir: Forbidden'],
  ])('refuses %j', (configuration, why) => {
    expect(() => kubeConfigFileOf(configuration)).toThrow(why)
  })
})

it('asks each kind of webhook as the user of its own plugin', async () => {
  const hooks = await HookServer.start()
  const asked: IncomingHttpHeaders[] = []
  const judge = hooks.behave
  hooks.behave = (review, response, path) => {
    asked.push(response.req.headers)
    judge(review, response, path)
  }
  const mutating = kubeconfig('mutating', { [`127.0.0.1:${hooks.port}`]: { token: 'for mutating' } })
  const validating = kubeconfig('validating', { '*': { username: 'for', password: 'validating' } })
  const file = join(folder, 'admission.yaml')
  writeFileSync(
    file,
    `apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: MutatingAdmissionWebhook
  configuration: {apiVersion: apiserver.config.k8s.io/v1, kind: WebhookAdmissionConfiguration, kubeConfigFile: ${mutating}}
- name: ValidatingAdmissionWebhook
  configuration: {apiVersion: apiserver.config.k8s.io/v1, kind: WebhookAdmissionConfiguration, kubeConfigFile: ${validating}}
`,
  )
  const cluster: Cluster = await startCluster({ admissionControlConfigFile: file })
  const admin = new ApiClient(cluster)
  try {
    const namespace = await namespaceFor(admin)
    for (const kind of ['Mutating', 'Validating'])
      await admin.ask('POST', `${CONFIGURATIONS}/${kind.toLowerCase()}webhookconfigurations`, {
        body: { metadata: { name: 'test' }, webhooks: [hooks.hook(namespace)] },
      })
    await admin.ask('POST', `/api/v1/namespaces/${namespace}/configmaps`, {
      body: { metadata: { name: 'seen' } },
    })
    const basic = Buffer.from('for:validating').toString('base64')
    expect(asked.map(({ authorization }) => authorization)).toEqual(['Bearer for mutating', `Basic ${basic}`])
  } finally {
    admin.close()
    await cluster.stop()
    await hooks.stop()
  }
})
