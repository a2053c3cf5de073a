// What may be wrong with a configuration of webhooks. Used by webhooks.ts.
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import { labelOf, type Draw, type Path, withValue } from './mutations.ts'

const URLS: readonly Json[] = [
  '',
  'https://',
  'http://a.example.com',
  'ftp://a.example.com/x',
  'a.example.com',
  '//a.example.com/x',
  'https:/a',
  'https:///path',
  'HTTPS://A.example.com/UP',
  'https://a.example.com:99999/',
  'https://a.example.com:port/',
  'https://user@a.example.com/',
  'https://user:pass@a.example.com/',
  'https://a.example.com/?q=1',
  'https://a.example.com/?',
  'https://a.example.com/#frag',
  'https://a.example.com/#',
  'https://u@/?q#f',
  'https://a.example.com/%zz',
  'https://a.example.com/%2',
  'https://a b/',
  'https://a.example.com/a b',
  'https://[::1]/x',
  'https://[::1/x',
  'https://[fe80::1%25eth0]/',
  'https://é.example.com/ü',
  'https://a.example.com/\u0001',
  'https://1.2.3.4:443/../x',
  'https://*.example.com',
  'https://a_b.example.com',
  'https://host:/',
  ':',
  ':foo',
  '1http://x',
  'https:opaque',
]

const EXPRESSIONS: readonly Json[] = [
  '',
  ' ',
  'true',
  '1',
  "'a'",
  'object',
  'object.spec.x == 1',
  'request.name',
  "request.operation == 'CREATE'",
  'request.nope',
  'params.x',
  'variables.x',
  'namespaceObject.metadata.name == "a"',
  'oldObject == null',
  "authorizer.group('').resource('pods').check('get').allowed()",
  'unheard(1)',
  'true &&',
  'object.metadata.labels.all(k, k.size() < 5)',
  "object.metadata.name.matches('(')",
  'null',
  'dyn(true)',
]

const RULES: readonly JsonObject[] = [
  {},
  { operations: [] },
  { operations: ['*', 'CREATE'] },
  { operations: ['PATCH'] },
  { operations: [''] },
  { operations: ['CREATE', 'CREATE'] },
  { apiGroups: [] },
  { apiGroups: ['*', 'apps'] },
  { apiGroups: [''] },
  { apiVersions: [] },
  { apiVersions: ['*', 'v1'] },
  { apiVersions: [''] },
  { resources: [] },
  { resources: [''] },
  { resources: ['*', 'pods'] },
  { resources: ['*', 'pods/status'] },
  { resources: ['*/*', 'pods'] },
  { resources: ['*/*', '*/*'] },
  { resources: ['pods/*', 'pods/status'] },
  { resources: ['*/status', 'pods/status'] },
  { resources: ['pods/', '/status', '/'] },
  { resources: ['a/b/c', 'a/*/c'] },
  { resources: ['pods', 'pods'] },
  { scope: 'Odd' },
  { scope: '' },
  { scope: null },
  { scope: 'Cluster' },
  { scope: 'Namespaced' },
]

const SELECTORS: readonly Json[] = [
  null,
  {},
  { matchLabels: { 'a b': 'c' } },
  { matchLabels: { a: 'c d' } },
  { matchLabels: { a: 'x'.repeat(64) } },
  { matchExpressions: [{ key: 'a', operator: 'Nor' }] },
  { matchExpressions: [{ key: 'a', operator: 'In' }] },
  { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] },
  { matchExpressions: [{ key: 'a/b/c', operator: 'NotIn', values: ['b', 'b c'] }] },
  { matchExpressions: [{ operator: 'Exists' }] },
]

const NAMES: readonly Json[] = [
  '',
  'a',
  'a.b',
  'a.b.c',
  'A.b.c',
  'a..c',
  'a.b.c.',
  '-.b.c',
  'a_b.c.d',
  'a b.c.d',
  `${'x'.repeat(64)}.b.c`,
  `${'x.'.repeat(130)}c`,
]

const SERVICES: readonly Json[] = [
  {},
  { name: 's' },
  { namespace: 'n' },
  { name: '', namespace: '' },
  { name: 'S S', namespace: 'N!' },
  { name: 's', namespace: 'n', port: 0 },
  { name: 's', namespace: 'n', port: -1 },
  { name: 's', namespace: 'n', port: 65536 },
  { name: 's', namespace: 'n', port: 443, path: '' },
  ...[
    '/',
    '//',
    'a',
    '/a/',
    '/a//b',
    '/a b',
    '/A',
    '/a?x=1',
    '/a#b',
    '/%2e',
    '/a/../b',
    '///',
    'https://x/y',
  ].map((path) => ({ name: 's', namespace: 'n', path })),
]

const BUNDLES: readonly Json[] = [
  '',
  'AAAA',
  'not base64!',
  'A',
  1,
  null,
  Buffer.from('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n').toString('base64'),
]

const conditions = (...list: JsonObject[]): JsonObject[] => list
const condition = (name: string, expression: Json = 'true'): JsonObject => ({ name, expression })
const CONDITIONS: readonly Json[] = [
  null,
  [],
  conditions(condition('a'), condition('a')),
  ...['', 'a b', 'a/b', 'a/b/c', '-', 'A.b', 'x'.repeat(64)].map((name) => conditions(condition(name))),
  ...EXPRESSIONS.map((expression) => conditions(condition('a', expression))),
  Array.from({ length: 65 }, (_, i) => condition(`c${i}`)),
  [{ name: 'a' }],
  [{ expression: 'true' }],
  [{}],
]

/** What goes where: in a configuration, or in its first webhook where the path begins there. */
const FAULTS: readonly (readonly [path: Path, values: readonly Json[]])[] = [
  [['webhooks', 0, 'name'], NAMES],
  [['webhooks', 1, 'name'], ['a.hooks.test']],
  [
    ['webhooks', 0, 'clientConfig'],
    [{}, null, { url: 'https://a', service: { name: 's', namespace: 'n' } }],
  ],
  [['webhooks', 0, 'clientConfig'], URLS.map((url) => ({ url }))],
  [['webhooks', 0, 'clientConfig'], SERVICES.map((service) => ({ service }))],
  [['webhooks', 0, 'clientConfig', 'caBundle'], BUNDLES],
  [
    ['webhooks', 0, 'rules'],
    [null, [], [{}], ...RULES.map((rule) => [rule])],
  ],
  ...['operations', 'apiGroups', 'apiVersions', 'resources', 'scope'].map(
    (key) =>
      [
        ['webhooks', 0, 'rules', 0, key],
        RULES.flatMap((rule) => (rule[key] === undefined ? [] : [rule[key]])),
      ] as const,
  ),
  [
    ['webhooks', 0, 'failurePolicy'],
    ['', 'fail', 'Maybe', null, 1],
  ],
  [
    ['webhooks', 0, 'matchPolicy'],
    ['', 'exact', null],
  ],
  [
    ['webhooks', 0, 'sideEffects'],
    ['', 'Some', 'Unknown', 'NoneOnDryRun', 'none', null],
  ],
  [
    ['webhooks', 0, 'timeoutSeconds'],
    [0, -1, 31, 30, 1, 1.5, '5', null, 2147483648],
  ],
  [
    ['webhooks', 0, 'reinvocationPolicy'],
    ['', 'Always', 'IfNeeded', null],
  ],
  [
    ['webhooks', 0, 'admissionReviewVersions'],
    [null, [], ['v2'], ['v1', 'v1'], ['v1beta1'], ['v3', 'v1'], ['V 1', 'v1'], [''], ['v1', 'x'.repeat(64)]],
  ],
  [['webhooks', 0, 'namespaceSelector'], SELECTORS],
  [['webhooks', 0, 'objectSelector'], SELECTORS],
  [['webhooks', 0, 'matchConditions'], CONDITIONS],
  [['webhooks', 0, 'unheard'], [1]],
  [['webhooks'], [null, [], [{}], {}]],
  [
    ['metadata', 'name'],
    ['', 'A', 'a b', 'a/b', 'x'.repeat(254), 'a.b', '-a', 'a..b'],
  ],
]

/** The configuration with one to three faults, and where they are. */
export function breakConfiguration(draw: Draw, sound: JsonObject): { broken: JsonObject; faults: string[] } {
  let broken = sound
  const faults: string[] = []
  do {
    const [path, values] = draw.of(FAULTS)
    const value = draw.of(values)
    broken = withValue(broken, path, value)
    faults.push(`${labelOf(path)}=${JSON.stringify(value)}`)
  } while (faults.length < 3 && draw.chance(0.3))
  return { broken, faults }
}
