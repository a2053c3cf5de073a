// What alternatives are worth.
import { expect, it } from 'vitest'
import type { AllocationResult, ResourceClaim } from '../../../client/kinds/resource.v1.gen.ts'
import { alternativesScore, hasAlternatives } from './alternatives.ts'

const claim = (...requests: object[]): ResourceClaim =>
  ({ metadata: {}, spec: { devices: { requests } }, status: {} }) as never
const given = (...requests: string[]): AllocationResult =>
  ({ devices: { results: requests.map((request) => ({ request })) } }) as never
const either = { name: 'r', firstAvailable: [{ name: 'best' }, { name: 'next' }, { name: 'last' }] }
const one = { name: 'o', exactly: {} }

it('likes the earlier ones better', () => {
  expect(alternativesScore([[claim(either, one), given('r/best', 'o')]])).toBe(8)
  expect(alternativesScore([[claim(either), given('r/last', 'r/last')]])).toBe(6)
  const other = { ...either, name: 's' }
  expect(
    alternativesScore([
      [claim(either), given('r/next')],
      [claim(other), given('s/best')],
    ]),
  ).toBe(15)
  expect(alternativesScore([[claim(either), undefined]])).toBe(0)
})

it('knows claims that leave no choice', () => {
  expect(hasAlternatives(claim(one))).toBe(false)
  expect(hasAlternatives(claim(one, either))).toBe(true)
})
