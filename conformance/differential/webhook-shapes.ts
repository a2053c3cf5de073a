// Webhooks and the requests that they are asked about, drawn. Used by webhooks.ts.
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import type { Draw } from './mutations.ts'
import { APPLY, MERGE } from './owned.ts'
import type { Webhooks } from './webhook-server.ts'

export type HookKind = 'Mutating' | 'Validating'

const RULES: readonly JsonObject[] = [
  { apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*/*'] },
  { apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] },
  { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] },
  { apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps', 'pods'] },
  { apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['pods/*'] },
  { apiGroups: [''], apiVersions: ['*'], operations: ['DELETE', 'CONNECT'], resources: ['*/*'] },
  { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['*'], resources: ['deployments', '*/scale'] },
  { apiGroups: ['autoscaling'], apiVersions: ['v1'], operations: ['*'], resources: ['*/*'] },
  { apiGroups: ['autoscaling'], apiVersions: ['v2'], operations: ['UPDATE'], resources: ['*/status', '*'] },
  { apiGroups: ['*'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['*'], scope: 'Cluster' },
  { apiGroups: ['*'], apiVersions: ['v1'], operations: ['*'], resources: ['*/*'], scope: 'Namespaced' },
]

const CONDITIONS: readonly string[] = [
  'true',
  "request.operation != 'DELETE'",
  "request.name == 'm'",
  "object.metadata.name == 'm'",
  "has(object.data) && object.data.a == 'b'",
  'object.nope == 1',
  "oldObject == null || oldObject.metadata.name != ''",
  "request.userInfo.username == 'admin'",
  "!('system:masters' in request.userInfo.groups)",
  "authorizer.group('').resource('pods').namespace('default').check('get').allowed()",
  'request.dryRun',
  "request.subResource == ''",
]

const SELECTORS: readonly JsonObject[] = [
  { matchLabels: { a: 'b' } },
  { matchExpressions: [{ key: 'a', operator: 'DoesNotExist' }] },
  { matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['b'] }] },
]

interface Context {
  readonly id: string
  readonly hooks: Webhooks
}

/** One to three webhooks of the round, and one that only probes ask. */
export function drawHooks(draw: Draw, kind: HookKind, { id, hooks }: Context): JsonObject[] {
  const named = (name: string, more: JsonObject): JsonObject => ({
    admissionReviewVersions: draw.of([['v1'], ['v1'], ['v1beta1', 'v1'], ['v5', 'v1beta1']]),
    clientConfig: hooks.at(`/${id}/${kind}/${name}`),
    failurePolicy: draw.of(['Fail', 'Fail', 'Ignore']),
    name: `${name}.hooks.test`,
    namespaceSelector: { matchLabels: { hooked: id } },
    rules: [RULES[0] as JsonObject],
    sideEffects: draw.of(['None', 'None', 'NoneOnDryRun']),
    timeoutSeconds: 10,
    ...more,
  })
  const all = ['a', 'b', 'c']
    .slice(0, draw.of([1, 2, 2, 3]))
    .map((name) => named(name, drawn(draw, kind, hooks)))
  const probe = {
    objectSelector: { matchLabels: { probe: 'yes' } },
    failurePolicy: 'Ignore',
    ...(kind === 'Mutating' ? { reinvocationPolicy: 'Never' } : {}),
  }
  return [named('probe', probe), ...all]
}

function drawn(draw: Draw, kind: HookKind, hooks: Webhooks): JsonObject {
  const more: JsonObject = {}
  if (draw.chance(0.6)) more['rules'] = draw.chance(0.3) ? [draw.of(RULES), draw.of(RULES)] : [draw.of(RULES)]
  if (draw.chance(0.25)) {
    const count = draw.of([1, 1, 2])
    more['matchConditions'] = CONDITIONS.slice(0, count).map((_, i) => ({
      name: `c${i}`,
      expression: draw.of(CONDITIONS),
    }))
  }
  if (draw.chance(0.2)) more['matchPolicy'] = 'Exact'
  if (draw.chance(0.2)) more['objectSelector'] = draw.of(SELECTORS)
  if (kind === 'Mutating' && draw.chance(0.5)) more['reinvocationPolicy'] = 'IfNeeded'
  // Which of several validating webhooks fails first is up to their speed.
  if (kind === 'Mutating' && draw.chance(0.15)) more['clientConfig'] = draw.of(hooks.bad)
  return more
}

const MAP = (name: string, more: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { a: 'b' },
  ...more,
})
const POD = (name: string): JsonObject => ({
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i' }] },
})
const DEPLOYMENT = (name: string): JsonObject => ({
  metadata: { name },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
})
const SCALER = (name: string): JsonObject => ({
  metadata: { name },
  spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' } },
})

const places = (namespace: string) => ({
  maps: `/api/v1/namespaces/${namespace}/configmaps`,
  pods: `/api/v1/namespaces/${namespace}/pods`,
  deployments: `/apis/apps/v1/namespaces/${namespace}/deployments`,
  scalers: `/apis/autoscaling/v1/namespaces/${namespace}/horizontalpodautoscalers`,
})

/** What is there before the webhooks are. */
export const OBJECTS = (namespace: string): { path: string; object: JsonObject }[] => {
  const { maps, pods, deployments, scalers } = places(namespace)
  return [
    { path: maps, object: MAP('m') },
    { path: maps, object: MAP('labelled', { metadata: { name: 'labelled', labels: { a: 'b' } } }) },
    { path: pods, object: POD('p') },
    { path: deployments, object: DEPLOYMENT('d') },
    { path: scalers, object: SCALER('h') },
  ]
}

export interface DrawnRequest {
  readonly method: string
  readonly path: string
  readonly body?: JsonObject
  readonly type?: string
}

/** A write; four of five are dry runs, so that what is there stays. */
export function drawRequest(draw: Draw, namespace: string): DrawnRequest {
  const { maps, pods, deployments, scalers } = places(namespace)
  const data = { data: { a: draw.of(['b', 'c', 'd']) } }
  const replicas = { spec: { replicas: draw.of([1, 2, 3]) } }
  const label = { metadata: { labels: { a: draw.of(['b', 'c']) } } }
  const status = { status: { phase: draw.of(['Running', 'Failed']), message: 'm' } }
  const made: readonly (readonly [method: string, path: string, body?: Json, type?: string])[] = [
    ['POST', maps, MAP(draw.of(['m', 'n']))],
    ['POST', maps, MAP('n', { metadata: { name: 'n', labels: { a: 'b' } } })],
    ['POST', maps, MAP('', { metadata: { generateName: 'g-' } })],
    ['POST', maps, MAP('n', { unheard: 1 })],
    ['PUT', `${maps}/m`, MAP('m', data)],
    ['PUT', `${maps}/fresh`, MAP('fresh', data)],
    ['PATCH', `${maps}/m`, data, MERGE],
    ['PATCH', `${maps}/labelled`, label, MERGE],
    ['PATCH', `${maps}/none`, data, MERGE],
    ['PATCH', `${maps}/m?fieldManager=f`, MAP('m', data), APPLY],
    ['PATCH', `${maps}/new?fieldManager=f`, MAP('new', data), APPLY],
    ['DELETE', `${maps}/${draw.of(['m', 'labelled', 'none'])}`],
    ['POST', pods, POD(draw.of(['p', 'q']))],
    ['PATCH', `${pods}/p`, label, MERGE],
    ['PATCH', `${pods}/p/status`, status, MERGE],
    ['POST', `${pods}/p/binding`, { target: { kind: 'Node', name: 'node' } }],
    ['POST', `${pods}/p/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'p' } }],
    ['DELETE', `${pods}/p?gracePeriodSeconds=5`],
    ['POST', `${pods}/p/exec?command=ls`],
    ['POST', deployments, DEPLOYMENT('e')],
    ['PATCH', `${deployments}/d`, replicas, MERGE],
    ['PATCH', `${deployments}/d/scale`, replicas, MERGE],
    ['PATCH', `${deployments}/d/status`, { status: { replicas: 1 } }, MERGE],
    ['POST', scalers, SCALER('i')],
    ['PATCH', `${scalers}/h`, { spec: { maxReplicas: draw.of([4, 5]) } }, MERGE],
    ['PATCH', `${scalers.replace('/v1/', '/v2/')}/h`, { spec: { maxReplicas: draw.of([4, 5]) } }, MERGE],
    [
      'PATCH',
      `/api/v1/namespaces/${namespace}`,
      { metadata: { annotations: { a: draw.of(['b', 'c']) } } },
      MERGE,
    ],
  ]
  const [method, path, body, type] = draw.of(made)
  const isKept = draw.chance(0.2) && method !== 'DELETE' && !/\/(binding|eviction)$/.test(path)
  const query = isKept ? '' : `${path.includes('?') ? '&' : '?'}dryRun=All`
  return {
    method,
    path: path + query,
    ...(body === undefined ? {} : { body: body as JsonObject }),
    ...(type === undefined ? {} : { type }),
  }
}
