// The ports of simulated nodes that are a process of their own: what the API server asks there for its clients, and whom
// they answer else.
import { request } from 'node:https'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Api } from '../../src/client/api.ts'
import { SYSTEM_CLOCK } from '../../src/client/clock.ts'
import { Informers } from '../../src/client/informer.ts'
import type { ClusterRole, ClusterRoleBinding } from '../../src/client/kinds/rbac.v1.gen.ts'
import { CLUSTER_ROLES, NODES, PODS, SERVICE_ACCOUNTS } from '../../src/client/resources.ts'
import type { Resource } from '../../src/client/resource.ts'
import { type ApiServer, startApiServer } from '../../src/cmd/apiserver/apiserver.ts'
import { openPorts, type Ports } from '../../src/cmd/nodes/kubelet-ports.ts'
import { DEFAULTS } from '../../src/cmd/options.ts'
import { fleet, NODE_CAPACITY, POD_RANGE } from '../../src/cmd/nodes/simulated-nodes.ts'
import { NodeAgent } from '../../src/kubelet/agent.ts'

const CLUSTER_ROLE_BINDINGS: Resource<ClusterRoleBinding> = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  resource: 'clusterrolebindings',
  kind: 'ClusterRoleBinding',
  namespaced: false,
}
const WAIT = { timeout: 90_000, interval: 20 }
const LOGS = '/api/v1/namespaces/default/pods/talker/log'

let server: ApiServer
let admin: Api
let ports: Ports
const stop = new AbortController()
let running: Promise<void>

beforeAll(async () => {
  server = await startApiServer({ ...DEFAULTS, port: 0, disableAdmissionPlugins: ['ServiceAccount'] })
  admin = new Api(server.loopback({ name: 'admin', groups: ['system:masters'] }), 'test/1')
  const { log } = server
  const informers = new Informers({ api: admin, clock: SYSTEM_CLOCK, log })
  const agent = new NodeAgent({ informers, apiOf: () => admin, clock: SYSTEM_CLOCK, log })
  await informers.start(stop.signal)
  running = agent.run(stop.signal)
  ports = await openPorts({
    ...{ address: '127.0.0.1', host: undefined, port: 0, certFile: undefined, keyFile: undefined },
    ...{ clientCaFile: undefined, anonymous: false, tokens: true, allowsAll: false, api: admin, agent },
  })
  const shape = { podRange: POD_RANGE, capacity: NODE_CAPACITY, labels: {} }
  await agent.add(await ports.withPorts(fleet({ prefix: 'far', count: 2, ...shape })), stop.signal)
  await admin.create(PODS, {
    metadata: {
      ...{ name: 'talker', namespace: 'default' },
      annotations: { 'simulate.dinghy.dev/log': 'hello', 'simulate.dinghy.dev/log-every': '20ms' },
    },
    spec: { nodeName: 'far-1', containers: [{ name: 'app', image: 'a', resources: {} }] },
    status: {},
  })
  await vi.waitFor(async () => {
    const { status } = await admin.get(PODS, { namespace: 'default', name: 'talker' })
    expect(status.phase).toBe('Running')
  }, WAIT)
})
afterAll(async () => {
  stop.abort()
  await running
  ports.close()
  await server.stop()
})

interface Reply {
  readonly status: number
  readonly body: string
}

interface Call {
  readonly port: number
  readonly path: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly cert?: string
  readonly key?: string
}

/** Until the answer ends, or holds so much. */
function call(wanted: Call, enough = /$^/): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', rejectUnauthorized: false, agent: false, ...wanted }
    const sent = request(options, (response) => {
      let body = ''
      const done = (): void => resolve({ status: response.statusCode ?? 0, body })
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
        if (!enough.test(body)) return
        done()
        sent.destroy()
      })
      response.on('end', done)
      response.on('error', () => undefined)
    })
    sent.on('error', reject)
    sent.end()
  })
}

/** Asks the API server, as its administrator. */
const ask = (path: string, enough?: RegExp, method = 'GET'): Promise<Reply> => {
  const { adminCert: cert, adminKey: key } = server.identity
  return call({ port: server.port, path, method, cert, key }, enough)
}
const message = ({ body }: Reply): unknown => (JSON.parse(body) as { message: unknown }).message

describe('through the API server', () => {
  it('logs are read, whole and as they come', async () => {
    const { status, body } = await ask(`${LOGS}?tailLines=1`)
    expect({ status, body }).toEqual({ status: 200, body: 'hello\n' })
    expect((await ask(`${LOGS}?follow=true`, /hello\n[^]*hello\n/)).status).toBe(200)
    expect((await ask(`${LOGS}?limitBytes=9`)).body).toBe('simulated')
  })

  it('what a kubelet has no log for is refused in its words', async () => {
    const reply = await ask(`${LOGS}?previous=true`)
    expect([reply.status, message(reply)]).toEqual([
      400,
      'previous terminated container "app" in pod "talker" not found',
    ])
  })

  it('what needs a program is refused', async () => {
    const { status, body } = await ask('/api/v1/namespaces/default/pods/talker/exec?command=ls', /$^/, 'POST')
    expect(status).toBe(501)
    expect(body).toContain('no program runs, so no command can be run in it')
  })

  it('each node answers for itself', async () => {
    expect((await ask('/api/v1/nodes/far-0/proxy/healthz')).body).toBe('ok')
    const slis = async (node: string): Promise<string> =>
      (await ask(`/api/v1/nodes/${node}/proxy/metrics/slis`)).body
    expect(await slis('far-0')).toContain('kubernetes_healthcheck{name="syncloop",type="healthz"} 1')
    expect(await slis('far-1')).not.toContain('kubernetes_healthcheck')
    const pods = async (node: string): Promise<number> =>
      (JSON.parse((await ask(`/api/v1/nodes/${node}/proxy/pods`)).body) as { items: unknown[] }).items.length
    expect([await pods('far-0'), await pods('far-1')]).toEqual([0, 1])
    expect((await ask('/api/v1/nodes/far-0/proxy/nosuch')).status).toBe(404)
    expect((await ask('/api/v1/nodes/far-0:22/proxy/')).status).toBe(503)
  })

  it('a node that cannot be reached is an error that says so', async () => {
    const { status } = await admin.get(NODES, { name: 'far-0' })
    const gone = { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }] }
    const endpoints = { daemonEndpoints: { kubeletEndpoint: { Port: 1 } } }
    await admin.create(NODES, {
      metadata: { name: 'gone' },
      spec: {},
      status: { ...status, ...gone, ...endpoints },
    })
    await admin.create(PODS, {
      metadata: { name: 'lost', namespace: 'default' },
      spec: { nodeName: 'gone', containers: [{ name: 'app', image: 'a', resources: {} }] },
      status: {},
    })
    const reply = await ask('/api/v1/namespaces/default/pods/lost/log')
    expect([reply.status, message(reply)]).toEqual([
      500,
      'Get "https://127.0.0.1:1/containerLogs/default/lost/app": dial tcp 127.0.0.1:1: connect: connection refused',
    ])
    const proxied = await ask('/api/v1/nodes/gone/proxy/healthz')
    expect([proxied.status, message(proxied)]).toEqual([
      503,
      'error trying to reach service: dial tcp 127.0.0.1:1: connect: connection refused',
    ])
  })
})

describe('a node’s port', () => {
  let port: number
  beforeAll(async () => {
    port = (await admin.get(NODES, { name: 'far-1' })).status.daemonEndpoints?.kubeletEndpoint?.Port ?? 0
  })
  const bearer = async (account: string): Promise<{ authorization: string }> => {
    const place = { namespace: 'default', name: account }
    await admin.create(SERVICE_ACCOUNTS, { metadata: place })
    const body = { metadata: {}, spec: { audiences: [] }, status: {} }
    const made = await admin.post(SERVICE_ACCOUNTS, { ...place, subresource: 'token' }, body)
    return { authorization: `Bearer ${(made as unknown as { status: { token: string } }).status.token}` }
  }

  it('answers nobody who is not known', async () => {
    expect(await call({ port, path: '/healthz' })).toEqual({ status: 401, body: 'Unauthorized' })
    const headers = { authorization: 'Bearer nonsense' }
    expect(await call({ port, path: '/pods', headers })).toEqual({ status: 401, body: 'Unauthorized' })
  })

  it('answers those whom the API server lets ask, each for what it may', async () => {
    const headers = await bearer('scraper')
    const user = 'system:serviceaccount:default:scraper'
    expect(await call({ port, path: '/metrics/resource', headers })).toEqual({
      status: 403,
      body: `Forbidden (user=${user}, verb=get, resource=nodes, subresource(s)=[metrics])\n`,
    })
    expect((await call({ port, path: '/pods', headers })).body).toBe(
      `Forbidden (user=${user}, verb=get, resource=nodes, subresource(s)=[pods proxy])\n`,
    )
    const rules = [{ apiGroups: [''], resources: ['nodes/stats'], verbs: ['get'] }]
    await admin.create<ClusterRole>(CLUSTER_ROLES, { metadata: { name: 'stats' }, rules })
    await admin.create(CLUSTER_ROLE_BINDINGS, {
      metadata: { name: 'stats' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'stats' },
      subjects: [{ kind: 'ServiceAccount', name: 'scraper', namespace: 'default' }],
    })
    await vi.waitFor(async () => {
      const { status, body } = await call({ port, path: '/stats/summary', headers })
      expect(status).toBe(200)
      expect(body).toContain('"nodeName":"far-1"')
    }, WAIT)
  })

  it('knows clients of the cluster’s CA', async () => {
    const { adminCert: cert, adminKey: key } = server.identity
    const { status, body } = await call({ port, path: '/metrics', cert, key })
    expect(status).toBe(200)
    expect(body).toContain('kubelet_node_name{node="far-1"} 1')
  })
})
