import { describe, expect, it } from 'vitest'
import { identityHeaders, passedOn } from './headers.ts'

const NONE = { names: new Set<string>(), prefixes: [] }

describe('passedOn', () => {
  it('keeps what is about the request, each value by itself', () => {
    const raw = ['Accept', 'a', 'accept', 'b', 'X-One', '', '__proto__', 'x', ':path', '/']
    expect({ ...passedOn(raw, NONE) }).toEqual(
      Object.fromEntries([
        ['accept', ['a', 'b']],
        ['x-one', ''],
        ['__proto__', 'x'],
      ]),
    )
  })

  it.each([
    'Authorization',
    'Impersonate-User',
    'Impersonate-Extra-Scopes',
    'X-Remote-User',
    'X-Remote-Extra-A',
    'X-Proxy-User',
    'X-Proxy-Extra-A',
    'Host',
    'Transfer-Encoding',
    'Upgrade',
    'Expect',
  ])('does not pass %s on', (name) => {
    const proxies = { names: new Set(['x-proxy-user']), prefixes: ['x-proxy-extra-'] }
    expect({ ...passedOn([name, 'x'], proxies) }).toEqual({})
  })

  it('takes tokens out of the protocols of WebSockets', () => {
    const protocols = (value: string) =>
      passedOn(['Sec-WebSocket-Protocol', value], NONE)['sec-websocket-protocol']
    expect(protocols('base64url.bearer.authorization.k8s.io.c2VjcmV0, v5.channel.k8s.io')).toBe(
      'v5.channel.k8s.io',
    )
    expect(protocols('base64url.bearer.authorization.k8s.io.c2VjcmV0')).toBeUndefined()
  })
})

describe('identityHeaders', () => {
  it('escapes keys, and writes names in UTF-8', () => {
    const user = { name: 'ö', groups: [], extra: { 'Ab%/é': ['1'], none: [] } }
    expect(identityHeaders(user)).toEqual({ 'X-Remote-User': 'Ã¶', 'X-Remote-Extra-Ab%25%2F%C3%A9': ['1'] })
  })
})
