// What may be wrong with an admission policy or a binding. Used by policies.ts.
import type { JsonObject } from '../../src/machinery/json.ts'
import type { Draw } from './mutations.ts'
import { FAULTY, FAULTY_MESSAGES, FAULTY_MUTATIONS } from './policy-words.ts'

/** The policy with one to three faults, and what they are. */
export function breakPolicy(draw: Draw, sound: JsonObject): { policy: JsonObject; faults: string[] } {
  const policy = structuredClone(sound)
  const spec = policy['spec'] as JsonObject
  const faults: string[] = []
  do {
    const [what, put] = draw.of(
      policy['kind'] === 'MutatingAdmissionPolicy' ? MUTATING_FAULTS : VALIDATING_FAULTS,
    )
    put(spec, draw)
    faults.push(what)
  } while (faults.length < 3 && draw.chance(0.3))
  return { policy, faults }
}

type Fault = readonly [what: string, put: (spec: JsonObject, draw: Draw) => void]

const listIn = (spec: JsonObject, key: string): JsonObject[] => (spec[key] ??= []) as JsonObject[]
const constraints = (spec: JsonObject): JsonObject => (spec['matchConstraints'] ??= {}) as JsonObject
const firstRule = (spec: JsonObject): JsonObject => {
  const rules = listIn(constraints(spec), 'resourceRules')
  if (rules.length === 0) rules.push({})
  return rules[0] as JsonObject
}

const SHARED_FAULTS: readonly Fault[] = [
  [
    'condition',
    (spec, draw) => void listIn(spec, 'matchConditions').push({ name: 'bad', expression: draw.of(FAULTY) }),
  ],
  [
    'condition name',
    (spec, draw) =>
      void listIn(spec, 'matchConditions').push({
        name: draw.of(['', 'a b', 'c0', 'a/b/c', 'A', '-']),
        expression: 'true',
      }),
  ],
  [
    'same conditions',
    (spec) =>
      void listIn(spec, 'matchConditions').push(
        { name: 'x', expression: 'true' },
        { name: 'x', expression: 'true' },
      ),
  ],
  [
    'variable',
    (spec, draw) => void listIn(spec, 'variables').push({ name: 'v', expression: draw.of(FAULTY) }),
  ],
  [
    'variable name',
    (spec, draw) =>
      void listIn(spec, 'variables').push({
        name: draw.of(['', 'a-b', '1a', 'n', 'true', 'in']),
        expression: '1',
      }),
  ],
  ['failure policy', (spec, draw) => void (spec['failurePolicy'] = draw.of(['', 'None', null]))],
  ['no constraints', (spec) => void delete spec['matchConstraints']],
  ['no rules', (spec) => void (constraints(spec)['resourceRules'] = [])],
  ['match policy', (spec, draw) => void (constraints(spec)['matchPolicy'] = draw.of(['', 'Some', null]))],
  [
    'selector',
    (spec, draw) =>
      void (constraints(spec)[draw.of(['namespaceSelector', 'objectSelector'])] = draw.of([
        null,
        { matchLabels: { 'a b': 'c' } },
        { matchExpressions: [{ key: 'a', operator: 'Nor' }] },
        { matchExpressions: [{ key: 'a', operator: 'In' }] },
      ])),
  ],
  [
    'operations',
    (spec, draw) =>
      void (firstRule(spec)['operations'] = draw.of([[], ['create'], ['*', 'CREATE'], ['CONNECT']])),
  ],
  ['groups', (spec, draw) => void (firstRule(spec)['apiGroups'] = draw.of([[], ['*', 'apps']]))],
  ['versions', (spec, draw) => void (firstRule(spec)['apiVersions'] = draw.of([[], [''], ['*', 'v1']]))],
  [
    'resources',
    (spec, draw) =>
      void (firstRule(spec)['resources'] = draw.of([
        [],
        [''],
        ['*', 'pods'],
        ['*/*', 'pods/log'],
        ['pods/*', 'pods/log'],
        ['a/b/c'],
      ])),
  ],
  [
    'names',
    (spec, draw) => void (firstRule(spec)['resourceNames'] = draw.of([[''], ['a/b'], ['a', 'a'], ['A']])),
  ],
  ['scope', (spec, draw) => void (firstRule(spec)['scope'] = draw.of(['', 'All', null]))],
  [
    'param kind',
    (spec, draw) =>
      void (spec['paramKind'] = draw.of([
        {},
        { apiVersion: 'v1' },
        { kind: 'ConfigMap' },
        { apiVersion: 'a/b/c', kind: 'A' },
        { apiVersion: 'v1', kind: 'a b' },
        { apiVersion: '', kind: 'ConfigMap' },
      ])),
  ],
]

const VALIDATING_FAULTS: readonly Fault[] = [
  ...SHARED_FAULTS,
  ['expression', (spec, draw) => void listIn(spec, 'validations').push({ expression: draw.of(FAULTY) })],
  ['expression', (spec, draw) => void listIn(spec, 'validations').push({ expression: draw.of(FAULTY) })],
  ['expression', (spec, draw) => void listIn(spec, 'validations').push({ expression: draw.of(FAULTY) })],
  [
    'message',
    (spec, draw) =>
      void listIn(spec, 'validations').push({
        expression: 'true',
        message: draw.of(['', ' ', 'a\nb', 'x'.repeat(5000)]),
      }),
  ],
  [
    'message expression',
    (spec, draw) =>
      void listIn(spec, 'validations').push({
        expression: 'true',
        messageExpression: draw.of([...FAULTY_MESSAGES, ...FAULTY]),
      }),
  ],
  [
    'reason',
    (spec, draw) =>
      void listIn(spec, 'validations').push({
        expression: 'true',
        reason: draw.of(['', 'NotFound', 'Conflict']),
      }),
  ],
  ['no validations', (spec) => void delete spec['validations']],
  [
    'annotation',
    (spec, draw) =>
      void (spec['auditAnnotations'] = [
        {
          key: draw.of(['', 'a b', 'a/b', 'x'.repeat(80), 'ok']),
          valueExpression: draw.of([...FAULTY, '1', "'a'", 'null']),
        },
      ]),
  ],
  [
    'same annotations',
    (spec) =>
      void (spec['auditAnnotations'] = [
        { key: 'a', valueExpression: "'x'" },
        { key: 'a', valueExpression: "'y'" },
      ]),
  ],
]

const MUTATING_FAULTS: readonly Fault[] = [
  ...SHARED_FAULTS,
  [
    'mutation',
    (spec, draw) => void listIn(spec, 'mutations').push(structuredClone(draw.of(FAULTY_MUTATIONS))),
  ],
  [
    'mutation',
    (spec, draw) => void listIn(spec, 'mutations').push(structuredClone(draw.of(FAULTY_MUTATIONS))),
  ],
  [
    'mutation',
    (spec, draw) => void listIn(spec, 'mutations').push(structuredClone(draw.of(FAULTY_MUTATIONS))),
  ],
  [
    'mutation',
    (spec, draw) =>
      void listIn(spec, 'mutations').push({
        patchType: 'JSONPatch',
        jsonPatch: { expression: draw.of(FAULTY) },
      }),
  ],
  ['no mutations', (spec) => void delete spec['mutations']],
  ['reinvocation', (spec, draw) => void (spec['reinvocationPolicy'] = draw.of(['', 'Always', null]))],
]

/** The binding with a fault. */
export function breakBinding(draw: Draw, sound: JsonObject): { binding: JsonObject; fault: string } {
  const binding = structuredClone(sound)
  const [fault, put] = draw.of(BINDING_FAULTS)
  put(binding['spec'] as JsonObject, draw)
  return { binding, fault }
}

const BINDING_FAULTS: readonly Fault[] = [
  ['policy name', (spec, draw) => void (spec['policyName'] = draw.of(['', 'A b', 'a/b', 'none']))],
  [
    'actions',
    (spec, draw) =>
      void (spec['validationActions'] = draw.of([[], ['Deny', 'Warn'], ['Deny', 'Deny'], ['None'], null])),
  ],
  [
    'param ref',
    (spec, draw) =>
      void (spec['paramRef'] = draw.of([
        {},
        { name: 'a' },
        { name: 'a', selector: {}, parameterNotFoundAction: 'Deny' },
        { name: 'a b', parameterNotFoundAction: 'Deny' },
        { name: 'a', parameterNotFoundAction: 'None' },
        { selector: { matchLabels: { 'a b': '' } }, parameterNotFoundAction: 'Allow' },
        { name: 'a', namespace: 'a b', parameterNotFoundAction: 'Deny' },
      ])),
  ],
  [
    'match',
    (spec, draw) =>
      void (spec['matchResources'] = draw.of([
        {},
        { resourceRules: [] },
        { resourceRules: [{}] },
        { matchPolicy: 'None' },
        { namespaceSelector: { matchLabels: { 'a b': '' } } },
        { excludeResourceRules: [{ operations: ['x'] }] },
      ])),
  ],
]
