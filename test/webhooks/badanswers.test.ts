// Webhooks that answer with garbage, lie, stop, or never end: clients hear what they hear of upstream, in bounded time.
// badanswers.json has the words of kube-apiserver 1.36.3. Where that and an etcd are built, it is asked again.
// VITEST_RECORD=1 writes the file anew.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isObject, type JsonObject } from '../../src/machinery/json.ts'
import { findEtcd, startEtcd } from '../../src/storage/etcd/testing.suite.ts'
import { Client } from '../etcd/client.ts'
import { findKubeApiServer, startKubeApiServer } from '../etcd/kubeapiserver.ts'
import { BAD_PATCHES, LIES } from './badanswers.ts'
import { type Answered, CONFIGURATIONS, Hooked, map, MAPS, NAMESPACE } from './hooked.ts'
import { allow, type Behave } from './hookserver.ts'

const RECORDED = join(import.meta.dirname, 'badanswers.json')
const CASES = { validating: LIES, mutating: BAD_PATCHES }
/** In seconds: how long a webhook may take whose end is waited for, and one that answers, on a busy machine. */
const [BRIEF, PATIENT] = [1, 30]
const ENDLESS: ReadonlySet<string> = new Set(['a body that stops', 'a body without an end'])
/** The cases by the time that their webhook has. */
const casesOf = (kind: (typeof KINDS)[number]) =>
  [PATIENT, BRIEF].map(
    (seconds) =>
      [seconds, CASES[kind].filter(([what]) => ENDLESS.has(what) === (seconds === BRIEF))] as const,
  )
const KINDS = ['validating', 'mutating'] as const
const [etcdBinary, upstreamBinary] = [findEtcd(), findKubeApiServer()]
const PRESENT = etcdBinary !== undefined && upstreamBinary !== undefined
if (!PRESENT)
  console.warn('no kube-apiserver and etcd: the recorded words of webhooks’ faults are not looked at again')

/** By kind of webhook and case: the status, and what of the answer tells. */
type Words = Record<string, Record<string, { readonly code: number; readonly body?: JsonObject }>>
const recorded = JSON.parse(readFileSync(RECORDED, 'utf8')) as Words

const hooked = new Hooked()
const { configure, dryRun, send } = hooked
beforeAll(() => hooked.start())
afterAll(() => hooked.stop())

/** Without what every run draws; of a map that came through, nothing more is said. */
function words(code: number, body: JsonObject): Words[string][string] {
  if (code < 300) return { code }
  const { message, reason, details } = body
  const said = JSON.stringify({
    message,
    ...(reason ? { reason } : {}),
    ...(isObject(details) ? { details } : {}),
  })
    .replaceAll(hooked.hooks.url(), 'URL')
    .replaceAll(`?timeout=${PATIENT}s`, `?timeout=${BRIEF}s`)
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'UID')
  return { code, body: JSON.parse(said) as JsonObject }
}

describe.each(KINDS)('a %s webhook that answers with', (kind) => {
  describe.each(casesOf(kind).filter(([, cases]) => cases.length > 0))('within %i s', (seconds, cases) => {
    beforeAll(() => configure(kind, hooked.hooks.hook(NAMESPACE, { timeoutSeconds: seconds })))
    afterAll(() => hooked.reset())

    it.each(cases)('%s', async (what, behave) => {
      const { code, body } = await dryRun(behave)
      expect(words(code, body)).toEqual(recorded[kind]?.[what])
    })
  })
})

it('is waited for by those alone who ask it', async () => {
  await configure('validating', hooked.hooks.hook(NAMESPACE, { timeoutSeconds: 8 }))
  const asked = Array.from({ length: 40 }, () => dryRun(() => undefined))
  await expect.poll(() => hooked.hooks.reviews.length).toBe(40)
  const others: Answered[] = []
  for (let i = 0; i < 20; i++) {
    others.push(await send('POST', '/api/v1/namespaces/default/configmaps?dryRun=All', map(`free-${i}`)))
  }
  expect(others.map(({ code }) => code)).toEqual(others.map(() => 201))
  const late = await Promise.all(asked)
  expect(
    late.every(({ code, body }) => code === 500 && String(body['message']).includes('context deadline')),
  ).toBe(true)
  // None of those connections is asked again.
  expect((await dryRun(allow())).code).toBe(201)
  await hooked.reset()
})

describe.skipIf(!PRESENT)('kube-apiserver', { timeout: 300_000 }, () => {
  it('says the same', async () => {
    const etcd = await startEtcd(etcdBinary as string)
    const upstream = await startKubeApiServer(upstreamBinary as string, etcd.url)
    const client = new Client(upstream)
    try {
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }
      await client.post('/api/v1/namespaces', namespace)
      const heard: Words = {}
      for (const kind of KINDS) heard[kind] = await hear(client, kind)
      if (process.env['VITEST_RECORD']) writeFileSync(RECORDED, `${JSON.stringify(heard, null, 2)}\n`)
      else expect(heard).toEqual(recorded)
    } finally {
      client.close()
      await upstream.stop()
      await etcd.stop()
    }
  })
})

async function hear(client: Client, kind: (typeof KINDS)[number]): Promise<Words[string]> {
  const path = `${CONFIGURATIONS}/${kind}webhookconfigurations`
  const name = `${kind === 'validating' ? 'Validating' : 'Mutating'}WebhookConfiguration`
  const create = async (behave: Behave): Promise<Words[string][string]> => {
    hooked.hooks.behave = behave
    const object = { apiVersion: 'v1', kind: 'ConfigMap', ...map('dry') }
    const { status, body } = await client.post(`${MAPS}?dryRun=All`, object)
    return words(status, body)
  }
  // Its informer must have seen the configuration, and its end.
  const isAsked = async (): Promise<boolean> => {
    const before = hooked.hooks.reviews.length
    await create(allow())
    return hooked.hooks.reviews.length > before
  }
  const heard: Words[string] = {}
  for (const [timeoutSeconds, cases] of casesOf(kind)) {
    await client.post(path, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: name,
      metadata: { name: 'test' },
      webhooks: [hooked.hooks.hook(NAMESPACE, { timeoutSeconds })],
    })
    await expect.poll(isAsked).toBe(true)
    for (const [what, behave] of cases) heard[what] = await create(behave)
    await client.delete(`${path}/test`)
    await expect.poll(isAsked).toBe(false)
  }
  return heard
}
