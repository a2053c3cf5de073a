// A server that says which images may run, named in the file of admission's configuration.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import type { JsonObject } from '../../src/machinery/json.ts'
import { ApiClient, namespaceFor, type Reply } from '../api/client.ts'
import { HookServer } from './hookserver.ts'

let folder: string
let hooks: HookServer
let cluster: Cluster
let admin: ApiClient
let namespace: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dinghy-images-'))
  const [kubeconfig, file] = [join(folder, 'kubeconfig'), join(folder, 'admission.yaml')]
  hooks = await HookServer.start()
  hooks.behave = (review: JsonObject, out) => {
    const { containers } = review['spec'] as { containers: { image: string }[] }
    const bad = containers.find(({ image }) => image.startsWith('bad/'))
    const status = bad ? { allowed: false, reason: bad.image } : { allowed: true }
    out.setHeader('content-type', 'application/json')
    out.end(JSON.stringify({ ...review, status }))
  }
  writeFileSync(kubeconfig, hooks.kubeconfig('/images'))
  writeFileSync(
    file,
    `apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: ImagePolicyWebhook
  configuration:
    imagePolicy: {kubeConfigFile: ${kubeconfig}}
`,
  )
  cluster = await startCluster({
    enableAdmissionPlugins: ['ImagePolicyWebhook'],
    disableAdmissionPlugins: ['ServiceAccount'],
    admissionControlConfigFile: file,
  })
  admin = new ApiClient(cluster)
  namespace = await namespaceFor(admin)
})

afterAll(async () => {
  admin.close()
  await cluster.stop()
  await hooks.stop()
  rmSync(folder, { recursive: true, force: true })
})

const create = (name: string, image: string): Promise<Reply> =>
  admin.ask('POST', `/api/v1/namespaces/${namespace}/pods`, {
    body: { metadata: { name }, spec: { containers: [{ name: 'c', image }] } },
  })

test('pods of good images come in, others do not', async () => {
  expect((await create('good', 'good/one')).status).toBe(201)
  const { status, body } = await create('bad', 'bad/one')
  expect([status, body.message]).toEqual([
    403,
    'pods "bad" is forbidden: image policy webhook backend denied one or more images: bad/one',
  ])
  expect(hooks.reviews.map(({ path }) => path)).toEqual(Array(2).fill('/images?timeout=30s'))
})

test('a plugin without its configuration is an error at the start', async () => {
  const starting = startCluster({ enableAdmissionPlugins: ['ImagePolicyWebhook'] })
  await expect(starting).rejects.toThrow('ImagePolicyWebhook: no config specified')
})
