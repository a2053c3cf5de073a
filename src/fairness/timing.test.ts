import { expect, it } from 'vitest'
import { Histogram } from '../machinery/exposition.ts'
import { RatioHistogram } from './timing.ts'

it('counts samples up to each bound', () => {
  const histogram = new Histogram([0, 1, 10])
  for (const value of [0, 0.5, 1, 10, 11]) histogram.observe(value)
  expect(histogram.counts).toEqual([1, 2, 1, 1])
  expect(histogram.sum).toBe(22.5)
})

it('weighs a ratio by the nanoseconds it held', () => {
  const histogram = new RatioHistogram([0, 0.5, 1], 4, 0)
  histogram.set(2, 10)
  histogram.set(2, 15)
  histogram.setLimit(2, 20)
  histogram.set(0, 30)
  const { counts, sum } = histogram.read(31)
  expect(counts).toEqual([11e6, 10e6, 10e6, 0])
  expect(sum).toBe(15e6)
})
