import { expect, it } from 'vitest'
import { AdmissionChain } from './chain.ts'
import { attributesOf, FakeLister } from './fixture.ts'
import { AdmissionMeters } from './meters.ts'
import type { AdmissionPlugin } from './plugin.ts'

/** The value of the sample whose line begins so; undefined where there is none. */
const sample = (meters: AdmissionMeters, line: string): number | undefined => {
  const found = meters
    .text()
    .split('\n')
    .find((one) => one.startsWith(line))
  return found === undefined ? undefined : Number(found.split(' ').at(-1))
}
const ADMITS = 'type="admit",operation="CREATE"'
const counted = (meters: AdmissionMeters, labels: string): number | undefined =>
  sample(meters, `apiserver_admission_controller_admission_duration_seconds_count{${labels}}`)
const steps = (meters: AdmissionMeters, labels: string): number | undefined =>
  sample(meters, `apiserver_admission_step_admission_duration_seconds_count{${labels}}`)

const plugin = (name: string, admit: () => void | Promise<void>): AdmissionPlugin => ({
  name,
  handles: () => true,
  admit,
})

it('tells what every plugin and every step has taken, one that waits too', async () => {
  const meters = new AdmissionMeters()
  const plugins = [
    plugin('a', () => undefined),
    plugin('b', () => Promise.resolve()),
    plugin('c', () => undefined),
  ]
  await new AdmissionChain(plugins, new FakeLister(), meters).admit(attributesOf({}))
  for (const name of ['a', 'b', 'c'])
    expect(counted(meters, `name="${name}",${ADMITS},rejected="false"`)).toBe(1)
  expect(steps(meters, `${ADMITS},rejected="false"`)).toBe(1)
  expect(meters.text()).not.toContain('rejected="true"')
})

it.each([
  [
    'throws',
    () => {
      throw new Error('no')
    },
  ],
  ['rejects', () => Promise.reject(new Error('no'))],
] as const)('counts every refusal of a plugin that %s, however many there are', async (_, refuse) => {
  const meters = new AdmissionMeters()
  const plugins = [plugin('a', () => undefined), plugin('b', refuse), plugin('c', () => undefined)]
  const chain = new AdmissionChain(plugins, new FakeLister(), meters)
  for (let n = 0; n < 50; n++)
    await expect((async () => chain.admit(attributesOf({})))()).rejects.toThrow('no')
  expect(counted(meters, `name="b",${ADMITS},rejected="true"`)).toBe(50)
  expect(steps(meters, `${ADMITS},rejected="true"`)).toBe(50)
  expect(steps(meters, `${ADMITS},rejected="false"`)).toBeUndefined()
  expect(counted(meters, `name="c",${ADMITS},rejected="false"`)).toBeUndefined()
})

it('a run that is measured stands for those before it', () => {
  const meters = new AdmissionMeters()
  const chain = new AdmissionChain([plugin('a', () => undefined)], new FakeLister(), meters)
  const began = performance.now()
  let runs = 0
  // Some are not measured; after a while one is, for all of them.
  while (performance.now() - began < 250) {
    void chain.admit(attributesOf({}))
    runs++
  }
  const count = counted(meters, `name="a",${ADMITS},rejected="false"`) ?? 0
  expect(count).toBeGreaterThan(1)
  expect(count).toBeLessThanOrEqual(runs)
  expect(steps(meters, `${ADMITS},rejected="false"`)).toBe(count)
})

it('tells of webhooks by their outcome', () => {
  const meters = new AdmissionMeters()
  const hook = { name: 'a.b.c', type: 'validating', operation: 'UPDATE' } as const
  meters.called(hook, { code: 200, rejected: false, tookMs: 7 })
  meters.called(hook, { code: 999, rejected: true, fault: 'no_error', tookMs: 7 })
  meters.called(hook, { code: 500, rejected: false, failedOpen: true, tookMs: 7 })
  const own = 'name="a.b.c",type="validating"'
  const requests = 'apiserver_admission_webhook_request_total'
  expect(sample(meters, `${requests}{${own},operation="UPDATE",code="200",rejected="false"}`)).toBe(1)
  expect(sample(meters, `${requests}{${own},operation="UPDATE",code="600",rejected="true"}`)).toBe(1)
  expect(sample(meters, `apiserver_admission_webhook_fail_open_count{${own}}`)).toBe(1)
  const rejections = 'apiserver_admission_webhook_rejection_count'
  const rejected = 'operation="UPDATE",error_type="no_error",rejection_code="600"'
  expect(sample(meters, `${rejections}{${own},${rejected}}`)).toBe(1)
  const seconds = 'apiserver_admission_webhook_admission_duration_seconds_count'
  expect(sample(meters, `${seconds}{${own},operation="UPDATE",rejected="false"}`)).toBe(2)
})
