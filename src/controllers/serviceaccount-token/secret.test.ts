// What a secret is filled with, and whose it is.
import { expect, it } from 'vitest'
import { filled, isComplete, isTokenOf } from './secret.ts'

const account = { metadata: { namespace: 'n', name: 'a', uid: 'u' } } as never
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const secret = (data: object, annotations: object = {}) =>
  ({
    type: 'kubernetes.io/service-account-token',
    metadata: { namespace: 'n', name: 's', annotations },
    data,
  }) as never
const whole = { token: base64('t'), namespace: base64('n'), 'ca.crt': base64('CA') }

it.each([
  ['empty', {}, 'CA', false],
  ['whole', whole, 'CA', true],
  ['with another CA', whole, 'new', false],
  ['of a cluster that tells no CA', { ...whole, 'ca.crt': '' }, undefined, true],
  ['without a token', { ...whole, token: '' }, 'CA', false],
])('complete: %s', (_what, data, rootCa, complete) => {
  expect(isComplete(secret(data), rootCa)).toBe(complete)
})

it('is filled with what is missing, and keeps the rest', () => {
  const claims: object[] = []
  const sign = (one: object): string => `signed ${claims.push(one)}`
  const done = filled(secret({ mine: 'x', namespace: base64('other') }, { mine: 'y' }), account, {
    sign,
    rootCa: 'CA',
  })
  expect(done.data).toEqual({
    mine: 'x',
    namespace: base64('other'),
    'ca.crt': base64('CA'),
    token: base64('signed 1'),
  })
  expect(done.metadata.annotations).toEqual({
    mine: 'y',
    'kubernetes.io/service-account.name': 'a',
    'kubernetes.io/service-account.uid': 'u',
  })
  expect(claims).toEqual([
    {
      iss: 'kubernetes/serviceaccount',
      'kubernetes.io/serviceaccount/namespace': 'n',
      'kubernetes.io/serviceaccount/secret.name': 's',
      'kubernetes.io/serviceaccount/service-account.name': 'a',
      'kubernetes.io/serviceaccount/service-account.uid': 'u',
      sub: 'system:serviceaccount:n:a',
    },
  ])
  expect(filled(secret(whole), account, { sign, rootCa: 'CA' }).data).toEqual(whole)
})

it.each([
  ['by name', { 'kubernetes.io/service-account.name': 'a' }, true],
  ['by uid', { 'kubernetes.io/service-account.name': 'a', 'kubernetes.io/service-account.uid': 'u' }, true],
  [
    'of one before',
    { 'kubernetes.io/service-account.name': 'a', 'kubernetes.io/service-account.uid': 'v' },
    false,
  ],
  ['of another', { 'kubernetes.io/service-account.name': 'b' }, false],
])('belongs: %s', (_what, annotations, belongs) => {
  expect(isTokenOf(secret({}, annotations), account)).toBe(belongs)
})
