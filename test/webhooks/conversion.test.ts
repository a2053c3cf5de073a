// Definitions whose versions a webhook converts. The texts are those of kube-apiserver 1.36.3, asked the same.
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { JsonObject } from '../../src/machinery/json.ts'
import { Hooked, MAPS } from './hooked.ts'
import type { Behave } from './hookserver.ts'

const hooked = new Hooked()
const { send } = hooked
const GROUP = 'conv.example.com'
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const NAME = `crontabs.${GROUP}`
const at = (version: string, name = ''): string =>
  `/apis/${GROUP}/${version}/namespaces/hooked/crontabs${name && `/${name}`}`

type Changed = (converted: JsonObject[], uid: string) => unknown
interface Wanted {
  uid: string
  objects: JsonObject[]
  desiredAPIVersion: string
}

/** v1beta1 says `hostPort`, v1 says `host` and `port`; `respond` makes the response of what was converted. */
function converting(
  respond: Changed = (convertedObjects, uid) => ({ uid, result: { status: 'Success' }, convertedObjects }),
): Behave {
  return ({ apiVersion, request }, out) => {
    const { uid, objects, desiredAPIVersion } = request as unknown as Wanted
    const converted = objects.map((object) => {
      const spec = object['spec'] as Record<string, string>
      const [host = '', port = ''] = (spec['hostPort'] ?? '').split(':')
      const isNew = desiredAPIVersion.endsWith('/v1')
      const next = isNew ? { host, port } : { hostPort: `${spec['host']}:${spec['port']}` }
      return { ...structuredClone(object), apiVersion: desiredAPIVersion, spec: next }
    })
    out.setHeader('content-type', 'application/json')
    out.end(JSON.stringify({ apiVersion, kind: 'ConversionReview', response: respond(converted, uid) }))
  }
}

const failing = converting((_, uid) => ({ uid, result: { status: 'Failure', message: 'no way' } }))
const text = (body: string, status = 200, headers: Record<string, string> = {}): Behave => {
  return (_, out) => void out.writeHead(status, headers).end(body)
}

const version = (name: string, fields: readonly string[], storage: boolean): JsonObject => {
  const properties = Object.fromEntries(fields.map((field) => [field, { type: 'string' }]))
  const spec = { type: 'object', properties }
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec } } }
  return { name, served: true, storage, schema }
}
const definition = (storage: string, more: readonly string[] = []): JsonObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: NAME },
  spec: {
    group: GROUP,
    scope: 'Namespaced',
    names: { plural: 'crontabs', singular: 'crontab', kind: 'CronTab', listKind: 'CronTabList' },
    versions: [
      version('v1', ['host', 'port', ...more], storage === 'v1'),
      version('v1beta1', ['hostPort'], storage === 'v1beta1'),
    ],
    conversion: {
      strategy: 'Webhook',
      webhook: {
        conversionReviewVersions: ['v1'],
        clientConfig: { url: hooked.hooks.url('/convert'), caBundle: hooked.hooks.caBundle },
      },
    },
  },
})
const tab = (apiVersion: string, name: string, spec: JsonObject): JsonObject => ({
  apiVersion: `${GROUP}/${apiVersion}`,
  kind: 'CronTab',
  metadata: { name, labels: { a: 'old' } },
  spec,
})
const changeDefinition = async (next: JsonObject): Promise<void> => {
  const { body } = await send('GET', `${DEFINITIONS}/${NAME}`)
  const { resourceVersion } = body['metadata'] as JsonObject
  const put = { ...next, metadata: { name: NAME, resourceVersion } }
  expect(await send('PUT', `${DEFINITIONS}/${NAME}`, put)).toMatchObject({ code: 200 })
}

beforeAll(async () => {
  await hooked.start()
  hooked.hooks.behave = converting()
  await send('POST', DEFINITIONS, definition('v1beta1'))
  await vi.waitFor(
    async () => {
      const { body } = await send('GET', `${DEFINITIONS}/${NAME}`)
      expect(JSON.stringify(body)).toContain('InitialNamesAccepted')
    },
    { timeout: 90_000 },
  )
})
afterEach(() => void (hooked.hooks.behave = converting()))
afterAll(() => hooked.stop())

describe('a conversion webhook', () => {
  it('is asked on every way between versions', async () => {
    await send('POST', at('v1beta1'), tab('v1beta1', 'one', { hostPort: 'h:1' }))
    const created = await send('POST', at('v1'), tab('v1', 'two', { host: 'x', port: '2', junk: 1 }))
    expect(created).toMatchObject({ code: 201, body: { apiVersion: `${GROUP}/v1`, spec: { port: '2' } } })
    expect(await send('GET', at('v1', 'one'))).toMatchObject({ body: { spec: { host: 'h', port: '1' } } })
    expect(await send('GET', at('v1beta1', 'two'))).toMatchObject({ body: { spec: { hostPort: 'x:2' } } })
    const { body } = await send('GET', at('v1'))
    expect(body['items']).toMatchObject([{ spec: { host: 'h' } }, { spec: { host: 'x' } }])
    const merge = 'application/merge-patch+json'
    await send('PATCH', at('v1', 'two'), { spec: { port: '3' } }, merge)
    expect(await send('GET', at('v1beta1', 'two'))).toMatchObject({ body: { spec: { hostPort: 'x:3' } } })
    const [review] = hooked.hooks.reviews.slice(-1)
    expect(review?.path).toBe('/convert?timeout=30s')
    expect(review?.review).toMatchObject({ kind: 'ConversionReview', apiVersion: 'apiextensions.k8s.io/v1' })
    const dry = await send('POST', `${at('v1')}?dryRun=All`, tab('v1', 'dry', { host: 'd', port: '1' }))
    expect(dry).toMatchObject({ code: 201, body: { spec: { host: 'd', port: '1' } } })
    expect((await send('GET', at('v1', 'dry'))).code).toBe(404)
  })

  it('tells owners of fields apart in the versions that they use', async () => {
    const apply = (name: string, manager: string, object: JsonObject, force = false) =>
      send(
        'PATCH',
        `${name}?fieldManager=${manager}${force ? '&force=true' : ''}`,
        object,
        'application/apply-patch+yaml',
      )
    await apply(at('v1', 'owned'), 'a', tab('v1', 'owned', { host: 'h', port: '1' }))
    const other = await apply(at('v1beta1', 'owned'), 'b', tab('v1beta1', 'owned', { hostPort: 'q:9' }), true)
    expect(other).toMatchObject({ code: 200, body: { spec: { hostPort: 'q:9' } } })
    const conflict = await apply(at('v1', 'owned'), 'c', tab('v1', 'owned', { port: '7' }))
    expect(conflict).toMatchObject({ code: 409 })
    expect(conflict.body['message']).toContain('conflict with "b": .spec.hostPort')
  })

  it.each<[string, Behave, string]>([
    ['fails', failing, 'failed: no way'],
    [
      'fails without a word',
      converting((_, uid) => ({ uid, result: { status: 'Failure' } })),
      "failed: response.result.status was 'Failure', not 'Success'",
    ],
    ['says nothing', converting(() => undefined), 'failed: no response provided'],
    [
      'leaves one out',
      converting((_, uid) => ({ uid, result: { status: 'Success' } })),
      'returned 0 objects, expected 1',
    ],
    ['answers garbage', text('garbage'), "failed: couldn't get version/kind; json parse error"],
    ['breaks', text('boom', 500), 'failed: an error on the server ("boom") has prevented'],
    [
      'redirects without end',
      text('', 302, { location: '/' }),
      'failed: Post "/": stopped after 10 redirects',
    ],
    [
      'hangs up',
      (_, out) => void out.destroy(),
      'failed: Post "https://127.0.0.1:PORT/convert?timeout=30s": EOF',
    ],
  ])('that %s is told of', async (_, behave, expected) => {
    hooked.hooks.behave = behave
    const { code, body } = await send('POST', at('v1'), tab('v1', 'bad', { host: 'x', port: '2' }))
    expect({ code, reason: body['reason'] }).toEqual({ code: 500, reason: undefined })
    const message = String(body['message']).replace(String(hooked.hooks.port), 'PORT')
    expect(message).toContain(`conversion webhook for ${GROUP}/v1, Kind=CronTab ${expected}`)
    hooked.hooks.behave = converting()
    expect((await send('GET', at('v1beta1', 'bad'))).code).toBe(404)
  })

  it.each<[string, (object: JsonObject, metadata: JsonObject) => unknown, string]>([
    [
      'the version',
      (one) => (one['apiVersion'] = 'x.example.com/v9'),
      ' object at index 0: invalid groupVersion (expected conv.example.com/v1beta1, received x.example.com/v9)',
    ],
    [
      'the kind',
      (one) => (one['kind'] = 'Other'),
      ' object at index 0: invalid kind (expected CronTab, received Other)',
    ],
    [
      'the name',
      (_, metadata) => (metadata['name'] = 'other'),
      ' object: must have the same name: bad != other',
    ],
    [
      'the namespace',
      (_, metadata) => (metadata['namespace'] = 'other'),
      ' object: must have the same namespace: hooked != other',
    ],
    [
      'labels to what is none',
      (_, metadata) => (metadata['labels'] = { a: 1 }),
      ' metadata: metadata.labels[a] must be a string, but is int64 in converted object',
    ],
    [
      'annotations to bad ones',
      (_, metadata) => (metadata['annotations'] = { 'a b': 'x' }),
      ' metadata: metadata.annotation: Invalid value: "a b": name part must consist of',
    ],
  ])('may not change %s', async (_, change, expected) => {
    hooked.hooks.behave = converting((convertedObjects, uid) => {
      const [first = {}] = convertedObjects
      change(first, first['metadata'] as JsonObject)
      return { uid, result: { status: 'Success' }, convertedObjects }
    })
    const { code, body } = await send('POST', at('v1'), tab('v1', 'bad', { host: 'x', port: '2' }))
    expect(code).toBe(500)
    expect(body['message']).toContain(
      `conversion webhook for ${GROUP}/v1, Kind=CronTab returned invalid${expected}`,
    )
  })

  it('may change labels and annotations, and nothing else of the metadata', async () => {
    hooked.hooks.behave = converting((convertedObjects, uid) => {
      const metadata = convertedObjects[0]?.['metadata'] as JsonObject
      Object.assign(metadata, { labels: { a: 'new' }, finalizers: ['a/b'], generation: 17 })
      return { uid, result: { status: 'Success' }, convertedObjects }
    })
    const { body } = await send('POST', at('v1'), tab('v1', 'labelled', { host: 'x', port: '2' }))
    expect(body['metadata']).toMatchObject({ labels: { a: 'new' }, generation: 1 })
    expect(body['metadata']).not.toHaveProperty('finalizers')
  })
})

describe('an object that cannot be converted', () => {
  it('breaks reads in that version only, until the webhook is well again', async () => {
    await send('GET', at('v1'))
    hooked.hooks.behave = failing
    const broken = tab('v1beta1', 'broken', { hostPort: 'b:1' })
    expect((await send('POST', at('v1beta1'), broken)).code).toBe(201)
    const message = `conversion webhook for ${GROUP}/v1beta1, Kind=CronTab failed: no way`
    for (const path of [at('v1', 'broken'), at('v1'), `${at('v1')}?watch=1&timeoutSeconds=1`])
      expect(await send('GET', path)).toMatchObject({ code: 500, body: { message } })
    expect((await send('GET', at('v1', 'one'))).code).toBe(200)
    expect((await send('GET', at('v1beta1'))).code).toBe(200)
    expect((await send('GET', MAPS)).code).toBe(200)
    hooked.hooks.behave = converting()
    expect(await send('GET', at('v1', 'broken'))).toMatchObject({ code: 200, body: { spec: { host: 'b' } } })
    expect((await send('GET', at('v1'))).code).toBe(200)
  })

  it('holds up nothing else while the webhook hangs', async () => {
    await send('GET', at('v1'))
    const held: (() => void)[] = []
    hooked.hooks.behave = (review, out, path) => void held.push(() => converting()(review, out, path))
    await send('POST', at('v1beta1'), tab('v1beta1', 'slow', { hostPort: 's:1' }))
    const waiting = send('GET', at('v1', 'slow'))
    expect((await send('GET', at('v1beta1', 'slow'))).code).toBe(200)
    expect((await send('GET', MAPS)).code).toBe(200)
    hooked.hooks.behave = converting()
    for (const release of held) release()
    expect(await waiting).toMatchObject({ code: 200, body: { spec: { host: 's' } } })
  })
})

describe('a definition that changes', () => {
  it('is seen by watches that go on', async () => {
    const watch = hooked.watch(`${at('v1')}?watch=1`)
    await watch.next()
    await changeDefinition(definition('v1beta1', ['extra']))
    const body = tab('v1', 'after', { host: 'w', port: '1' })
    await expect.poll(async () => (await send('POST', at('v1'), body)).code, { timeout: 90_000 }).toBe(201)
    let seen: JsonObject | undefined
    for await (const { object } of watch) {
      const { metadata, spec } = object as { metadata: JsonObject; spec: JsonObject }
      if (metadata['name'] === 'after') seen = spec
      if (seen) break
    }
    expect(seen).toEqual({ host: 'w', port: '1' })
  })

  it('moves objects to another storage version as they are written', async () => {
    const stored = (): Promise<JsonObject[]> => hooked.stored(`/registry/${GROUP}/crontabs/hooked/one`)
    expect(await stored()).toMatchObject([{ apiVersion: `${GROUP}/v1beta1` }])
    await changeDefinition(definition('v1', ['extra']))
    await expect.poll(async () => (await send('GET', at('v1', 'one'))).code).toBe(200)
    const same = (await send('GET', at('v1', 'one'))).body
    const written = async (): Promise<JsonObject[]> => {
      expect((await send('PUT', at('v1', 'one'), same)).code).toBe(200)
      return stored()
    }
    await expect.poll(written).toMatchObject([{ apiVersion: `${GROUP}/v1`, spec: { host: 'h', port: '1' } }])
    expect(await send('GET', at('v1beta1', 'one'))).toMatchObject({ body: { spec: { hostPort: 'h:1' } } })
  })
})
