// Compared with url.Parse of Go 1.26 on 6,000 texts that were drawn of such parts; some of them.
import { describe, expect, it } from 'vitest'
import { hookUrlFaults, parseGoUrl } from './gourl.ts'

describe('parseGoUrl', () => {
  it.each<[string, Partial<ReturnType<typeof parseGoUrl>>]>([
    [
      'HTTPS://A.b:443/c%41?q#f',
      { scheme: 'https', host: 'A.b:443', path: '/cA', query: 'q', fragment: 'f' },
    ],
    ['https:opaque', { scheme: 'https', opaque: 'opaque', host: '' }],
    ['https:///path', { host: '', path: '/path' }],
    ['https://u:p@a/', { user: 'u:p', host: 'a' }],
    ['https://a@b@c/', { user: 'a%40b', host: 'c' }],
    ['https://[fe80::1%25eth0]:1/', { host: '[fe80::1%eth0]:1' }],
    ['ftp://fe80::1', { host: 'fe80::1' }],
    ['https://é/ü', { host: 'é', path: '/ü' }],
    ['a/b:c', { scheme: '', path: 'a/b:c' }],
    ['', { path: '' }],
  ])('reads %j', (text, parts) => {
    expect(parseGoUrl(text)).toMatchObject(parts)
  })

  it.each([
    [':', 'parse ":": missing protocol scheme'],
    ['1http://x', 'parse "1http://x": first path segment in URL cannot contain colon'],
    ['https://a:port/', 'parse "https://a:port/": invalid port ":port" after host'],
    ['https://fe80::1', 'parse "https://fe80::1": invalid port "::1" after host'],
    ['https://a b/', 'parse "https://a b/": invalid character " " in host name'],
    ['https://a/\u0001', 'parse "https://a/\\x01": net/url: invalid control character in URL'],
    ['https://a/%zz', 'parse "https://a/%zz": invalid URL escape "%zz"'],
    ['https://a%41/', 'parse "https://a%41/": invalid URL escape "%41"'],
    ['https://[::1/', `parse "https://[::1/": missing ']' in host`],
    ['https://a<@b/', 'parse "https://a<@b/": net/url: invalid userinfo'],
  ])('says what is wrong with %j', (text, message) => {
    expect(() => parseGoUrl(text)).toThrow(new Error(message))
  })
})

describe('hookUrlFaults', () => {
  it('tells all that the address of a webhook cannot have', () => {
    expect(hookUrlFaults('https://a/b')).toEqual([])
    expect(hookUrlFaults('http://u@/?q#f').map(({ value }) => value)).toEqual(['http', '', 'u', 'f', 'q'])
    expect(hookUrlFaults(':')[0]?.value).toBeUndefined()
  })
})
