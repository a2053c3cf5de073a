import { describe, expect, it } from 'vitest'
import { AdmissionChain } from './chain.ts'
import type { KubeObject } from '../machinery/object.ts'
import { attributesOf, FakeLister } from './fixture.ts'
import type { AdmissionPlugin } from './plugin.ts'
import { admissionPlugins } from './plugins.ts'

const PODS = [{ group: '', resource: 'pods' }]
const authorizer = { authorize: () => ({ decision: 'deny', reason: '' }) as const }

interface Options {
  readonly waits?: boolean
  readonly reads?: boolean
  readonly handles?: boolean
  readonly fails?: boolean
}

function plugin(name: string, log: string[], options: Options = {}): AdmissionPlugin {
  const note = (what: string) => (): void | Promise<void> => {
    log.push(`${name} ${what}`)
    if (options.fails) throw new Error(name)
    return options.waits ? Promise.resolve() : undefined
  }
  return {
    name,
    ...(options.reads ? { reads: PODS } : {}),
    handles: () => {
      log.push(`${name}?`)
      return options.handles ?? true
    },
    admit: note('admits'),
    validate: note('validates'),
  }
}

describe('AdmissionChain', () => {
  it('runs plugins in order, at once where none has to wait', () => {
    const log: string[] = []
    const chain = new AdmissionChain([plugin('a', log), plugin('b', log)], new FakeLister())
    expect(chain.admit(attributesOf({}))).toBeUndefined()
    expect(chain.validate(attributesOf({}))).toBeUndefined()
    expect(log.filter((line) => !line.endsWith('?'))).toEqual([
      'a admits',
      'b admits',
      'a validates',
      'b validates',
    ])
  })

  it('keeps the order where one has to wait', async () => {
    const log: string[] = []
    const plugins = [plugin('a', log, { waits: true }), plugin('b', log), plugin('c', log, { waits: true })]
    const pending = new AdmissionChain(plugins, new FakeLister()).admit(attributesOf({}))
    expect(log.at(-1)).toBe('a admits')
    await pending
    expect(log.slice(-3)).toEqual(['a admits', 'b admits', 'c admits'])
  })

  it('asks each plugin once for each target', () => {
    const log: string[] = []
    const chain = new AdmissionChain([plugin('a', log, { handles: false })], new FakeLister())
    const write = attributesOf({})
    for (let i = 0; i < 3; i++) void chain.admit(write)
    void chain.validate(write)
    void chain.admit({ ...write, operation: 'UPDATE' })
    void chain.admit({ ...write, subresource: 'status' })
    expect(log).toEqual(['a?', 'a?', 'a?'])
  })

  it('loads what plugins read once, and lets those who come meanwhile wait for the same load', async () => {
    const lister = new FakeLister()
    const log: string[] = []
    const chain = new AdmissionChain([plugin('a', log, { reads: true })], lister)
    const write = attributesOf({})
    await Promise.all([chain.admit(write), chain.admit(write)])
    expect(lister.loads).toBe(1)
    expect(chain.admit(write)).toBeUndefined()
    expect(log.filter((line) => line === 'a admits')).toHaveLength(3)
  })

  it('tries a failed load again with the next request', async () => {
    const lister = new FakeLister()
    const ready = lister.ready.bind(lister)
    let broken = true
    lister.ready = () => (broken ? Promise.reject(new Error('no store')) : ready())
    const chain = new AdmissionChain([plugin('a', [], { reads: true })], lister)
    const write = attributesOf({})
    await expect(chain.admit(write)).rejects.toThrow('no store')
    broken = false
    await chain.admit(write)
    expect(chain.admit(write)).toBeUndefined()
  })

  it('stops at the first refusal', () => {
    const log: string[] = []
    const chain = new AdmissionChain([plugin('a', log, { fails: true }), plugin('b', log)], new FakeLister())
    expect(() => chain.admit(attributesOf({}))).toThrow('a')
    expect(log).not.toContain('b admits')
  })
})

describe('admissionPlugins', () => {
  const NEEDS = {
    authorizer,
    writeQuotaStatus: (quota: KubeObject) => Promise.resolve(quota),
    createNamespace: (name: string) => Promise.resolve(name),
    webhookOf: () => Promise.reject(new Error('there is none')),
  }
  const names = async (enable: string[], disable: string[]): Promise<string[]> =>
    (await admissionPlugins({ enable, disable }, NEEDS)).map(({ name }) => name)

  it('has the plugins of a default server in upstream’s order', async () => {
    expect(await names([], [])).toEqual([
      'NamespaceLifecycle',
      'LimitRanger',
      'ServiceAccount',
      'TaintNodesByCondition',
      'PodSecurity',
      'Priority',
      'DefaultTolerationSeconds',
      'DefaultStorageClass',
      'StorageObjectInUseProtection',
      'PersistentVolumeClaimResize',
      'RuntimeClass',
      'CertificateApproval',
      'CertificateSigning',
      'CertificateSubjectRestriction',
      'DefaultIngressClass',
      'PodTopologyLabels',
      'NodeDeclaredFeatureValidator',
      'PodResizeValidator',
      'ResourceQuota',
    ])
  })

  it('leaves out what is disabled', async () => {
    expect(await names(['Priority'], ['LimitRanger', 'PodSecurity'])).not.toContain('LimitRanger')
  })

  it('knows those that a feature gate keeps from doing anything', async () => {
    const gated = [
      'PodGroupProtection',
      'ClusterTrustBundleAttest',
      'PodGroupWorkloadExists',
      'JobValidation',
    ]
    expect(await names(gated, [])).toEqual(await names([], gated))
  })

  it.each([
    [['Nope'], [], 'enable-admission-plugins plugin "Nope" is unknown'],
    [[], ['Nope'], 'disable-admission-plugins plugin "Nope" is unknown'],
    [
      ['Priority'],
      ['Priority'],
      '[Priority] in enable-admission-plugins and disable-admission-plugins overlapped',
    ],
  ])('refuses %j and %j', async (enable, disable, message) => {
    await expect(names(enable, disable)).rejects.toThrow(message)
  })

  it('asks only NamespaceLifecycle and ResourceQuota about most objects', async () => {
    const write = attributesOf({ resource: 'secrets' })
    const concerned = (await admissionPlugins({}, NEEDS)).filter((known) => known.handles(write))
    expect(concerned.map(({ name }) => name)).toEqual(['NamespaceLifecycle', 'ResourceQuota'])
  })
})
