import { expect, it } from 'vitest'
import { DemandIntegrator, NO_DEMAND, withPeriod } from './demand.ts'

it('weighs by time', () => {
  const integrator = new DemandIntegrator(0)
  integrator.set(4, 0)
  integrator.set(0, 2_500)
  const period = integrator.reset(10_000)
  expect(period).toMatchObject({ duration: 10_000, average: 1, max: 4 })
  expect(period.deviation).toBeCloseTo(Math.sqrt(3))
  expect(integrator.reset(20_000)).toEqual({ duration: 10_000, average: 0, deviation: 0, max: 0 })
})

it('sees peaks that last no time', () => {
  const integrator = new DemandIntegrator(0)
  integrator.set(9, 5)
  integrator.set(1, 5)
  expect(integrator.reset(10)).toMatchObject({ max: 9, average: 0.5 })
  expect(integrator.reset(20)).toMatchObject({ max: 1, average: 1 })
})

it('follows a rise at once, and a fall by half in five minutes', () => {
  const risen = withPeriod(NO_DEMAND, { duration: 10, average: 8, deviation: 2, max: 12 })
  expect(risen).toEqual({ average: 8, deviation: 2, highWatermark: 12, smoothed: 10 })
  let fallen = risen
  for (let i = 0; i < 30; i++) fallen = withPeriod(fallen, { duration: 10, average: 0, deviation: 0, max: 0 })
  expect(fallen.smoothed).toBeCloseTo(5, 0)
  expect(fallen.highWatermark).toBe(0)
  expect(withPeriod(risen, { duration: 0, average: 0, deviation: 0, max: 3 }).smoothed).toBe(10)
})
