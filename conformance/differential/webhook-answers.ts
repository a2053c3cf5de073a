// What the webhooks of webhooks.ts answer: sound answers, odd ones, and none. Each is a name and what is done for it.
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import { BAD_PATCHES, LIES } from '../../test/webhooks/badanswers.ts'
import { allow, answer, type Behave, deny, patch } from '../../test/webhooks/hookserver.ts'
import type { Draw } from './mutations.ts'

export type Named = readonly [what: string, behave: Behave]

const named = (what: string, list: readonly Json[], make: (value: never) => Behave): Named[] =>
  list.map((value) => [`${what} ${JSON.stringify(value).slice(0, 100)}`, make(value as never)])

const STATUSES: readonly JsonObject[] = [
  {},
  { message: 'no' },
  { reason: 'Odd' },
  { message: 'no', reason: 'Invalid', code: 422 },
  { message: 'no', code: 200 },
  { message: 'no', code: 399 },
  { message: 'no', code: 404, reason: 'NotFound' },
  { message: 'no', code: 600 },
  { message: 'no', code: 999 },
  { message: 'no', code: 500, details: { retryAfterSeconds: 3 } },
  { message: 'no', code: 429, reason: 'TooManyRequests', details: { retryAfterSeconds: 1 } },
  { status: 'Success', message: 'odd' },
  { message: 'm', details: { name: 'n', kind: 'k', causes: [{ reason: 'r', message: 'm', field: 'f' }] } },
  { message: 'a\nb\tc "d" é \u0000' },
  { message: 'x'.repeat(5000) },
  { metadata: { continue: 'x', resourceVersion: '5' }, message: 'with metadata' },
]

const WARNINGS: readonly Json[] = [
  ['careful'],
  ['', ' ', 'a'],
  ['x'.repeat(300)],
  ['x'.repeat(5000), 'y'.repeat(300), 'z'],
  Array.from({ length: 60 }, (_, i) => `${i} ${'w'.repeat(100)}`),
  Array.from({ length: 5000 }, (_, i) => `${i}`),
  ['same', 'same', 'other'],
  ['line\nbreak', 'tab\there', '\u0000', 'quote " and \\'],
  ['é ü 日本', '😀'.repeat(200)],
  [`${'é'.repeat(4096)}`, 'after'],
  ['\ud800'],
]

const ANNOTATIONS: readonly JsonObject[] = [
  { ok: 'v' },
  { '': 'v' },
  { 'a/b': 'v' },
  { 'A B': 'v' },
  { ü: 'v', ['x'.repeat(100)]: 'y' },
  { __proto__x: 'v', constructor: 'c' },
  { long: 'x'.repeat(100_000) },
]

const TOPS: readonly JsonObject[] = [
  { apiVersion: 'admission.k8s.io/v1beta1' },
  { apiVersion: 'admission.k8s.io/v2' },
  { apiVersion: 'v1' },
  { apiVersion: '' },
  { kind: '' },
  { kind: 'Review' },
  { kind: 'Status', apiVersion: 'v1', status: 'Failure', message: 'm' },
  { response: null },
  { response: {} },
  { response: [] },
  { request: {} },
  { unheard: 1 },
]

const PATCHES: readonly Json[] = [
  [],
  [{ op: 'add', path: '/metadata/labels', value: { hooked: 'yes' } }],
  [{ op: 'add', path: '/metadata/labels/x', value: 'y' }],
  [{ op: 'add', path: '/metadata/labels', value: { 'bad key!': 'y' } }],
  [{ op: 'replace', path: '/metadata/uid', value: 'other' }],
  [{ op: 'add', path: '/metadata/uid', value: '00000000-0000-4000-8000-000000000000' }],
  [{ op: 'remove', path: '/metadata/uid' }],
  [{ op: 'add', path: '/metadata/resourceVersion', value: '1' }],
  [{ op: 'add', path: '/metadata/resourceVersion', value: 'x' }],
  [{ op: 'remove', path: '/metadata/resourceVersion' }],
  [{ op: 'add', path: '/metadata/managedFields', value: [] }],
  [{ op: 'add', path: '/metadata/managedFields', value: null }],
  [{ op: 'remove', path: '/metadata/managedFields' }],
  [{ op: 'add', path: '/metadata/managedFields', value: [{}] }],
  [
    {
      op: 'add',
      path: '/metadata/managedFields',
      value: [
        {
          manager: 'm',
          operation: 'Update',
          apiVersion: 'v1',
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:data': {} },
        },
      ],
    },
  ],
  [{ op: 'add', path: '/metadata/name', value: 'other' }],
  [{ op: 'remove', path: '/metadata/name' }],
  [{ op: 'add', path: '/metadata/generateName', value: 'gen-' }],
  [{ op: 'add', path: '/metadata/namespace', value: 'default' }],
  [{ op: 'remove', path: '/metadata/namespace' }],
  [{ op: 'add', path: '/metadata/creationTimestamp', value: '2001-01-01T00:00:00Z' }],
  [{ op: 'add', path: '/metadata/creationTimestamp', value: 'never' }],
  [{ op: 'add', path: '/metadata/deletionTimestamp', value: '2001-01-01T00:00:00Z' }],
  [{ op: 'add', path: '/metadata/deletionGracePeriodSeconds', value: 5 }],
  [{ op: 'add', path: '/metadata/generation', value: 77 }],
  [{ op: 'add', path: '/metadata/selfLink', value: '/x' }],
  [{ op: 'add', path: '/metadata/finalizers', value: ['example.com/f'] }],
  [{ op: 'add', path: '/metadata/finalizers', value: ['bad'] }],
  [
    {
      op: 'add',
      path: '/metadata/ownerReferences',
      value: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }],
    },
  ],
  [{ op: 'add', path: '/metadata/ownerReferences', value: [{}] }],
  [{ op: 'add', path: '/metadata/unheard', value: 1 }],
  [{ op: 'add', path: '/unheard', value: 1 }],
  [{ op: 'add', path: '/status', value: { phase: 'Odd' } }],
  [{ op: 'add', path: '/metadata', value: null }],
  [{ op: 'remove', path: '/metadata' }],
  [{ op: 'add', path: '/metadata', value: 'x' }],
  [{ op: 'remove', path: '/apiVersion' }],
  [{ op: 'remove', path: '/kind' }],
  [{ op: 'replace', path: '/apiVersion', value: 'v2' }],
  [{ op: 'replace', path: '', value: {} }],
  [{ op: 'add', path: '', value: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' } } }],
  [{ op: 'remove', path: '' }],
  [{ op: 'add', path: '/data', value: { a: 'hooked' } }],
  [{ op: 'add', path: '/data/new', value: 'x' }],
  [{ op: 'add', path: '/data/bad key', value: 'x' }],
  [{ op: 'add', path: '/data/a', value: null }],
  [{ op: 'add', path: '/immutable', value: true }],
  [{ op: 'add', path: '/immutable', value: 'yes' }],
  [{ op: 'add', path: '/spec/containers/-', value: { name: 'side', image: 'i' } }],
  [{ op: 'add', path: '/spec/containers/-', value: { name: 'c', image: 'i' } }],
  [{ op: 'replace', path: '/spec/containers/0/image', value: '' }],
  [{ op: 'add', path: '/spec/replicas', value: 5 }],
  [{ op: 'add', path: '/spec/replicas', value: -5 }],
  [{ op: 'add', path: '/spec/replicas', value: 1.5 }],
  [{ op: 'move', from: '/data', path: '/binaryData' }],
  [{ op: 'copy', from: '/data/a', path: '/data/b' }],
  [{ op: 'test', path: '/metadata/name', value: 'nope' }],
  [{ op: 'test', path: '/kind', value: 'ConfigMap' }],
  [{ op: 'add', path: 'data/a', value: 'x' }],
  [{ op: 'add', path: '/data~2', value: 'x' }],
  [{ op: 'add', path: '/__proto__/x', value: 'x' }],
  [{ op: 'add', path: '/constructor/prototype/x', value: 'x' }],
  [{}],
  [null],
  [[]],
  [1],
  'text',
  Array.from({ length: 2000 }, (_, i) => ({ op: 'add', path: `/data/k${i}`, value: 'v' })),
]

/** Answers that allow, refuse or change what they should not. */
const ODD: readonly Named[] = [
  ...named('refuses', STATUSES, (status: JsonObject) => deny(status)),
  ...named('warns', WARNINGS, (warnings: Json) => allow({ warnings })),
  ...named('warns and refuses', WARNINGS.slice(0, 3), (warnings: Json) =>
    answer({ allowed: false, warnings }),
  ),
  ...named('notes', ANNOTATIONS, (auditAnnotations: Json) => allow({ auditAnnotations })),
  ...named('is', TOPS, (top: JsonObject) => answer({ allowed: true }, top)),
  ['says nothing of it', answer({})],
  ['allows with a status', allow({ status: { message: 'fine', code: 500, reason: 'Odd' } })],
  ['allows in words', answer({ allowed: 'true' })],
  ['refuses and changes', answer({ allowed: false, patchType: 'JSONPatch', patch: 'W10=' })],
]

const CHANGES = named('changes', PATCHES, (operations: Json) => patch(operations))

/** Those whose end is waited for a second, and those that say the address they were reached at in words of the machine. */
const NOT_HERE = /^a body (that stops|without an end)$|^nothing at all$/

const FOUND: readonly Named[] = [...LIES, ...BAD_PATCHES].filter(([what]) => !NOT_HERE.test(what))

/** Redirects, relative to where the webhook is. */
const REDIRECTS: readonly Named[] = [301, 302, 303, 304, 307, 308].flatMap((code) =>
  [
    '',
    '/ok',
    'ok',
    '?x=1',
    '/hop/3',
    '/hop/12',
    '//127.0.0.1:1/x',
    'http://127.0.0.1:1/x',
    'https://none.invalid/',
    ':',
    '%zz',
    'ftp://a/b',
  ].map((location): Named => [
    `redirects ${code} ${location}`,
    (_review, out) => {
      out.writeHead(code, location === '' ? {} : { location })
      out.end()
    },
  ]),
)

/** What a webhook does next. */
export function drawAnswer(draw: Draw, isMutating: boolean): Named {
  if (draw.chance(0.25)) return ['allows', allow()]
  if (isMutating && draw.chance(0.6)) return draw.of(CHANGES)
  return draw.of(draw.of([ODD, ODD, CHANGES, FOUND, FOUND, REDIRECTS]))
}
