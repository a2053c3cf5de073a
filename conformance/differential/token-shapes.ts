// Random requests for tokens, tokens of all sorts (issued, forged with the servers' own key, broken), and headers that ask
// to act as somebody else. Used by tokens.ts.
import { createSign, type KeyObject } from 'node:crypto'
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import type { Draw } from './mutations.ts'
import { type Headers, perhaps, several } from './both.ts'

export const ISSUER = 'https://kubernetes.default.svc'
const AUDIENCES = [ISSUER, 'one', 'two', '', 'https://kubernetes.default.svc.cluster.local']
const HOUR = 3600

/** What a server has under a name: its uid, which the other does not share. */
export type Uids = (kind: string, name: string) => string

const REFERENCES = [
  ['Pod', 'v1', 'p'],
  ['Pod', 'v1', 'placed'],
  ['Pod', 'v1', 'lost'],
  ['Pod', 'v1', 'others'],
  ['Pod', 'v1', 'absent'],
  ['Secret', 'v1', 's'],
  ['Secret', 'v1', 'absent'],
  ['Node', 'v1', 'node'],
  ['Node', 'v1', 'absent'],
  ['ConfigMap', 'v1', 'c'],
  ['Pod', 'apps/v1', 'p'],
  ['Pod', '', 'p'],
  ['', '', ''],
  ['Pod', 'v1', ''],
] as const

/** The body of a TokenRequest, as each server's uids make it. */
export function tokenRequest(draw: Draw, tag: string): (uids: Uids) => JsonObject {
  const [kind, apiVersion, name] = draw.of(REFERENCES)
  const named = kind === 'Node' ? `${name}-${tag}` : name
  const uid = draw.of(['none', 'none', 'right', 'wrong'])
  const bound = draw.chance(0.6)
  const expirationSeconds = draw.of<Json | undefined>([
    undefined,
    undefined,
    600,
    599,
    3607,
    0,
    -1,
    2 ** 32,
    2 ** 32 + 1,
    86_400,
    '600',
    1.5,
    null,
  ])
  const audiences = draw.of<Json | undefined>([
    undefined,
    undefined,
    several(draw, AUDIENCES, 0, 2),
    [''],
    null,
    'x',
  ])
  const metadata = perhaps(draw, 0.2, () => ({
    metadata: draw.of<JsonObject>([
      { name: 'a' },
      { name: 'x' },
      { namespace: 'x' },
      { uid: 'wrong' },
      { labels: { a: 'b' } },
      { annotations: { a: 'b' }, name: 'a' },
    ]),
  }))
  return (uids) => {
    const shownUid = uid === 'right' ? uids(kind, named) : 'b59d6a9c-0000-4000-8000-000000000000'
    const ref: JsonObject = { kind, apiVersion, name: named, ...(uid === 'none' ? {} : { uid: shownUid }) }
    const spec: JsonObject = {
      ...(audiences === undefined ? {} : { audiences }),
      ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
      ...(bound ? { boundObjectRef: ref } : {}),
    }
    return { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', ...metadata, spec }
  }
}

const encoded = (value: Json): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token of these claims. */
export function signed(claims: Json, key: KeyObject, header: JsonObject): string {
  const content = `${encoded(header)}.${encoded(claims)}`
  return `${content}.${createSign('RSA-SHA256').update(content).sign(key).toString('base64url')}`
}

/** The claims of a token, without what is drawn; undefined for what is none. */
export function claimsOf(token: string): JsonObject | undefined {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as JsonObject
    const { exp, iat, nbf, jti, ...rest } = claims
    const { warnafter, ...own } = (rest['kubernetes.io'] ?? {}) as JsonObject
    return {
      ...rest,
      'kubernetes.io': own,
      lasts: Number(exp) - Number(iat),
      warns: Number(warnafter ?? iat) - Number(iat),
      starts: Number(nbf) - Number(iat),
      jti: typeof jti,
    }
  } catch {
    return undefined
  }
}

/** What takes the place of right claims. */
const oddClaims = (namespace: string, now: number): JsonObject[] => [
  {},
  {},
  {},
  {},
  {},
  { iss: 'https://other' },
  { iss: '' },
  { aud: 'x' },
  { aud: [] },
  { aud: ISSUER },
  { aud: 5 },
  { exp: 'x' },
  { sub: 'x' },
  { jti: '' },
  { 'kubernetes.io': {} },
  { 'kubernetes.io': null },
  { 'kubernetes.io': 'x' },
  { 'kubernetes.io': { namespace: 5 } },
  { 'kubernetes.io': { namespace, serviceaccount: [] } },
  { 'kubernetes.io': { pod: true } },
  { aud: [5] },
  { aud: null },
  { jti: 5 },
  { exp: null },
  { nbf: null, iat: null },
  { iat: null },
  { iat: now + HOUR, nbf: null },
  { sub: `system:serviceaccount:${namespace}:b` },
]

/** Claims that are right but for what is drawn. */
export function forgedClaims(draw: Draw, namespace: string, tag: string): (uids: Uids) => JsonObject {
  const now = Math.floor(Date.now() / 1000)
  const from = draw.of([0, 0, 0, 0, -2 * HOUR, 2 * HOUR, -HOUR - 30, 30])
  const account = draw.of(['a', 'a', 'a', 'b', 'absent'])
  const [kind, name] = draw.of<readonly [string, string]>([
    ...([
      ['', ''],
      ['', ''],
      ['pod', 'p'],
      ['pod', 'absent'],
      ['pod', 'placed'],
      ['secret', 's'],
      ['node', `node-${tag}`],
      ['node', 'absent'],
      ['secret', 'absent'],
    ] as const),
  ])
  const wrong = draw.chance(0.15)
  const odd = draw.of(oddClaims(namespace, now))
  return (uids) => {
    const own: JsonObject = {
      namespace,
      serviceaccount: { name: account, uid: uids('ServiceAccount', account) },
      ...(kind === ''
        ? {}
        : {
            [kind]: { name, uid: wrong ? 'wrong' : uids(`${kind[0]?.toUpperCase()}${kind.slice(1)}`, name) },
          }),
    }
    const claims: JsonObject = {
      iss: ISSUER,
      aud: [ISSUER],
      sub: `system:serviceaccount:${namespace}:${account}`,
      iat: now + from,
      nbf: now + from,
      exp: now + from + HOUR,
      jti: 'j',
      'kubernetes.io': own,
      ...odd,
    }
    return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== null))
  }
}

/** The claims of the tokens that secrets hold. */
export function legacyClaims(draw: Draw, namespace: string): (uids: Uids) => JsonObject {
  const secret = draw.of(['legacy', 'legacy', 'absent', 's'])
  const account = draw.of(['a', 'a', 'b', 'absent'])
  const place = draw.chance(0.9) ? namespace : ''
  const odd = draw.of<JsonObject>([{}, {}, {}, { sub: 'x' }, { iss: 'x' }, { aud: ['one'] }])
  return (uids) => ({
    iss: 'kubernetes/serviceaccount',
    'kubernetes.io/serviceaccount/namespace': place,
    'kubernetes.io/serviceaccount/secret.name': secret,
    'kubernetes.io/serviceaccount/service-account.name': account,
    'kubernetes.io/serviceaccount/service-account.uid': uids('ServiceAccount', account),
    sub: `system:serviceaccount:${namespace}:${account}`,
    ...odd,
  })
}

/** Not a token, or not any more. */
export const garbled = (draw: Draw, token: string): string =>
  draw.of([
    'x',
    'a.b.c',
    '..',
    `${token}x`,
    token.slice(0, -4),
    token.split('.').slice(0, 2).join('.'),
    `${encoded({ alg: 'none' })}.${token.split('.')[1]}.`,
    `${encoded({ alg: 'HS256', kid: 'x' })}.${token.split('.')[1]}.${token.split('.')[2]}`,
    'abcdef.0123456789abcdef',
  ])

const NAMES = [
  'ann',
  'bob',
  'system:anonymous',
  'system:node:n',
  'system:serviceaccount:default:x',
  'system:serviceaccount:Bad Name:x',
  'system:serviceaccount:x',
  'system:node:',
  '',
  'a b',
  'system:kube-scheduler',
]
const GROUPS = [
  'red',
  'blue',
  'system:masters',
  'system:authenticated',
  'system:unauthenticated',
  '',
  'a,b',
  'system:nodes',
  'system:serviceaccounts',
]
const EXTRAS = [
  'scopes',
  'Scopes',
  'a%2fb',
  'a%2Fb',
  'a%zz',
  'a%',
  'example.com%2fkey',
  'acme%40x',
  '%e4%bd%a0',
  'a%00b',
  'authentication.kubernetes.io%2fnode-name',
  'A.B',
  'a_b',
  '%',
]

/** The headers of somebody who wants to be another. */
export function impersonation(draw: Draw): Headers {
  const extras = several(draw, EXTRAS, 0, draw.chance(0.7) ? 1 : 3).map(
    (key) => [`impersonate-extra-${key}`, several(draw, ['v', '', 'w', 'a,b'], 1, 2)] as const,
  )
  const user = draw.chance(0.08) ? ['ann', 'bob'] : draw.of(NAMES)
  return {
    ...(draw.chance(0.93) ? { 'impersonate-user': user } : {}),
    ...(draw.chance(0.5) ? { 'impersonate-group': several(draw, GROUPS, 1, draw.chance(0.8) ? 2 : 6) } : {}),
    ...(draw.chance(0.2) ? { 'impersonate-uid': draw.of(['u', '', 'x y']) } : {}),
    ...(draw.chance(0.5) ? Object.fromEntries(extras) : {}),
    ...(draw.chance(0.03) ? { 'impersonate-extra-': 'x' } : {}),
    ...(draw.chance(0.03) ? { 'impersonate-foo': 'x' } : {}),
  }
}

/** A rule that lets somebody impersonate somebody in some way. */
export function impersonationRule(draw: Draw): JsonObject {
  const mode = draw.of(['user-info', 'serviceaccount', 'arbitrary-node', 'associated-node'])
  const form = draw.of(['legacy', 'legacy', 'mode', 'mode', 'on', 'on'])
  if (form === 'on')
    return {
      verbs: [
        draw.of([
          `impersonate-on:${mode}:create`,
          `impersonate-on:${mode}:create`,
          `impersonate-on:${mode}:get`,
          '*',
        ]),
      ],
      apiGroups: ['*'],
      resources: ['*'],
    }
  const names = perhaps(draw, 0.4, () => ({
    resourceNames: several(draw, [...NAMES, ...GROUPS, 'v', 'u'], 3, 9),
  }))
  return {
    verbs: [form === 'legacy' ? 'impersonate' : `impersonate:${mode}`],
    apiGroups: form === 'legacy' ? [draw.of(['', 'authentication.k8s.io', '*'])] : ['authentication.k8s.io'],
    resources: several(
      draw,
      [
        'users',
        'groups',
        'serviceaccounts',
        'uids',
        'userextras/scopes',
        'userextras/*',
        'userextras/a/b',
        'nodes',
        '*',
      ],
      1,
      5,
    ),
    ...names,
  }
}
