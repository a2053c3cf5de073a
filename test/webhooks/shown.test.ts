// What webhooks are shown of requests that are no plain writes, and what clients hear of it.
// As kube-apiserver 1.36.3 has it, asked the same by conformance/differential/webhooks.ts.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/machinery/json.ts'
import { Hooked, MAPS, map, NAMESPACE } from './hooked.ts'
import { allow, deny, patch } from './hookserver.ts'

const hooked = new Hooked()
const { send, configure, dryRun } = hooked
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`
const DEPLOYMENTS = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`
const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }

beforeAll(async () => {
  await hooked.start()
  await send('POST', PODS, { metadata: { name: 'p' }, spec: template.spec })
  const spec = { replicas: 1, selector: { matchLabels: { a: 'b' } }, template }
  await send('POST', DEPLOYMENTS, { metadata: { name: 'd' }, spec })
  await send('POST', MAPS, map('m'))
})
afterEach(() => hooked.reset())
afterAll(() => hooked.stop())

const shown = (): JsonObject => hooked.hooks.reviews.at(-1)?.review.request as JsonObject

describe('webhooks are shown', () => {
  it.each(['mutating', 'validating'] as const)('the grace that a pod has (%s)', async (kind) => {
    await configure(kind, hooked.hooks.hook(NAMESPACE))
    // On no node, there is nothing to wait for.
    expect((await send('DELETE', `${PODS}/p?gracePeriodSeconds=5&dryRun=All`)).code).toBe(200)
    expect(shown()['options']).toMatchObject({ kind: 'DeleteOptions', gracePeriodSeconds: 0 })
  })

  it('no delete that its own options forbid', async () => {
    await configure('validating', hooked.hooks.hook(NAMESPACE))
    const { code } = await send('DELETE', `${MAPS}/m`, { preconditions: { uid: 'other' } })
    expect([code, hooked.hooks.reviews.length]).toEqual([409, 0])
  })

  it.each([
    ['mutating', [{ apiVersion: 'autoscaling/v1', fieldsV1: { 'f:spec': { 'f:replicas': {} } } }]],
    ['validating', undefined],
  ] as const)('who owns the replicas where they may change them (%s)', async (kind, owners) => {
    await configure(kind, hooked.hooks.hook(NAMESPACE))
    const path = `${DEPLOYMENTS}/d/scale?dryRun=All`
    await send('PATCH', path, { spec: { replicas: 2 } }, 'application/merge-patch+json')
    const { metadata } = shown()['oldObject'] as JsonObject & { metadata: JsonObject }
    if (owners) expect(metadata['managedFields']).toMatchObject(owners)
    else expect(metadata['managedFields']).toBeUndefined()
  })

  it('a binding with its owner, if it is of the pod it names', async () => {
    await configure('validating', hooked.hooks.hook(NAMESPACE))
    const target = { kind: 'Node', name: 'n' }
    expect((await send('POST', `${PODS}/p/binding`, { metadata: { name: 'q' }, target })).code).toBe(400)
    expect(hooked.hooks.reviews).toEqual([])
    const bound = await send('POST', `${PODS}/p/binding?dryRun=All`, { metadata: { name: 'p' }, target })
    expect(bound.code).toBe(201)
    expect(shown()['object']).toMatchObject({
      metadata: { managedFields: [{ subresource: 'binding', fieldsV1: { 'f:target': {} } }] },
    })
  })

  it('no connection that is to be tried alone', async () => {
    await configure('validating', hooked.hooks.hook(NAMESPACE))
    const { code, body } = await send('POST', `${PODS}/p/exec?command=ls&dryRun=All`)
    expect([code, body['message'], hooked.hooks.reviews.length]).toEqual([400, 'dryRun is not supported', 0])
  })

  it('a connection, which has no owners', async () => {
    await configure('mutating', hooked.hooks.hook(NAMESPACE))
    hooked.hooks.behave = deny({ message: 'no' })
    expect(await send('POST', `${PODS}/p/exec?command=ls`)).toMatchObject({
      code: 400,
      body: { message: 'admission webhook "a.hooks.test" denied the request: no' },
    })
    expect(shown()['object']).toMatchObject({ kind: 'PodExecOptions' })
  })
})

describe('a patch of a webhook', () => {
  it.each<[string, JsonObject | [] | null, string]>([
    ['an operation that is null', null, 'Unexpected kind: unknown'],
    [
      'an operation that is a list',
      [],
      'failed calling webhook "a.hooks.test": received undecodable patch in webhook response: json: cannot unmarshal array into Go value of type jsonpatch.Operation',
    ],
    [
      'a remove of the whole',
      { op: 'remove', path: '' },
      'remove operation does not apply: doc is missing path: "": missing value',
    ],
    [
      'another version, which is none',
      { op: 'replace', path: '/apiVersion', value: 'v2' },
      'no kind "ConfigMap" is registered for version "v2" in scheme "pkg/runtime/scheme.go:111"',
    ],
  ])('with %s is told of', async (_what, operation, why) => {
    await configure('mutating', hooked.hooks.hook(NAMESPACE))
    const { code, body } = await dryRun(patch([operation]))
    expect([code, body['message']]).toEqual([500, `Internal error occurred: ${why}`])
  })

  it('of ten thousand operations is told of where it does not apply, and of more as such', async () => {
    await configure('mutating', hooked.hooks.hook(NAMESPACE))
    const adds = Array.from({ length: 9999 }, (_, i) => ({ op: 'add', path: `/data/k${i}`, value: 'v' }))
    const last = { op: 'remove', path: '/nope/x' }
    const heard = async (operations: JsonObject[]) => (await dryRun(patch(operations))).body['message']
    const missing = 'remove operation does not apply: doc is missing path: "/nope/x": missing value'
    expect(await heard([...adds, last])).toBe(`Internal error occurred: ${missing}`)
    const many =
      'Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001'
    expect(await heard([...adds, last, last])).toBe(`Internal error occurred: ${many}`)
  })

  it('may take the kind away, which is known', async () => {
    await configure('mutating', hooked.hooks.hook(NAMESPACE))
    const { code, body } = await dryRun(
      patch([
        { op: 'remove', path: '/apiVersion' },
        { op: 'remove', path: '/kind' },
      ]),
    )
    expect([code, body['kind']]).toEqual([201, 'ConfigMap'])
  })

  it('may take the name away, which is not there then', async () => {
    await configure('mutating', hooked.hooks.hook(NAMESPACE))
    hooked.hooks.behave = patch([{ op: 'remove', path: '/metadata/name' }])
    const { body } = await send('PUT', `${MAPS}/m?dryRun=All`, map('m'))
    expect(body['message']).toContain('metadata.name: Invalid value: "": field is immutable')
  })
})

describe('warnings of a webhook', () => {
  it.each<[string, string[], string[]]>([
    ['that are too long together are cut', ['é'.repeat(4096), 'after'], ['é'.repeat(256), 'after']],
    ['that fit stay whole', ['x'.repeat(4096)], ['x'.repeat(4096)]],
    ['are said once, where there is anything to say', ['a', '', 'a', 'b'], ['a', 'b']],
    ['with line ends are left out', ['a\nb', 'c "d" \\'], ['c \\"d\\" \\\\']],
  ])('%s', async (_what, warnings, heard) => {
    await configure('validating', hooked.hooks.hook(NAMESPACE))
    const { warning } = await dryRun(allow({ warnings }))
    const lines = [warning ?? []].flat().map((line) => Buffer.from(line, 'latin1').toString())
    expect(lines).toEqual(heard.map((text) => `299 - "${text}"`))
  })
})
