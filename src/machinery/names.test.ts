import { describe, expect, it } from 'vitest'
import {
  generateName,
  nameIsDns1035Label,
  nameIsDnsLabel,
  nameIsDnsSubdomain,
  nameIsPathSegment,
} from './names.ts'
import {
  configMapKeyErrors,
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  envVarNameErrors,
  labelValueErrors,
  portNameErrors,
  portNumberErrors,
  qualifiedNameErrors,
} from './validation.ts'

describe('generateName', () => {
  it('adds five characters without vowels and fits in 63 bytes', () => {
    expect(generateName('web-')).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
    expect(generateName('n'.repeat(200))).toHaveLength(63)
    expect(generateName('')).toHaveLength(5)
  })
})

describe('name rules', () => {
  it('mask the dash at the end of a prefix only', () => {
    expect(nameIsDnsSubdomain('a.b-', true)).toEqual([])
    expect(nameIsDnsSubdomain('a.b-', false)).toHaveLength(1)
    expect(nameIsDnsLabel('a-', true)).toEqual([])
    expect(nameIsDns1035Label('1a', false)).toHaveLength(1)
    expect(nameIsPathSegment('..', true)).toEqual([])
    expect(nameIsPathSegment('..', false)).toEqual(["may not be '..'"])
    expect(nameIsPathSegment('a/b%c', false)).toEqual(["may not contain '/'", "may not contain '%'"])
  })
})

describe('syntax checks', () => {
  it("speak upstream's words", () => {
    expect(dns1123LabelErrors('a.b')).toEqual(['must not contain dots'])
    expect(dns1123LabelErrors('A')).toEqual([
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    ])
    expect(dns1123SubdomainErrors('a'.repeat(254))).toEqual(['must be no more than 253 characters'])
    expect(qualifiedNameErrors('/a')).toEqual(['prefix part must be non-empty'])
    expect(qualifiedNameErrors('a/')[0]).toBe('name part must be non-empty')
    expect(qualifiedNameErrors('a/b/c')[0]).toMatch(
      /^a valid label key must consist of .*\(e\.g\. 'example\.com\/MyName'\)$/,
    )
    expect(qualifiedNameErrors(`${'p'.repeat(254)}/a`)).toEqual([
      'prefix part must be no more than 253 bytes',
    ])
    expect(portNameErrors('Http--')).toHaveLength(3)
    expect(portNumberErrors(0)).toEqual(['must be between 1 and 65535, inclusive'])
    expect(configMapKeyErrors('..a')).toEqual(["must not start with '..'"])
    expect(envVarNameErrors('a=b')).toHaveLength(1)
    expect(envVarNameErrors('1 good')).toEqual([])
  })

  it('count bytes, not characters', () => {
    expect(labelValueErrors('é'.repeat(32))[0]).toBe('must be no more than 63 bytes')
  })
})
