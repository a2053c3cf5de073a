// Webhooks that send the server on to another address, and what they are told there.
// The texts are those of kube-apiserver 1.36.3, asked the same by conformance/differential/webhooks.ts.
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { Hooked, NAMESPACE } from './hooked.ts'
import { allow, type Behave, HookServer } from './hookserver.ts'

const hooked = new Hooked()
const { configure, dryRun } = hooked
beforeAll(() => hooked.start())
afterEach(() => hooked.reset())
afterAll(() => hooked.stop())

/** Sends those who ask for /hook on; answers all others. */
const leading =
  (status: number, location: string): Behave =>
  (review, out, path) => {
    if (!path.startsWith('/hook')) return allow()(review, out, path)
    out.writeHead(status, { location })
    out.end()
  }

const asked = (hooks: HookServer): string[] => hooks.reviews.map(({ method, path }) => `${method} ${path}`)

describe('a webhook that redirects', () => {
  it.each([307, 308])('by %i is asked the same again', async (status) => {
    await configure('validating', hooked.hooks.hook(NAMESPACE))
    expect((await dryRun(leading(status, '/other?a=b'))).code).toBe(201)
    expect(asked(hooked.hooks)).toEqual(['POST /hook?timeout=5s', 'POST /other?a=b'])
    expect(hooked.hooks.reviews[1]?.review).toEqual(hooked.hooks.reviews[0]?.review)
  })

  it.each([301, 302, 303])(
    'by %i is asked for another document, which answers no question',
    async (status) => {
      await configure('validating', hooked.hooks.hook(NAMESPACE))
      const { code, body } = await dryRun(leading(status, 'other'))
      expect(asked(hooked.hooks)).toEqual(['POST /hook?timeout=5s', 'GET /other'])
      expect(code).toBe(500)
      expect(body['message']).toContain('received invalid webhook response: expected response.uid=')
    },
  )

  it('to another server is believed where that shows a certificate of its CAs', async () => {
    const other = await HookServer.start()
    onTestFinished(() => other.stop())
    const both = [hooked.hooks, other].map(({ caBundle }) => Buffer.from(caBundle, 'base64').toString())
    const caBundle = Buffer.from(both.join('\n')).toString('base64')
    await configure(
      'validating',
      hooked.hooks.hook(NAMESPACE, { clientConfig: { url: hooked.hooks.url(), caBundle } }),
    )
    expect((await dryRun(leading(307, other.url('/there')))).code).toBe(201)
    expect(asked(other)).toEqual(['POST /there'])
    await hooked.reset()
    await configure('validating', hooked.hooks.hook(NAMESPACE))
    const { body } = await dryRun(leading(307, other.url('/there')))
    expect(body['message']).toContain(
      `Post "${other.url('/there')}": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
    )
    expect(asked(other)).toEqual(['POST /there'])
  })

  it.each([
    ['to itself', '/hook', 'Post "/hook": stopped after 10 redirects'],
    ['elsewhere than to the web', 'ftp://a/b', 'Post "ftp://a/b": unsupported protocol scheme "ftp"'],
    [
      'to what is no address',
      ':',
      'Post "URL?timeout=5s": failed to parse Location header ":": parse ":": missing protocol scheme',
    ],
    ['to nowhere', '', 'the server responded with the status code 307 but did not return more information'],
  ])('%s is told of', async (_what, location, why) => {
    await configure('validating', hooked.hooks.hook(NAMESPACE))
    const { body } = await dryRun(leading(307, location))
    const message = String(body['message']).replaceAll(hooked.hooks.url(), 'URL')
    expect(message).toBe(
      `Internal error occurred: failed calling webhook "a.hooks.test": failed to call webhook: ${why}`,
    )
  })
})
