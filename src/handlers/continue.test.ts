import { describe, expect, it } from 'vitest'
import { decodeContinue, encodeContinue } from './continue.ts'

const token = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('continue tokens', () => {
  it('come back as they went', () => {
    expect(decodeContinue(encodeContinue('ns/name\0', 17))).toEqual({ start: 'ns/name\0', revision: 17 })
  })

  it('are upstream’s', () => {
    expect(Buffer.from(encodeContinue('x\0', 5), 'base64url').toString()).toBe(
      '{"v":"meta.k8s.io/v1","rv":5,"start":"x\\u0000"}',
    )
  })

  it.each([
    ['%', 'illegal base64 data at input byte 0'],
    ['abc', "invalid character 'i' looking for beginning of value"],
    [token({}), 'server does not recognize this encoded version '],
    [token({ v: 'v2' }), 'server does not recognize this encoded version v2'],
    [
      token({ v: 'meta.k8s.io/v1', rv: 0, start: 'x' }),
      'incorrect encoded start resourceVersion (version meta.k8s.io/v1)',
    ],
    [token({ v: 'meta.k8s.io/v1', rv: 1, start: '' }), 'encoded start key empty (version meta.k8s.io/v1)'],
    [token({ v: 'meta.k8s.io/v1', rv: 1, start: '../other' }), '../other'],
    [token([]), 'server does not recognize this encoded version '],
    [token(null), 'server does not recognize this encoded version '],
  ])('%s is refused', (text, why) => {
    expect(() => decodeContinue(text)).toThrow(`invalid continue token: continue key is not valid: ${why}`)
  })
})
