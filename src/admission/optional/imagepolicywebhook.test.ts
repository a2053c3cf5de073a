// A server that says which images may run: what it is asked, how long its answers hold, what its failures come to.
import { describe, expect, test } from 'vitest'
import { HookFailure } from '../../machinery/askagain.ts'
import type { JsonObject } from '../../machinery/json.ts'
import { attributesOf, type Write } from '../fixture.ts'
import { imagePolicySettings, ImagePolicyWebhook } from './imagepolicywebhook.ts'

const CONFIGURATION = { kubeConfigFile: 'k', allowTTL: 10, denyTTL: 1, retryBackoff: 20 }

function plugin(more: JsonObject, ...answers: (JsonObject | Error)[]) {
  const asked: JsonObject[] = []
  const waited: number[] = []
  let now = 0
  const made = new ImagePolicyWebhook(imagePolicySettings({ imagePolicy: { ...CONFIGURATION, ...more } }), {
    post(body) {
      asked.push(JSON.parse(body.toString()) as JsonObject)
      const answer = answers.shift() ?? new Error('no answer is left')
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
    },
    now: () => now,
    wait: (ms) => Promise.resolve(void waited.push(ms)),
  })
  const annotations: Record<string, string> = {}
  const write = async (given: Write): Promise<string | undefined> => {
    const attributes = attributesOf(given)
    expect(made.handles(attributes)).toBe(true)
    const annotate = (key: string, value: string): void => void (annotations[key] = value)
    return made.validate({ ...attributes, annotate }).then(
      () => undefined,
      (error: Error) => error.message,
    )
  }
  return { write, asked, waited, annotations, pass: (ms: number) => void (now += ms) }
}

const pod = (image: string): JsonObject => ({
  metadata: { name: 'p', annotations: { 'mine.image-policy.k8s.io/why': 'because', other: 'x' } },
  spec: { containers: [{ name: 'c', image }], initContainers: [{ name: 'i', image: 'init' }] },
})
const said = (status: JsonObject): JsonObject => ({ kind: 'ImageReview', status })

test('all images of a pod are asked about, and what it is told of them', async () => {
  const { write, asked, annotations } = plugin({}, said({ allowed: true, auditAnnotations: { a: 'b' } }))
  expect(await write({ object: pod('one') })).toBeUndefined()
  expect(asked).toEqual([
    {
      kind: 'ImageReview',
      apiVersion: 'imagepolicy.k8s.io/v1alpha1',
      metadata: {},
      spec: {
        containers: [{ image: 'one' }, { image: 'init' }],
        annotations: { 'mine.image-policy.k8s.io/why': 'because' },
        namespace: 'ns',
      },
      status: { allowed: false },
    },
  ])
  expect(annotations).toEqual({ 'imagepolicywebhook.image-policy.k8s.io/a': 'b' })
})

test('answers hold for their time', async () => {
  const { write, asked, pass } = plugin(
    {},
    said({ allowed: false, reason: 'old' }),
    said({ allowed: false }),
    said({ allowed: true }),
  )
  const refused = 'pods "p" is forbidden: image policy webhook backend denied one or more images: old'
  expect([await write({ object: pod('one') }), await write({ object: pod('one') })]).toEqual([
    refused,
    refused,
  ])
  pass(1000)
  expect(await write({ object: pod('one') })).toMatch(/one or more images rejected by webhook backend$/)
  pass(1000)
  expect(await write({ object: pod('one') })).toBeUndefined()
  pass(9999)
  expect(await write({ object: pod('one') })).toBeUndefined()
  expect(asked).toHaveLength(3)
})

describe('a webhook that fails', () => {
  test('forbids, once it was asked again', async () => {
    const { write, asked, waited } = plugin({}, ...Array<Error>(9).fill(new HookFailure('down', true)))
    expect(await write({ object: pod('one') })).toBe('pods "p" is forbidden: down')
    expect([asked.length, waited.length]).toEqual([5, 4])
    expect(waited[0]).toBeGreaterThanOrEqual(20)
  })

  test('lets pass where the configuration says so, and the audit log tells', async () => {
    const { write, annotations } = plugin({ defaultAllow: true }, { kind: 'Pod' })
    expect(await write({ object: pod('one') })).toBeUndefined()
    expect(annotations).toEqual({ 'imagepolicywebhook.image-policy.k8s.io/failed-open': 'true' })
  })
})

test('presets, and what is switched off', () => {
  expect(imagePolicySettings({ imagePolicy: { kubeConfigFile: 'k' } })).toMatchObject({
    allowTtlMs: 300_000,
    denyTtlMs: 30_000,
    backoff: { firstWaitMs: 500 },
    allowsByDefault: false,
  })
  expect(imagePolicySettings({ imagePolicy: { kubeConfigFile: 'k', allowTTL: -1 } }).allowTtlMs).toBe(0)
})

test.each([
  [undefined, 'no config specified'],
  [{}, 'imagePolicy.kubeConfigFile is required'],
  [{ ...CONFIGURATION, allowTTL: 1801 }, 'valid value is between 1s and 30m0s, got 30m1s'],
  [{ ...CONFIGURATION, retryBackoff: 300_001 }, 'valid value is between 1ns and 5m0s, got 5m0.001s'],
])('%j: %s', (imagePolicy, message) => {
  expect(() => imagePolicySettings(imagePolicy && { imagePolicy })).toThrow(message)
})
