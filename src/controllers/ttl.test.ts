// How many nodes make for which step, on the way up and down.
import { expect, it } from 'vitest'
import { nextStep } from './ttl.ts'

it.each([
  [0, 100, 0],
  [0, 101, 1],
  [1, 90, 1],
  [1, 89, 0],
  [0, 5000, 4],
  [4, 3, 0],
])('from step %i with %i nodes to step %i', (step, nodes, next) => {
  expect(nextStep(step, nodes)).toBe(next)
})
