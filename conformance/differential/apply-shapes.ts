// Random configurations for applies.ts: objects of a few kinds in which every field may be there or not, with one of a
// few values. All sorts of the schema are met: maps, atomic maps, structs, sets, atomic lists, lists by one and two keys
// with defaults, quantities, numbers or texts, parts that other subresources write.
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import type { Draw } from './mutations.ts'

export interface Part {
  /** The subresource. */
  readonly name: string
  object(draw: Draw, name: string): JsonObject
}

export interface ShapeVersion {
  readonly apiVersion: string
  readonly parts?: readonly Part[]
  object(draw: Draw): JsonObject
}

export interface Shape {
  readonly kind: string
  readonly path: string
  readonly versions: readonly ShapeVersion[]
}

type Maker = (draw: Draw) => Json | undefined

/** One of these. */
const one =
  (...values: Json[]): Maker =>
  (draw) =>
    draw.of(values)
const always = (maker: Maker): Maker & { always: true } =>
  Object.assign((draw: Draw) => maker(draw), { always: true as const })

const OFTEN = 0.55

/** Each field may be missing. */
const some =
  (fields: Readonly<Record<string, Maker>>): ((draw: Draw) => JsonObject) =>
  (draw) => {
    const out: JsonObject = {}
    for (const [key, maker] of Object.entries(fields)) {
      if (!('always' in maker) && !draw.chance(OFTEN)) continue
      const value = maker(draw)
      if (value !== undefined) out[key] = value
    }
    return out
  }

/** Some of these items, now and then in another order. */
const items =
  (...makers: Maker[]): Maker =>
  (draw) => {
    const list = makers.filter(() => draw.chance(OFTEN)).map((maker) => maker(draw) as Json)
    return draw.chance(0.2) ? list.reverse() : list
  }

/** The same, never without the first, and seldom empty. */
const first =
  (needed: Maker, ...others: Maker[]): Maker =>
  (draw) =>
    draw.chance(0.05) ? [] : [needed(draw) as Json, ...(items(...others)(draw) as Json[])]

const texts = (...keys: string[]): Maker => some(Object.fromEntries(keys.map((key) => [key, one('1', '2')])))

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

const metadata = some({
  labels: texts('a', 'b', 'x.y/c'),
  annotations: some({
    n: one('1', '2'),
    [LAST_APPLIED]: one(
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"annotations":{},"name":"a"},"data":{"a":"1","b":"2"}}',
      'no json',
    ),
  }),
  finalizers: (draw) => (draw.chance(0.1) ? [draw.of(['x/a', 'x/b'])] : undefined),
})

const env = items(
  some({ name: always(one('A')), value: one('1', '2') }),
  some({ name: always(one('B')), value: one('1', '2') }),
  some({ name: always(one('C')), valueFrom: one({ fieldRef: { fieldPath: 'metadata.name' } }) }),
)
const ports = items(
  some({ containerPort: always(one(80)), name: one('web', 'www') }),
  some({ containerPort: always(one(80)), protocol: always(one('UDP')), hostPort: one(80) }),
  some({ containerPort: always(one(81)), protocol: one('TCP') }),
)
const container = (name: string): Maker =>
  some({
    name: always(one(name)),
    image: always(one('i:1', 'i:2')),
    args: one(['a'], ['a', 'b'], []),
    env,
    ports,
    resources: some({
      limits: some({ cpu: one('1', '1000m', 2), memory: one('1Gi', '1024Mi') }),
      requests: some({ cpu: one('100m', '0.1') }),
    }),
    readinessProbe: some({
      tcpSocket: always(one({ port: 80 }, { port: 'web' })),
      periodSeconds: one(10, 5),
    }),
    securityContext: some({
      capabilities: one({ add: ['A'] }, { drop: ['B'] }),
      privileged: one(false, null),
    }),
    volumeMounts: items(
      some({ name: always(one('v')), mountPath: always(one('/v')), readOnly: one(true, false) }),
    ),
  })
const podSpec = some({
  containers: always(first(container('c'), container('d'))),
  volumes: always(
    one([{ name: 'v', emptyDir: {} }], [{ name: 'v' }, { name: 'w', emptyDir: { medium: 'Memory' } }]),
  ),
  nodeSelector: texts('k', 'l'),
  tolerations: items(one({ key: 'a', operator: 'Exists' }), one({ key: 'b', operator: 'Exists' })),
  imagePullSecrets: items(one({ name: 's' }), one({ name: 't' })),
  hostAliases: items(one({ ip: '1.2.3.4', hostnames: ['a'] }, { ip: '1.2.3.4' })),
  securityContext: some({ runAsUser: one(1, 2), sysctls: items(one({ name: 'kernel.a', value: '1' })) }),
  topologySpreadConstraints: items(
    one({ maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'DoNotSchedule', labelSelector: {} }),
  ),
})

const conditions = items(
  one({ type: 'A', status: 'True' }, { type: 'A', status: 'False', reason: 'r' }),
  one({ type: 'B', status: 'True' }),
)

const status = (apiVersion: string, kind: string, fields: (draw: Draw) => JsonObject): Part => ({
  name: 'status',
  object: (draw, name) => ({ apiVersion, kind, metadata: { ...metadata(draw), name }, status: fields(draw) }),
})

const scale: Part = {
  name: 'scale',
  object: (draw, name) => ({
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name },
    spec: some({ replicas: always(one(1, 2, 3)) })(draw),
  }),
}

const configMap: Shape = {
  kind: 'ConfigMap',
  path: 'configmaps',
  versions: [
    {
      apiVersion: 'v1',
      object: some({
        metadata,
        data: some({ a: one('1', '2', null), b: one('1', '2'), c: one('1') }),
        binaryData: some({ d: one('YQ==', 'Yg==') }),
      }),
    },
  ],
}

const service: Shape = {
  kind: 'Service',
  path: 'services',
  versions: [
    {
      apiVersion: 'v1',
      parts: [
        status(
          'v1',
          'Service',
          some({ conditions, loadBalancer: some({ ingress: one([{ ip: '1.1.1.1' }], []) }) }),
        ),
      ],
      object: some({
        metadata,
        spec: always(
          some({
            selector: texts('a', 'b'),
            ports: always(
              first(
                one({ port: 80, name: 'a' }, { port: 80, name: 'a', targetPort: 'x' }),
                one({ port: 80, protocol: 'UDP', name: 'b' }),
                one({ port: 81, name: 'c', targetPort: 1 }),
              ),
            ),
            sessionAffinity: one('None', 'ClientIP'),
            externalIPs: items(one('1.1.1.1')),
            type: one('ClusterIP', 'LoadBalancer'),
          }),
        ),
      }),
    },
  ],
}

const deployment: Shape = {
  kind: 'Deployment',
  path: 'deployments',
  versions: [
    {
      apiVersion: 'apps/v1',
      parts: [
        scale,
        status(
          'apps/v1',
          'Deployment',
          some({ conditions, replicas: one(1, 2), observedGeneration: one(1) }),
        ),
      ],
      object: some({
        metadata,
        spec: always(
          some({
            replicas: one(1, 2, 3),
            selector: always(one({ matchLabels: { a: '1' } })),
            strategy: some({
              type: one('RollingUpdate'),
              rollingUpdate: some({ maxSurge: one(1, '10%', '1') }),
            }),
            template: always(
              some({
                metadata: always(one({ labels: { a: '1' } }, { labels: { a: '1', b: '1' } })),
                spec: always(podSpec),
              }),
            ),
          }),
        ),
      }),
    },
  ],
}

/** What an update of a pod may change. */
const changeable = some({
  containers: always(one([{ name: 'c', image: 'i:1' }], [{ name: 'c', image: 'i:2' }])),
  tolerations: items(one({ key: 'a', operator: 'Exists' }), one({ key: 'b', operator: 'Exists' })),
})

const pod: Shape = {
  kind: 'Pod',
  path: 'pods',
  versions: [
    {
      apiVersion: 'v1',
      parts: [status('v1', 'Pod', some({ conditions, phase: one('Running', 'Pending'), message: one('m') }))],
      object: (draw) => some({ metadata, spec: always(draw.chance(0.2) ? podSpec : changeable) })(draw),
    },
  ],
}

const shared = {
  minReplicas: one(1, 2),
  maxReplicas: always(one(4, 5)),
  scaleTargetRef: always(one({ kind: 'D', name: 'd' }, { apiVersion: 'apps/v1', kind: 'D', name: 'd' })),
}

const autoscaler: Shape = {
  kind: 'HorizontalPodAutoscaler',
  path: 'horizontalpodautoscalers',
  versions: [
    {
      apiVersion: 'autoscaling/v2',
      object: some({
        metadata,
        spec: always(
          some({
            ...shared,
            metrics: one(
              [
                {
                  type: 'Resource',
                  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
                },
              ],
              [
                {
                  type: 'Resource',
                  resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } },
                },
              ],
            ),
            behavior: some({ scaleDown: some({ stabilizationWindowSeconds: one(1, 2) }) }),
          }),
        ),
      }),
    },
    {
      apiVersion: 'autoscaling/v1',
      object: some({
        metadata,
        spec: always(some({ ...shared, targetCPUUtilizationPercentage: one(50, 60) })),
      }),
    },
  ],
}

/** A kind with one version and nothing that other subresources write. */
const plain = (apiVersion: string, kind: string, path: string, fields: Record<string, Maker>): Shape => ({
  kind,
  path,
  versions: [{ apiVersion, object: some({ metadata, ...fields }) }],
})

const secret = plain('v1', 'Secret', 'secrets', {
  data: some({ a: one('YQ==', 'Yg=='), b: one('YQ==') }),
  stringData: some({ a: one('a', 'c'), c: one('c') }),
  type: one('Opaque'),
})

const account = plain('v1', 'ServiceAccount', 'serviceaccounts', {
  secrets: items(one({ name: 'a' }), one({ name: 'b' }, { name: 'b', namespace: 'x' })),
  imagePullSecrets: items(one({ name: 'a' }), one({}), one({ name: 'b' })),
  automountServiceAccountToken: one(true, false, null),
})

const quota = plain('v1', 'ResourceQuota', 'resourcequotas', {
  spec: some({
    hard: some({ cpu: one('1', '1000m', 1), pods: one('5', 5) }),
    scopes: items(one('BestEffort')),
  }),
})

const slice = plain('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices', {
  addressType: always(one('IPv4')),
  endpoints: always(
    first(one({ addresses: ['1.1.1.1'] }, { addresses: ['1.1.1.2'], conditions: { ready: true } })),
  ),
  ports: items(one({ name: 'a', port: 1 }), one({ name: 'b', port: 2, protocol: 'UDP' })),
})

const ingress = plain('networking.k8s.io/v1', 'Ingress', 'ingresses', {
  spec: always(
    some({
      ingressClassName: one('a'),
      defaultBackend: always(one({ service: { name: 's', port: { number: 1 } } })),
      tls: items(one({ hosts: ['a'] }, { hosts: ['a', 'b'], secretName: 's' })),
    }),
  ),
})

/** The kinds of applies.ts. */
export const shapes: readonly Shape[] = [
  configMap,
  service,
  deployment,
  pod,
  autoscaler,
  secret,
  account,
  quota,
  slice,
  ingress,
]
