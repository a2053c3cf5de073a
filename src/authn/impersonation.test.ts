// Acting as others: the requests and answers are those of a kube-apiserver 1.36.3 with the same rules.
import { beforeEach, describe, expect, test } from 'vitest'
import type { AuthorizationAttributes, Authorizer } from '../machinery/attributes.ts'
import { StatusError } from '../machinery/status.ts'
import type { UserInfo } from '../machinery/user.ts'
import { Impersonation } from './impersonation.ts'
import { wantedUser } from './wanteduser.ts'

/** "verb resource[.group][/subresource] name", or "verb path"; a star at the end stands for any name. */
function textOf(a: AuthorizationAttributes): string {
  if (!a.isResourceRequest) return `${a.verb} ${a.path}`
  const resource = a.group === '' ? a.resource : `${a.resource}.${a.group}`
  return `${a.verb} ${a.subresource === '' ? resource : `${resource}/${a.subresource}`} ${a.name}`.trim()
}

const bob: UserInfo = { name: 'bob', groups: ['system:authenticated'] }
const listPods: AuthorizationAttributes = {
  user: bob,
  verb: 'list',
  isResourceRequest: true,
  path: '/api/v1/namespaces/n/pods',
  group: '',
  version: 'v1',
  resource: 'pods',
  subresource: '',
  namespace: 'n',
  name: '',
}
const AUTHN = 'authentication.k8s.io'
const BOB_MAY = new Set([
  'impersonate users carl',
  'impersonate serviceaccounts x',
  `impersonate:user-info users.${AUTHN} dora`,
  `impersonate:user-info groups.${AUTHN} g1`,
  `impersonate:user-info groups.${AUTHN} system:masters`,
  `impersonate:arbitrary-node nodes.${AUTHN} n1`,
  'impersonate-on:user-info:list pods',
  'impersonate-on:arbitrary-node:list pods',
])

let asked: string[]
let impersonation: Impersonation
const permitting = (
  allows: (text: string, attributes: AuthorizationAttributes) => boolean,
): Impersonation => {
  const authorizer: Authorizer = {
    authorize(attributes) {
      asked.push(textOf(attributes))
      return { decision: allows(textOf(attributes), attributes) ? 'allow' : 'noOpinion', reason: '' }
    },
  }
  const forbidden = (attributes: AuthorizationAttributes, reason: string): StatusError =>
    new StatusError({
      code: 403,
      reason: 'Forbidden',
      message: reason === '' ? textOf(attributes) : `${textOf(attributes)}: ${reason}`,
    })
  return new Impersonation({ authorizer, forbidden })
}
beforeEach(() => {
  asked = []
  impersonation = permitting((text) => BOB_MAY.has(text))
})

const sent = (...headers: [string, string][]): UserInfo => wantedUser(headers.flat()) as UserInfo
const as = (name: string, ...more: [string, string][]): UserInfo => sent(['Impersonate-User', name], ...more)

describe('headers', () => {
  test('no impersonation, whatever else begins with i', () => {
    expect(
      wantedUser(['If-Match', 'x', 'Impersonate-Groups-All', 'y', 'Impersonation', 'z', 'impersonate', '']),
    ).toBeUndefined()
    expect(wantedUser(['Impersonate-User', ''])).toBeUndefined()
  })
  test('the first user, every group, extra by key', () => {
    expect(
      sent(
        ['Impersonate-User', 'a'],
        ['impersonate-user', 'b'],
        ['Impersonate-Group', 'x, y'],
        ['IMPERSONATE-GROUP', 'z'],
        ['Impersonate-Extra-Example.com%2fScope', '1'],
        ['impersonate-extra-example.com%2Fscope', '2'],
        ['Impersonate-Extra-bad%2', '3'],
        ['Impersonate-Extra-__proto__', '4'],
        ['Impersonate-Uid', 'u'],
      ),
    ).toEqual({
      name: 'a',
      uid: 'u',
      groups: ['x, y', 'z'],
      extra: Object.fromEntries([
        ['example.com/scope', ['1', '2']],
        ['bad%2', ['3']],
        ['__proto__', ['4']],
      ]),
    })
  })
  test.each([
    [[['Impersonate-Group', 'g']], 'Name:"", UID:"", Groups:[]string{"g"}, Extra:map[string][]string(nil)'],
    [
      [
        ['Impersonate-Extra-b', '1'],
        ['Impersonate-Extra-a%2fc', 'x"y'],
        ['Impersonate-Uid', 'u'],
      ],
      'Name:"", UID:"u", Groups:[]string(nil), Extra:map[string][]string{"a/c":[]string{"x\\"y"}, "b":[]string{"1"}}',
    ],
    [
      [
        ['Impersonate-User', ''],
        ['Impersonate-Group', 'u'],
      ],
      'Name:"", UID:"", Groups:[]string{"u"}, Extra:map[string][]string(nil)',
    ],
  ] as [[string, string][], string][])('%j without a user is a 400', (headers, shown) => {
    expect(() => sent(...headers)).toThrow(
      expect.objectContaining({
        code: 400,
        message: `requested &user.DefaultInfo{${shown}} without impersonating a user name`,
      }),
    )
  })
})

describe('allowed', () => {
  test('legacy, by the name alone', async () => {
    expect(await impersonation.impersonate(as('carl'), listPods)).toEqual({
      name: 'carl',
      groups: ['system:authenticated'],
    })
  })
  test('service accounts bring their groups', async () => {
    expect(await impersonation.impersonate(as('system:serviceaccount:default:x'), listPods)).toMatchObject({
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
    })
  })
  test('constrained: users with the groups that they may have', async () => {
    expect(await impersonation.impersonate(as('dora', ['Impersonate-Group', 'g1']), listPods)).toEqual({
      name: 'dora',
      groups: ['g1', 'system:authenticated'],
    })
  })
  test('constrained: nodes, in the group of nodes', async () => {
    expect(await impersonation.impersonate(as('system:node:n1'), listPods)).toEqual({
      name: 'system:node:n1',
      groups: ['system:nodes', 'system:authenticated'],
    })
  })
  test('anonymous, and groups that say who is not known', async () => {
    const all = permitting(() => true)
    expect(await all.impersonate(as('system:anonymous'), listPods)).toMatchObject({
      groups: ['system:unauthenticated'],
    })
    expect(
      await all.impersonate(as('a', ['Impersonate-Group', 'system:unauthenticated']), listPods),
    ).toMatchObject({
      groups: ['system:unauthenticated'],
    })
    expect(
      await all.impersonate(as('a', ['Impersonate-Group', 'system:authenticated']), listPods),
    ).toMatchObject({
      groups: ['system:authenticated'],
    })
  })
  test('a pod on its own node, under a rule for every node', async () => {
    const may = new Set([
      `impersonate:associated-node nodes.${AUTHN} *`,
      'impersonate-on:associated-node:list pods',
    ])
    const node = (name: string): UserInfo => ({
      name: 'system:serviceaccount:n:agent',
      groups: [],
      extra: { 'authentication.kubernetes.io/node-name': [name], other: ['x'] },
    })
    const extras: unknown[] = []
    const agent = permitting((text, { user }) => {
      if (may.has(text)) extras.push(user.extra)
      return may.has(text)
    })
    expect(await agent.impersonate(as('system:node:n1'), { ...listPods, user: node('n1') })).toMatchObject({
      name: 'system:node:n1',
      groups: ['system:nodes', 'system:authenticated'],
    })
    expect(extras).toContainEqual({
      'authentication.kubernetes.io/associated-node-keys': [
        'authentication.kubernetes.io/node-name',
        'other',
      ],
    })
    await expect(agent.impersonate(as('system:node:n1'), { ...listPods, user: node('n2') })).rejects.toThrow()
  })
  test('system:masters only by legacy', async () => {
    const all = permitting(() => true)
    await all.impersonate(as('a', ['Impersonate-Group', 'system:masters']), listPods)
    expect(asked.at(-1)).toBe('impersonate groups system:masters')
  })
  test('the mode that allowed last is tried first', async () => {
    const all = permitting(() => true)
    await all.impersonate(as('a', ['Impersonate-Group', 'system:masters']), listPods)
    expect(await all.impersonate(as('system:node:n1'), listPods)).toMatchObject({
      groups: ['system:authenticated'],
    })
  })
  test('many groups are asked for at once', async () => {
    const groups = ['1', '2', '3', '4'].map((g): [string, string] => ['Impersonate-Group', g])
    await permitting((text) => !/groups\.\S+ \d/.test(text)).impersonate(as('a', ...groups), listPods)
    expect(asked.at(-1)).toBe(`impersonate:user-info groups.${AUTHN} *`)
  })
})

describe('refused', () => {
  const refusal = (wanted: UserInfo, attributes = listPods): Promise<string> =>
    impersonation.impersonate(wanted, attributes).then(
      () => 'allowed',
      (error: unknown) => (error as Error).message,
    )
  test.each([
    ['another group', as('dora', ['Impersonate-Group', 'g2']), `impersonate:user-info groups.${AUTHN} g2`],
    [
      'masters',
      as('dora', ['Impersonate-Group', 'system:masters']),
      `impersonate:user-info groups.${AUTHN} system:masters: impersonating the system:masters group is not allowed`,
    ],
    ['a uid', as('dora', ['Impersonate-Uid', 'u']), `impersonate:user-info uids.${AUTHN} u`],
    [
      'extra',
      as('dora', ['Impersonate-Extra-a.b%2fc', 'u']),
      `impersonate:user-info userextras.${AUTHN}/a.b/c u`,
    ],
    [
      'extra of another form',
      as('dora', ['Impersonate-Extra-scopes', 'u']),
      `impersonate:user-info userextras.${AUTHN}: impersonating an invalid key in extra is not allowed: extra.key: Invalid value: "scopes": must be a domain-prefixed path (such as "acme.io/foo")`,
    ],
    ['another node', as('system:node:n2'), `impersonate:arbitrary-node nodes.${AUTHN} n2`],
    ['somebody', as('nobody'), `impersonate:user-info users.${AUTHN} nobody`],
  ])('%s', async (_, wanted, message) => {
    expect(await refusal(wanted)).toBe(message)
  })
  test('on other resources and paths', async () => {
    expect(await refusal(as('dora'), { ...listPods, resource: 'services' })).toBe(
      'impersonate-on:user-info:list services',
    )
    const path = {
      ...listPods,
      isResourceRequest: false,
      verb: 'get',
      path: '/version',
      resource: '',
      group: '',
    }
    expect(await refusal(as('dora'), path)).toBe('impersonate-on:user-info:get /version')
  })
  test('told by the mode that allowed last', async () => {
    await impersonation.impersonate(as('carl'), listPods)
    expect(await refusal(as('nobody'))).toBe('impersonate users nobody')
  })
})
