// What policies.ts draws: sound admission policies with their bindings and parameters, and objects that are put before
// them. Seeded; knows nothing of servers.
import type { JsonObject } from '../../src/machinery/json.ts'
import type { Draw } from './mutations.ts'
import {
  APPLIED,
  CONDITIONS,
  MESSAGES,
  PATCHES,
  VARIABLES,
  WITH_PARAMS,
  WITH_VARIABLES,
} from './policy-words.ts'

export const ADMISSION = '/apis/admissionregistration.k8s.io/v1'
export type PolicyKind = 'ValidatingAdmissionPolicy' | 'MutatingAdmissionPolicy'

export interface Context {
  readonly namespace: string
  readonly hasParams: boolean
  readonly hasVariables: boolean
}

function condition(draw: Draw, { hasParams, hasVariables }: Context): string {
  if (hasVariables && draw.chance(0.4)) return draw.of(WITH_VARIABLES)
  if (hasParams && draw.chance(0.5)) return draw.of(WITH_PARAMS)
  return draw.of(CONDITIONS)
}

const some = <T>(draw: Draw, most: number, make: (i: number) => T): T[] => {
  const found: T[] = []
  while (found.length < most && draw.chance(0.6)) found.push(make(found.length))
  return found
}

function rule(draw: Draw): JsonObject {
  const names = draw.chance(0.2) ? { resourceNames: [draw.of(['ab', 'bb', 'none'])] } : {}
  const operations = draw.of([['*'], ['CREATE'], ['CREATE', 'UPDATE'], ['UPDATE', 'DELETE']])
  const of = draw.of([
    { apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] },
    { apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] },
    { apiGroups: [''], apiVersions: ['*'], resources: ['*'] },
    { apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] },
    { apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments', 'deployments/scale'] },
    { apiGroups: ['autoscaling'], apiVersions: ['v1'], resources: ['horizontalpodautoscalers'] },
  ])
  const scope = draw.chance(0.2) ? { scope: draw.of(['*', 'Namespaced', 'Cluster']) } : {}
  return { ...of, operations, ...names, ...scope }
}

/** Rules that never reach beyond the namespace of the round. */
function matching(draw: Draw, { namespace }: Context, always: boolean): JsonObject | undefined {
  if (!always && draw.chance(0.6)) return undefined
  return {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    ...(draw.chance(0.2) && {
      objectSelector: draw.of([
        { matchLabels: { team: 'a' } },
        { matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }] },
      ]),
    }),
    resourceRules: [
      always
        ? {
            apiGroups: [''],
            apiVersions: ['v1'],
            resources: ['configmaps'],
            operations: ['CREATE', 'UPDATE'],
          }
        : rule(draw),
      ...some(draw, 2, () => rule(draw)),
    ],
    ...(draw.chance(0.25) && { excludeResourceRules: [rule(draw)] }),
    ...(draw.chance(0.4) && { matchPolicy: draw.of(['Exact', 'Equivalent']) }),
  }
}

/** A sound policy. */
export function drawPolicy(draw: Draw, kind: PolicyKind, name: string, at: Context): JsonObject {
  const spec: JsonObject = {
    ...(at.hasParams && { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } }),
    matchConstraints: matching(draw, at, true) as JsonObject,
    ...(at.hasVariables && { variables: VARIABLES.slice() }),
    ...(draw.chance(0.6) && { failurePolicy: draw.of(['Fail', 'Ignore']) }),
    ...(draw.chance(0.4) && {
      matchConditions: some(draw, 2, (i) => ({
        name: `c${i}`,
        expression: condition(draw, { ...at, hasVariables: false }),
      })),
    }),
    ...(kind === 'ValidatingAdmissionPolicy' ? validating(draw, at) : mutating(draw, at)),
  }
  return { apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata: { name }, spec }
}

function validating(draw: Draw, at: Context): JsonObject {
  const validation = (): JsonObject => ({
    expression: condition(draw, at),
    ...(draw.chance(0.4) && { message: draw.of(['no', ' spaces around ', 'because it is so']) }),
    ...(draw.chance(0.4) && { messageExpression: message(draw, at) }),
    ...(draw.chance(0.4) && {
      reason: draw.of(['Unauthorized', 'Forbidden', 'Invalid', 'RequestEntityTooLarge']),
    }),
  })
  return {
    validations: [validation(), ...some(draw, 3, validation)],
    ...(draw.chance(0.3) && {
      auditAnnotations: [
        {
          key: 'note',
          valueExpression: draw.of(["'a'", 'object.metadata.name', 'object.data.none', 'null']),
        },
      ],
    }),
  }
}

const message = (draw: Draw, at: Context): string => {
  for (;;) {
    const said = draw.of(MESSAGES)
    if ((at.hasParams || !said.includes('params')) && (at.hasVariables || !said.includes('variables')))
      return said
  }
}

function mutating(draw: Draw, at: Context): JsonObject {
  const mutation = (): JsonObject => {
    if (draw.chance(0.5)) return { patchType: 'JSONPatch', jsonPatch: { expression: draw.of(PATCHES) } }
    const applied = draw.of(at.hasParams ? APPLIED : APPLIED.filter((one) => !one.includes('params')))
    return { patchType: 'ApplyConfiguration', applyConfiguration: { expression: applied } }
  }
  return {
    reinvocationPolicy: draw.of(['Never', 'IfNeeded']),
    mutations: [mutation(), ...some(draw, 2, mutation)],
  }
}

export function drawBinding(draw: Draw, policy: JsonObject, name: string, at: Context): JsonObject {
  const kind = policy['kind'] as PolicyKind
  const match = matching(draw, at, false)
  const actions = draw.of([['Deny'], ['Deny'], ['Warn'], ['Audit'], ['Deny', 'Audit'], ['Warn', 'Audit']])
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: `${kind}Binding`,
    metadata: { name },
    spec: {
      policyName: (policy['metadata'] as JsonObject)['name'] as string,
      ...(kind === 'ValidatingAdmissionPolicy' && { validationActions: actions }),
      ...(at.hasParams && draw.chance(0.9) && { paramRef: paramRef(draw, at) }),
      ...(match && { matchResources: match }),
    },
  }
}

const paramRef = (draw: Draw, { namespace }: Context): JsonObject => ({
  ...(draw.chance(0.3) && { namespace }),
  ...draw.of([
    { name: 'p1' },
    { name: 'p1' },
    { name: 'none' },
    { selector: { matchLabels: { use: 'param' } } },
    { selector: {} },
  ]),
  parameterNotFoundAction: draw.of(['Allow', 'Deny']),
})

/** An object that is put before policies. */
export function drawMap(draw: Draw, name: string): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      ...(draw.chance(0.5) && { labels: { team: draw.of(['a', 'b', 'c']) } }),
      ...(draw.chance(0.2) && { annotations: { n: 'x' } }),
    },
    ...(draw.chance(0.85) && {
      data: {
        ...(draw.chance(0.7) && {
          a: draw.of(['b', 'abc', '1.2.3', '10.0.0.1', 'http://a/b', '2024-01-01T00:00:00Z', 'A']),
        }),
        ...(draw.chance(0.6) && { n: draw.of(['1', '3', '5', '0', 'x']) }),
        ...(draw.chance(0.3) && { q: draw.of(['5', '1Gi', '2Gi', 'x']) }),
        ...(draw.chance(0.2) && { longer: 'b' }),
      },
    }),
  }
}

/** The same for a kind that has several versions, and one with a subresource. */
export const SCALER = (name: string, version: string): JsonObject => ({
  apiVersion: `autoscaling/${version}`,
  kind: 'HorizontalPodAutoscaler',
  metadata: { name },
  spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' }, maxReplicas: 3 },
})
export const DEPLOYMENT = (name: string, replicas: number): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
})
