// What requests take of devices that several may have.
import { expect, it } from 'vitest'
import type { CapacityRequestPolicy, Device } from '../../../client/kinds/resource.v1.gen.ts'
import { type Amounts, amountsOf, combined, takenOf, textsOf } from './capacity.ts'

const deviceOf = (value: string, requestPolicy?: CapacityRequestPolicy): Device => ({
  name: 'd',
  allowMultipleAllocations: true,
  capacity: { memory: { value, ...(requestPolicy ? { requestPolicy } : {}) } },
})
const taken = (device: Device, asked?: string, used?: Amounts) => {
  const found = takenOf(device, asked === undefined ? undefined : { requests: { memory: asked } }, used)
  return found && textsOf(found)['memory']
}

it('takes what is asked for, and without a word the default or all', () => {
  expect(taken(deviceOf('8Gi'), '3Gi')).toBe('3Gi')
  expect(taken(deviceOf('8Gi'))).toBe('8Gi')
  expect(taken(deviceOf('8Gi', { default: '1Gi' }))).toBe('1Gi')
  expect(taken(deviceOf('8Gi'), '9Gi')).toBeUndefined()
  expect(takenOf(deviceOf('8Gi'), { requests: { speed: '1' } }, undefined)).toBeUndefined()
  expect(takenOf({ name: 'd' }, undefined, undefined)?.size).toBe(0)
})
it('takes no more than is left', () => {
  const used = combined(amountsOf({ memory: '2Gi' }), amountsOf({ memory: '4Gi' }), 1)
  expect(taken(deviceOf('8Gi'), '2Gi', used)).toBe('2Gi')
  expect(taken(deviceOf('8Gi'), '3Gi', used)).toBeUndefined()
  expect(taken(deviceOf('8Gi'), '4Gi', combined(used, amountsOf({ memory: '2Gi' }), -1))).toBe('4Gi')
})
it('rounds up to steps of a range', () => {
  const range = deviceOf('10Gi', { default: '1Gi', validRange: { min: '1Gi', max: '8Gi', step: '2Gi' } })
  expect(taken(range, '512Mi')).toBe('1Gi')
  expect(taken(range, '2Gi')).toBe('3Gi')
  expect(taken(range, '5Gi')).toBe('5Gi')
  // 9Gi is the next step, and too much.
  expect(taken(range, '8Gi')).toBeUndefined()
  const open = deviceOf('10Gi', { default: '1Gi', validRange: { min: '1Gi', max: '8Gi' } })
  expect(taken(open, '2500Mi')).toBe('2500Mi')
  expect(taken(open, '9Gi')).toBeUndefined()
})
it('rounds up to amounts that are given', () => {
  const values = deviceOf('10Gi', { default: '1Gi', validValues: ['1Gi', '2Gi', '6Gi'] })
  expect(taken(values, '1500Mi')).toBe('2Gi')
  expect(taken(values, '6Gi')).toBe('6Gi')
  expect(taken(values, '7Gi')).toBeUndefined()
})
