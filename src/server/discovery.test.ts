import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { packageRoot } from '../schema/facts.ts'
import { builtinResources, releasedResources, type ResourceRow } from '../schema/resources.ts'
import { aggregatedEncoding } from './discovery-accept.ts'
import { compareVersions } from '../machinery/versionorder.ts'
import { discoveryDocument } from './discovery.ts'

const serverAddress = '192.0.2.2:6443'
const source = { resources: builtinResources(), serverAddress }

interface Discovered {
  readonly versions?: readonly unknown[]
  readonly groups: readonly {
    readonly name: string
    readonly versions: readonly { readonly version: string }[]
  }[]
  readonly items: readonly {
    readonly metadata: { readonly name?: string }
    readonly versions: readonly unknown[]
  }[]
}

function parsed(path: string, aggregated = false, from = source): Discovered {
  const document = discoveryDocument(from, path, aggregated)
  return JSON.parse(document?.body.toString() ?? 'null') as Discovered
}

function custom(group: string, version: string): ResourceRow {
  return {
    group,
    version,
    name: 'widgets',
    singular: 'widget',
    kind: 'Widget',
    listKind: 'WidgetList',
    namespaced: true,
    verbs: ['get'],
    shortNames: [],
    categories: [],
    subresources: [],
    definition: `${group}.${version}.Widget`,
    storage: { group, version },
    storagePrefix: `${group}/widgets`,
  }
}

describe('discoveryDocument', () => {
  it('answers the roots', () => {
    expect(parsed('/api')).toEqual({
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
    })
    expect(parsed('/apis').groups[0]?.name).toBe('apiregistration.k8s.io')
    expect(parsed('/apis/')).toEqual(parsed('/apis'))
  })

  it.each([
    '/',
    '/api/v2',
    '/api/v1/pods',
    '/apis/nope',
    '/apis/apps/v9',
    '/apis//v1',
    '/apis/apps/v1/x',
    '/apis/toString',
    '/API',
  ])('has nothing at %s', (path) => expect(discoveryDocument(source, path, false)).toBeUndefined())

  it('prefers the higher version', () => {
    expect(parsed('/apis/autoscaling')).toMatchObject({
      kind: 'APIGroup',
      preferredVersion: { version: 'v2' },
    })
  })

  it('aggregates at the roots only, with an ETag of the content', () => {
    const document = discoveryDocument(source, '/apis', true)
    expect(document?.contentType).toBe('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList')
    expect(document?.etag).toMatch(/^"[0-9A-F]{128}"$/)
    expect(discoveryDocument(source, '/apis', true)).toBe(document)
    expect(discoveryDocument({ ...source, resources: source.resources.slice(1) }, '/apis', true)).not.toBe(
      document,
    )
    expect(discoveryDocument(source, '/apis/apps', true)?.type.kind).toBe('APIGroup')
    expect(parsed('/api', true).items).toMatchObject([{ metadata: {}, versions: [{ version: 'v1' }] }])
  })

  it('puts custom groups behind the built-in ones, by name, their versions from stable to alpha', () => {
    const added = [custom('b.example', 'v1beta1'), custom('b.example', 'v1'), custom('a.example', 'v1')]
    const from = { serverAddress, resources: [...builtinResources(), ...added] }
    const groups = parsed('/apis', false, from).groups.slice(-2)
    expect(groups.map(({ name, versions }) => [name, ...versions.map(({ version }) => version)])).toEqual([
      ['a.example', 'v1'],
      ['b.example', 'v1', 'v1beta1'],
    ])
    expect(parsed('/apis', true, from).items.at(-1)).toMatchObject({
      versions: [
        { resources: [{ responseKind: { group: 'b.example', version: 'v1', kind: 'Widget' } }] },
        {},
      ],
    })
  })
})

describe('compareVersions', () => {
  it('orders as clients expect', () => {
    const sorted = ['v10', 'v2', 'v1', 'v2beta1', 'v1beta2', 'v1beta1', 'v3alpha1', 'bar', 'foo']
    expect([...sorted].reverse().sort(compareVersions)).toEqual(sorted)
  })
})

describe('aggregatedEncoding', () => {
  const v2 = 'g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
  it.each([
    [undefined, undefined],
    ['application/json', undefined],
    [`application/json;${v2}`, 'json'],
    [`application/json, application/json; ${v2.replaceAll(';', '; ')}`, 'json'],
    [`application/json;${v2};q=0.5,application/vnd.kubernetes.protobuf;${v2};q=0.9`, 'protobuf'],
    [`application/json;${v2.replace('v2', 'v2beta1')}`, undefined],
    [`text/html;${v2}`, undefined],
  ])('%s: %s', (accept, encoding) => expect(aggregatedEncoding(accept)).toBe(encoding))
})

const folder = join(packageRoot(), '../shared/upstream/discovery')
const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith('api')) : []

describe.skipIf(files.length === 0)('discovery of the whole release (needs ../shared)', () => {
  const release = { serverAddress, resources: releasedResources() }
  const upstream = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Discovered

  it.each(files.filter((name) => name !== 'api.json'))('%s is upstream’s', (name) => {
    expect(parsed(`/${name.replace('.json', '').replaceAll('__', '/')}`, false, release)).toEqual(
      upstream(name),
    )
  })

  it('is upstream’s when aggregated', () => {
    expect(parsed('/apis', true, release)).toEqual(upstream('aggregated_v2.json'))
  })
})
