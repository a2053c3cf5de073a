// Tokens shown to somebody else: the same answers as a request with them would get, with why not.
import { expect, test } from 'vitest'
import { refused, type TokenAuthenticator } from './authenticator.ts'
import { tokenReviewer } from './tokenreview.ts'

const known: TokenAuthenticator = {
  authenticateToken: (token, audiences) =>
    token === 'secret' && audiences.includes('api')
      ? { user: { name: 'jane', groups: ['g'] }, audiences: ['api'] }
      : undefined,
}
const late: TokenAuthenticator = {
  authenticateToken: (token) =>
    token === 'old' ? Promise.reject(refused('token has expired')) : Promise.resolve(undefined),
}
const review = tokenReviewer([known, late], ['api'])

test.each(['secret', 'secret and more'])('%j is known, as an authenticated user', async (token) => {
  expect(await review(token, [])).toEqual({
    user: { name: 'jane', groups: ['g', 'system:authenticated'] },
    audiences: ['api'],
  })
})

test.each([
  ['nope', [], 'invalid bearer token'],
  [' secret', [], 'invalid bearer token'],
  ['   ', [], 'invalid bearer token'],
  ['secret', ['other'], 'invalid bearer token'],
  ['old', [], '[invalid bearer token, token has expired]'],
])('%j for %j: %s', async (token, audiences, error) => {
  expect(await review(token, audiences)).toEqual({ error })
})

test('a fault of our own is no verdict', async () => {
  const broken: TokenAuthenticator = { authenticateToken: () => Promise.reject(new TypeError('ours')) }
  await expect(tokenReviewer([broken], [])('x', [])).rejects.toThrow(TypeError)
})
