import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  negateQuantity,
  newQuantity,
  parseQuantity,
  quantityMilliValue,
  quantityValue,
  subtractQuantities,
} from './quantity.ts'

const FORMAT = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

describe('parseQuantity', () => {
  // What a kube-apiserver makes of each text.
  it.each([
    ['0', '0'],
    ['+0Ki', '0'],
    ['100m', '100m'],
    ['1000m', '1'],
    ['0.5', '500m'],
    ['1.500', '1.500'],
    ['+5', '+5'],
    ['0.1n', '1n'],
    ['-1.5n', '-2n'],
    ['1.5Gi', '1536Mi'],
    ['0.5Ki', '512'],
    ['1023Ki', '1023Ki'],
    ['1024Ki', '1Mi'],
    ['8Ei', '9223372036854775807'],
    ['1e3', '1e3'],
    ['10e4', '100e3'],
    ['12E', '12E'],
    ['12E6', '12E6'],
    ['1000E', '1'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
    ['1e1000000000', '10e999999999'],
  ])('writes %s as %s', (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical)
  })

  it.each([
    ['', FORMAT],
    ['1 ', FORMAT],
    ['abc', FORMAT],
    ['1..2', FORMAT],
    ['1Ki1x', FORMAT],
    ['1i', "unable to parse quantity's suffix"],
    ['1e', "unable to parse quantity's suffix"],
    ['1e99999999999999999999', "unable to parse quantity's suffix"],
    ['9'.repeat(5000), FORMAT],
  ])('refuses %s', (text, message) => {
    expect(() => parseQuantity(text)).toThrow(message)
  })

  it('is canonical after one round', () => {
    const suffixes = ['', 'n', 'u', 'm', 'k', 'M', 'Ki', 'Mi', 'Gi', 'e3']
    fc.assert(
      fc.property(fc.integer(), fc.nat(999999), fc.constantFrom(...suffixes), (whole, part, suffix) => {
        const once = formatQuantity(
          negateQuantity(negateQuantity(parseQuantity(`${whole}.${part}${suffix}`))),
        )
        expect(canonicalQuantity(once)).toBe(once)
      }),
    )
  })
})

describe('arithmetic', () => {
  const q = parseQuantity
  it('adds and subtracts exactly, in the format of the first that is not zero', () => {
    expect(formatQuantity(addQuantities(q('1Gi'), q('1')))).toBe('1073741825')
    expect(formatQuantity(addQuantities(q('0'), q('1Ki')))).toBe('1Ki')
    expect(formatQuantity(addQuantities(q('100m'), q('0.9')))).toBe('1')
    expect(formatQuantity(subtractQuantities(q('1Gi'), q('512Mi')))).toBe('512Mi')
    expect(formatQuantity(addQuantities(q('9E'), q('9E')))).toBe('18E')
  })
  it('compares without regard to format, at any distance', () => {
    expect(compareQuantities(q('1Ki'), q('1024'))).toBe(0)
    expect(compareQuantities(q('1k'), q('1Ki'))).toBe(-1)
    expect(compareQuantities(q('-1'), q('1n'))).toBe(-1)
    expect(compareQuantities(q('1e1000000000'), q('9'))).toBe(1)
    expect(compareQuantities(q('-1e1000000000'), q('-9'))).toBe(-1)
  })
  it('gives whole values rounded away from zero, within int64', () => {
    expect(quantityValue(q('1500m'))).toBe(2)
    expect(quantityValue(q('-1500m'))).toBe(-2)
    expect(quantityMilliValue(q('1.5'))).toBe(1500)
    expect(quantityMilliValue(q('1e1000000000'))).toBe(Number(2n ** 63n - 1n))
    expect(formatQuantity(newQuantity(2048, 'BinarySI'))).toBe('2Ki')
    expect(formatQuantity(newQuantity(5, 'DecimalSI', -3))).toBe('5m')
  })
})
