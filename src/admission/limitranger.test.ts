import { beforeEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../machinery/json.ts'
import { attributesOf, FakeLister, type Write } from './fixture.ts'
import { LimitRanger } from './limitranger.ts'

let lister: FakeLister
beforeEach(() => {
  lister = new FakeLister()
})

const limit = (namespace: string, ...limits: JsonObject[]): void =>
  lister.put('limitranges', { metadata: { name: 'l', namespace }, spec: { limits } })

const pod = (resources: JsonObject, more: JsonObject = {}): JsonObject => ({
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'c', resources }], ...more },
})

const claim = (storage: string): JsonObject => ({
  metadata: { name: 'p' },
  spec: { resources: { requests: { storage } } },
})

function through(write: Write): JsonObject {
  const attributes = attributesOf(write)
  const plugin = new LimitRanger()
  plugin.admit(attributes, lister)
  plugin.validate(attributes, lister)
  return attributes.object as JsonObject
}

describe('LimitRanger fills in', () => {
  beforeEach(() =>
    limit('ns', { type: 'Container', default: { cpu: '2', memory: '1Gi' }, defaultRequest: { cpu: '1' } }),
  )

  it('what containers leave out, and says so', () => {
    const init = { initContainers: [{ name: 'i', resources: {} }] }
    const object = through({ object: pod({ requests: { cpu: '500m' } }, init) })
    expect(object.spec).toEqual({
      containers: [
        { name: 'c', resources: { requests: { cpu: '500m' }, limits: { cpu: '2', memory: '1Gi' } } },
      ],
      initContainers: [
        { name: 'i', resources: { requests: { cpu: '1' }, limits: { cpu: '2', memory: '1Gi' } } },
      ],
    })
    expect((object.metadata as JsonObject).annotations).toEqual({
      'kubernetes.io/limit-ranger':
        'LimitRanger plugin set: cpu, memory limit for container c; cpu request for init container i; cpu, memory limit for init container i',
    })
  })

  it('nothing where all is said', () => {
    const full = pod({ requests: { cpu: '1' }, limits: { cpu: '1', memory: '1' } })
    expect(through({ object: structuredClone(full) })).toEqual(full)
  })

  it('nothing for what is being deleted', () => {
    const old = { metadata: { name: 'p', deletionTimestamp: '2026-01-01T00:00:00Z' } }
    const write = { operation: 'UPDATE', subresource: 'resize', object: pod({}), old } as const
    expect(through(write)).toEqual(pod({}))
  })

  it('does not change what the store holds', () => {
    const [stored] = lister.list({ group: '', resource: 'limitranges' }, 'ns')
    const before = structuredClone(stored)
    const object = through({ object: pod({}) })
    const [first] = (object.spec as { containers: { resources: { limits: JsonObject } }[] }).containers
    if (first) first.resources.limits.cpu = 'changed'
    expect(stored).toEqual(before)
  })
})

describe('LimitRanger refuses', () => {
  const cpu = (requests?: string, limits?: string): JsonObject => ({
    ...(requests ? { requests: { cpu: requests } } : {}),
    ...(limits ? { limits: { cpu: limits } } : {}),
  })
  const container = { type: 'Container', max: { cpu: '1' }, min: { cpu: '100m' } }
  const ratio = { type: 'Container', maxLimitRequestRatio: { cpu: '2' } }

  it.each<[JsonObject, JsonObject, string]>([
    [
      container,
      cpu(),
      '[minimum cpu usage per Container is 100m.  No request is specified, maximum cpu usage per Container is 1.  No limit is specified]',
    ],
    [container, cpu('50m', '1'), 'minimum cpu usage per Container is 100m, but request is 50m'],
    [container, cpu('200m', '50m'), 'minimum cpu usage per Container is 100m, but limit is 50m'],
    [container, cpu('1', '2'), 'maximum cpu usage per Container is 1, but limit is 2'],
    [container, cpu('2', '1'), 'maximum cpu usage per Container is 1, but request is 2'],
    [
      ratio,
      cpu('1', '2500m'),
      'cpu max limit to request ratio per Container is 2, but provided ratio is 2.500000',
    ],
    [
      ratio,
      cpu(undefined, '1'),
      'cpu max limit to request ratio per Container is 2, but no request is specified or request is 0',
    ],
    [
      ratio,
      cpu('1', '0'),
      'cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0',
    ],
  ])('%j: %j', (item, resources, why) => {
    limit('ns', item)
    expect(() => through({ object: pod(resources) })).toThrow(`pods "p" is forbidden: ${why}`)
  })

  it('pods whose containers together break a limit', () => {
    limit('ns', { type: 'Pod', max: { cpu: '3' } })
    const side = { name: 's', restartPolicy: 'Always', resources: cpu('1', '1') }
    const init = { name: 'i', resources: cpu('1', '2500m') }
    const message = 'maximum cpu usage per Pod is 3, but limit is 3500m'
    expect(() => through({ object: pod(cpu('1', '1'), { initContainers: [side, init] }) })).toThrow(message)
    through({ object: pod(cpu('1', '1'), { initContainers: [init, side] }) })
  })

  it('pods by what they say themselves, before what their containers add up to', () => {
    limit('ns', { type: 'Pod', max: { cpu: '3' } })
    through({ object: pod(cpu('9', '9'), { resources: cpu('1', '3') }) })
  })

  it('claims that are too small or too large', () => {
    limit('ns', { type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '2Gi' } })
    const create = (storage: string) => () =>
      through({ resource: 'persistentvolumeclaims', object: claim(storage) })
    const says = 'persistentvolumeclaims "p" is forbidden:'
    expect(create('500Mi')).toThrow(
      `${says} minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 500Mi`,
    )
    expect(create('3Gi')).toThrow(
      `${says} maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi`,
    )
    create('1536Mi')()
  })

  it('nothing for the limits of another namespace', () => {
    limit('other', container)
    through({ object: pod(cpu()) })
  })
})
