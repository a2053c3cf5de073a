// What operators' tools do most: server-side apply, many definitions at once, writes that a webhook sees. By our own
// client, the same calls for either server.
import { createServer, type Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { makeCertificate, makePrivateKey, readPrivateKey } from '../src/pki/certificate.ts'
import { applies } from './applies.ts'
import { Client, parallel } from './client.ts'
import { type Findings, median } from './measures.ts'
import type { Server } from './servers.ts'

const APPLIES = 2_000
const DEFINITIONS = 200
const DEFINITION_CONCURRENCY = 8
/** One after another: what a webhook adds to each. */
const CREATES = 300
const WARM_UP = 100
const DAY_MS = 24 * 60 * 60 * 1000

const DEFINITION_PATH = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const HOOKS_PATH = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'
const MAPS_PATH = '/api/v1/namespaces/default/configmaps'

/** `ssa` in applies a second (`ssa_cold`: the first of them), `definitions` in ms until all can be listed, `hook` in ms that a webhook adds to a create. */
export async function extensions(server: Server): Promise<Findings> {
  const client = new Client(server)
  try {
    const ssa = async (): Promise<number> =>
      (await applies(client, { count: APPLIES, namespace: 'default' })).perSecond
    return {
      ssa_cold: await ssa(),
      ssa: await ssa(),
      hook: await hookCost(client),
      definitions: await definitions(client),
    }
  } finally {
    client.close()
  }
}

async function definitions(client: Client): Promise<number> {
  const startedAt = performance.now()
  await parallel(DEFINITIONS, DEFINITION_CONCURRENCY, async (i) => {
    await client.call({ method: 'POST', path: DEFINITION_PATH, body: JSON.stringify(definition(i)) })
    await untilListed(client, `/apis/g${i}.bench.example.com/v1/things`)
  })
  return performance.now() - startedAt
}

async function untilListed(client: Client, path: string): Promise<void> {
  for (;;) {
    const isThere = await client.call({ method: 'GET', path }).then(
      () => true,
      () => false,
    )
    if (isThere) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function definition(i: number): object {
  const group = `g${i}.bench.example.com`
  const text = { type: 'string' }
  const fields = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`field${n}`, text]))
  const spec = { type: 'object', properties: { ...fields, list: { type: 'array', items: text } } }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `things.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
          subresources: { status: {} },
        },
      ],
    },
  }
}

/** What one webhook that allows everything adds to a create. */
async function hookCost(client: Client): Promise<number> {
  await creates(client, 'warm', WARM_UP)
  const without = await creates(client, 'plain', CREATES)
  const hook = await allowingHook()
  try {
    await client.call({ method: 'POST', path: HOOKS_PATH, body: JSON.stringify(hook.configuration) })
    // Upstream's informer must have seen it.
    while (hook.asked() === 0) await creates(client, `seen-${Date.now()}`, 1)
    await creates(client, 'warm-hooked', WARM_UP)
    return (await creates(client, 'hooked', CREATES)) - without
  } finally {
    await client.call({ method: 'DELETE', path: `${HOOKS_PATH}/bench` })
    hook.server.closeAllConnections()
    hook.server.close()
  }
}

/** ms for one: the median, since others' work lands on single ones. */
async function creates(client: Client, prefix: string, count: number): Promise<number> {
  const took: number[] = []
  for (let i = 0; i < count; i++) {
    const map = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `${prefix}-${i}` },
      data: { a: 'b' },
    }
    const startedAt = performance.now()
    await client.call({ method: 'POST', path: MAPS_PATH, body: JSON.stringify(map) })
    took.push(performance.now() - startedAt)
  }
  return median(took)
}

interface Hook {
  readonly server: HttpsServer
  readonly configuration: object
  /** How often it was. */
  asked(): number
}

async function allowingHook(): Promise<Hook> {
  const key = makePrivateKey()
  const cert = await makeCertificate(
    {
      subject: { commonName: 'webhook', organizations: [] },
      isCa: false,
      usages: ['server'],
      hosts: ['127.0.0.1'],
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + DAY_MS),
    },
    readPrivateKey(key),
  )
  let asked = 0
  const server = createServer({ key, cert }, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      asked++
      const review = JSON.parse(Buffer.concat(chunks).toString()) as {
        apiVersion: string
        kind: string
        request: { uid: string }
      }
      const { apiVersion, kind } = review
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ apiVersion, kind, response: { uid: review.request.uid, allowed: true } }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { server, configuration: configurationOf(port, cert), asked: () => asked }
}

const configurationOf = (port: number, cert: string): object => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: 'bench' },
  webhooks: [
    {
      name: 'bench.example.com',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      clientConfig: {
        url: `https://127.0.0.1:${port}/`,
        caBundle: Buffer.from(cert).toString('base64'),
      },
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
    },
  ],
})
