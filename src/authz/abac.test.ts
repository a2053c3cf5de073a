// Policies of a file: whom they are about, what they allow, and lines that are none.
import { expect, test } from 'vitest'
import { abacAuthorizer } from './abac.ts'
import { pathRequest, request, user } from './policy.fixture.ts'

const line = (spec: object): string =>
  JSON.stringify({ apiVersion: 'abac.authorization.kubernetes.io/v1beta1', kind: 'Policy', spec })
const read = (...lines: string[]) => abacAuthorizer('policy', lines.join('\n'))
const allowed = { decision: 'allow', reason: '' }
const nothing = { decision: 'noOpinion', reason: 'No policy matched.' }

const jane = user('jane', 'g', 'system:authenticated')
const list = request(jane, 'list', 'pods', { namespace: 'n' })
const create = request(jane, 'create', 'pods', { namespace: 'n' })

test.each([
  ['its user, group, resource and namespace', { user: 'jane', resource: 'pods', namespace: 'n' }, true, true],
  ['reads only', { user: 'jane', resource: '*', namespace: '*', readonly: true }, true, false],
  ['another namespace', { user: 'jane', resource: 'pods', namespace: 'm' }, false, false],
  ['another API group', { user: 'jane', resource: '*', namespace: '*', apiGroup: 'apps' }, false, false],
  ['a group', { group: 'g', resource: 'pods', namespace: 'n' }, true, true],
  [
    'both a user and a group that she is not in',
    { user: 'jane', group: 'h', resource: '*', namespace: '*' },
    false,
    false,
  ],
  ['nobody', { resource: '*', namespace: '*' }, false, false],
])('%s', (_, spec, mayList, mayCreate) => {
  const { authorize } = read('# who may', '', line(spec))
  expect([authorize(list), authorize(create)]).toEqual(
    [mayList, mayCreate].map((may) => (may ? allowed : nothing)),
  )
})

test('paths, one or all below', () => {
  const { authorize } = read(
    line({ user: 'jane', nonResourcePath: '/a/*' }),
    line({ user: 'jane', nonResourcePath: '/b' }),
  )
  const asked = ['/a/x', '/b', '/b/x'].map((path) => authorize(pathRequest(jane, 'get', path)))
  expect(asked).toEqual([allowed, allowed, nothing])
  expect(authorize(list)).toEqual(nothing)
})

test('policies without a version: what is not said is everything', () => {
  expect(read('{}').authorize(create)).toEqual(allowed)
  expect(read('{}').authorize(request(user('x'), 'get', 'pods'))).toEqual(nothing)
  expect(read('{"user":"*","readonly":true}').authorize(create)).toEqual(nothing)
  expect(read('{"user":"jane","resource":"pods"}').authorize(pathRequest(jane, 'get', '/x'))).toEqual(nothing)
})

test('what a user may do is listed', () => {
  const { rulesFor } = read(
    line({ user: 'jane', resource: 'pods', namespace: 'n', readonly: true }),
    line({ group: 'g', resource: 'jobs', apiGroup: 'batch', namespace: 'm' }),
    line({ group: '*', namespace: '*', nonResourcePath: '/x' }),
  )
  expect(rulesFor(jane, 'n')).toEqual({
    rules: [
      { verbs: ['get', 'list', 'watch'], apiGroups: [''], resources: ['pods'] },
      { verbs: ['*'], nonResourceURLs: ['/x'] },
    ],
    errors: [],
  })
})

test.each(['{', '[]', '{"apiVersion":"v1","kind":"Policy"}', '{"user":1}', '{"readonly":"yes"}'])(
  'a line that is no policy is named: %s',
  (text) => {
    expect(() => read(line({}), text)).toThrow(`error reading policy file policy, line 2: ${text}: `)
  },
)
