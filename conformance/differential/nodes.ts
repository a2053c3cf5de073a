// What kubelets write, at random: users of the nodes' group write nodes, pods, their statuses, leases, CSINodes, claims,
// requests for certificates and tokens, their own and others', on a kube-apiserver and on this server; codes and messages
// are compared.
//
//	node tools/run.js conformance/differential/nodes.ts -- --upstream URL --ours URL [--token T]
//	   --seed N   --rounds N (4)   --steps N of each round (200)   --verbose  every difference, not the first of its sort
//
// Both servers run with --authorization-mode=Node,RBAC, NodeRestriction and no controllers. Ends with `N requests, N
// differ`; exits 1 where some do.
import type { JsonObject } from '../../src/machinery/json.ts'
import type { Answer } from './answers.ts'
import { as, type Asked, type Headers, Pair, perhaps, settings, several } from './both.ts'

/** Upstream's graph of what nodes may see follows what is written. */
const HEARD_MS = 1_500
const LABELS = [
  'kubernetes.io/hostname',
  'kubernetes.io/role',
  'node-restriction.kubernetes.io/x',
  'kubelet.kubernetes.io/x',
  'node.kubernetes.io/x',
  'topology.kubernetes.io/zone',
  'x.kubernetes.io/y',
  'example.com/z',
  'k8s.io/a',
]

/** What is stored is not compared. */
const verdict = (answer: Answer): Answer => (answer.status < 300 ? { ...answer, body: {} } : answer)

interface World {
  readonly namespace: string
  readonly nodes: readonly string[]
}

const mirror = { 'kubernetes.io/config.mirror': 'x' }
function podOf({ draw }: Pair, { nodes }: World, name: string): JsonObject {
  const [own] = nodes
  const owner = {
    apiVersion: 'v1',
    kind: draw.of(['Node', 'Pod']),
    name: draw.of(nodes),
    uid: '00000000-0000-4000-8000-000000000000',
    ...perhaps(draw, 0.7, () => ({ controller: true })),
  }
  return {
    metadata: {
      name,
      ...perhaps(draw, 0.7, () => ({ annotations: mirror })),
      ...perhaps(draw, 0.4, () => ({ ownerReferences: [owner] })),
      ...perhaps(draw, 0.15, () => ({ labels: { 'kubernetes.io/x': 'y' } })),
    },
    spec: {
      containers: [{ name: 'c', image: 'i' }],
      ...perhaps(draw, 0.85, () => ({ nodeName: draw.chance(0.8) ? (own ?? '') : draw.of(nodes) })),
      ...perhaps(draw, 0.15, () => ({ serviceAccountName: 'default' })),
      ...perhaps(draw, 0.2, () => ({
        volumes: [
          draw.of<JsonObject>([
            { name: 'v', secret: { secretName: 's' } },
            { name: 'v', configMap: { name: 'c' } },
            { name: 'v', persistentVolumeClaim: { claimName: 'c' } },
            { name: 'v', emptyDir: {} },
            { name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } },
          ]),
        ],
      })),
    },
  }
}

const nodeOf = ({ draw }: Pair, name: string): JsonObject => ({
  metadata: { name, labels: Object.fromEntries(several(draw, LABELS, 0, 2).map((key) => [key, 'v'])) },
  spec: {
    ...perhaps(draw, 0.2, () => ({ taints: [{ key: 'k', effect: 'NoSchedule' }] })),
    ...perhaps(draw, 0.1, () => ({
      configSource: { configMap: { name: 'c', namespace: 'n', kubeletConfigKey: 'k' } },
    })),
  },
})

type Send = (method: string, path: string, body?: JsonObject) => Asked

/** Where one request of a kubelet goes. */
interface Place {
  readonly pair: Pair
  readonly world: World
  readonly send: Send
  readonly core: string
  readonly node: string
  readonly pod: string
}

const dry = (path: string): string => `${path}?dryRun=All`

const labelsOf = ({ draw }: Pair): JsonObject =>
  Object.fromEntries(several(draw, LABELS, 1, 2).map((key) => [key, draw.of(['v', 'w'])]))

function placeOf(pair: Pair, world: World, send: Send): Place {
  const { draw } = pair
  return {
    pair,
    world,
    send,
    core: `/api/v1/namespaces/${world.namespace}`,
    node: draw.of(world.nodes),
    pod: draw.of(['mine', 'theirs', 'free', 'absent', 'new']),
  }
}

type Writes = (place: Place) => (() => Asked)[]

/** Nodes and their statuses. */
const ofNodes: Writes = ({ pair, send, node }) => {
  const { draw } = pair
  return [
    () => send('POST', dry('/api/v1/nodes'), nodeOf(pair, draw.chance(0.5) ? node : `new-${node}`)),
    () =>
      send(
        'PATCH',
        dry(`/api/v1/nodes/${node}`),
        draw.of<JsonObject>([
          { metadata: { labels: labelsOf(pair) } },
          nodeOf(pair, node),
          { spec: { unschedulable: true } },
        ]),
      ),
    () =>
      send(
        'PATCH',
        dry(`/api/v1/nodes/${node}/status`),
        draw.of<JsonObject>([{ metadata: { labels: labelsOf(pair) } }, { status: { phase: 'Running' } }]),
      ),
    () => send('DELETE', dry(`/api/v1/nodes/${node}`)),
  ]
}

/** Pods and what is done to them. */
const ofPods: Writes = ({ pair, world, send, core, node, pod }) => {
  const { draw } = pair
  return [
    () => send('POST', dry(`${core}/pods`), podOf(pair, world, 'new')),
    () => send('PATCH', dry(`${core}/pods/${pod}`), { metadata: { annotations: { a: 'b' } } }),
    () =>
      send(
        'PATCH',
        dry(`${core}/pods/${pod}/status`),
        draw.of<JsonObject>([
          { status: { phase: 'Running' } },
          { metadata: { labels: { a: 'b' } } },
          { metadata: { annotations: { a: 'b' } } },
        ]),
      ),
    () => send('DELETE', dry(`${core}/pods/${pod}`)),
    () =>
      send('POST', dry(`${core}/pods/${pod}/eviction`), {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name: draw.of([pod, 'mine', '']) },
      }),
    () => send('POST', dry(`${core}/pods/${pod}/binding`), { target: { kind: 'Node', name: node } }),
  ]
}

/** Leases, CSINodes, claims, tokens, slices. */
const besides: Writes = ({ pair, world, send, core, node }) => {
  const { draw } = pair
  return [
    () =>
      send(
        'POST',
        dry(
          `/apis/coordination.k8s.io/v1/namespaces/${draw.of(['kube-node-lease', world.namespace])}/leases`,
        ),
        { metadata: { name: node }, spec: { holderIdentity: node } },
      ),
    () =>
      send('POST', dry('/apis/storage.k8s.io/v1/csinodes'), {
        metadata: { name: node },
        spec: { drivers: [] },
      }),
    () =>
      send('PATCH', dry(`${core}/persistentvolumeclaims/c/status`), {
        status: draw.of<JsonObject>([
          { phase: 'Bound' },
          { capacity: { storage: '1Gi' } },
          { conditions: [{ type: 'Resizing', status: 'True' }] },
        ]),
      }),
    () =>
      send('POST', `${core}/serviceaccounts/default/token`, {
        spec: {
          ...perhaps(draw, 0.8, () => ({
            boundObjectRef: {
              kind: draw.of(['Pod', 'Pod', 'Secret']),
              apiVersion: 'v1',
              name: draw.of(['mine', 'theirs', 's']),
            },
          })),
          ...perhaps(draw, 0.3, () => ({ audiences: ['x'] })),
        },
      }),
    () =>
      send('POST', '/apis/resource.k8s.io/v1/resourceslices?dryRun=All', {
        metadata: { name: 's' },
        spec: {
          driver: 'd.example.com',
          nodeName: node,
          pool: { name: 'p', resourceSliceCount: 1, generation: 1 },
          devices: [],
        },
      }),
  ]
}

/** What kubelets look at. */
const reads: Writes = ({ pair, send, core, node }) => {
  const { draw } = pair
  return [
    () =>
      send(
        'GET',
        `${core}/${draw.of(['secrets/s', 'secrets/other', 'configmaps/c', 'configmaps/other', 'persistentvolumeclaims/c', 'serviceaccounts/default', 'pods', 'pods/mine', 'pods/theirs', 'secrets'])}`,
      ),
    () =>
      send(
        'GET',
        `/api/v1/${draw.of([`nodes/${node}`, 'nodes', `pods?fieldSelector=spec.nodeName%3D${node}`, 'pods', 'services', 'persistentvolumes/v'])}`,
      ),
  ]
}

const GROUPS = [ofNodes, ofNodes, ofPods, ofPods, besides, besides, reads]

async function furnish(pair: Pair, { namespace, nodes }: World): Promise<void> {
  const core = `/api/v1/namespaces/${namespace}`
  await pair.post('/api/v1/namespaces', { metadata: { name: namespace } })
  await pair.post(`${core}/serviceaccounts`, { metadata: { name: 'default' } })
  for (const name of nodes)
    await pair.post('/api/v1/nodes', { metadata: { name, labels: { 'kubernetes.io/role': 'v' } } })
  for (const name of ['s', 'other']) await pair.post(`${core}/secrets`, { metadata: { name } })
  for (const name of ['c', 'other']) await pair.post(`${core}/configmaps`, { metadata: { name } })
  await pair.post(`${core}/persistentvolumeclaims`, {
    metadata: { name: 'c' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  })
  const volumes = [
    { name: 'v', secret: { secretName: 's' } },
    { name: 'c', configMap: { name: 'c' } },
    { name: 'p', persistentVolumeClaim: { claimName: 'c' } },
  ]
  const spec = { containers: [{ name: 'c', image: 'i' }] }
  const [mine, theirs] = nodes as [string, string]
  await pair.post(`${core}/pods`, { metadata: { name: 'mine' }, spec: { ...spec, nodeName: mine, volumes } })
  await pair.post(`${core}/pods`, { metadata: { name: 'theirs' }, spec: { ...spec, nodeName: theirs } })
  await pair.post(`${core}/pods`, { metadata: { name: 'free' }, spec })
  await new Promise((resolve) => setTimeout(resolve, HEARD_MS))
}

async function main(): Promise<void> {
  const asked = settings(4, 200)
  const pair = new Pair(asked)
  for (let i = 0; i < asked.rounds; i++) {
    const tag = `${asked.seed}-${i}`
    const world: World = { namespace: `kubelets-${tag}`, nodes: [`mine-${tag}`, `theirs-${tag}`] }
    await furnish(pair, world)
    for (let step = 0; step < asked.steps; step++) {
      const user = pair.draw.of([world.nodes[0] ?? '', world.nodes[0] ?? '', world.nodes[1] ?? '', 'absent'])
      const headers: Headers = as(`system:node:${user}`, pair.draw.chance(0.95) ? ['system:nodes'] : [])
      const send: Send = (method, path, body) => ({ method, path, headers, ...(body ? { body } : {}) })
      await pair.compare(pair.draw.of(pair.draw.of(GROUPS)(placeOf(pair, world, send)))(), verdict)
    }
  }
  pair.end()
}

await main()
