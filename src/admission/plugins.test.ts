// The plugins that look at other things than pods: NamespaceLifecycle, storage, classes, nodes, certificates.
import { generateKeyPairSync, sign } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { AuthorizationAttributes, Authorizer } from '../machinery/attributes.ts'
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { StatusError } from '../machinery/status.ts'
import { organizationsOf } from './certificaterequest.ts'
import { CertificateApproval, CertificateSigning, CertificateSubjectRestriction } from './certificates.ts'
import { defaultIngressClass, defaultStorageClass } from './defaultclass.ts'
import { attributesOf, FakeLister, type Write } from './fixture.ts'
import { NamespaceLifecycle } from './namespacelifecycle.ts'
import { PersistentVolumeClaimResize } from './persistentvolumeclaimresize.ts'
import { StorageObjectInUseProtection } from './storageobjectinuseprotection.ts'
import { TaintNodesByCondition } from './taintnodesbycondition.ts'

let lister: FakeLister
beforeEach(() => {
  lister = new FakeLister()
})

const named = (name: string, more: JsonObject = {}): JsonObject => ({ metadata: { name }, ...more })

describe('NamespaceLifecycle', () => {
  const plugin = new NamespaceLifecycle()
  beforeEach(() => lister.put('namespaces', named('ns', { status: { phase: 'Active' } })))

  function failure(act: () => unknown): StatusError {
    try {
      act()
    } catch (error) {
      if (error instanceof StatusError) return error
    }
    throw new Error('was not refused')
  }

  it('handles what lies in namespaces, and their own deletion', () => {
    const handles = (write: Write): boolean => plugin.handles(attributesOf(write))
    expect(handles({})).toBe(true)
    expect(handles({ operation: 'UPDATE', subresource: 'status' })).toBe(true)
    expect(handles({ operation: 'DELETE' })).toBe(false)
    expect(handles({ resource: 'nodes' })).toBe(false)
    expect(handles({ resource: 'namespaces' })).toBe(false)
    expect(handles({ resource: 'namespaces', operation: 'DELETE' })).toBe(true)
    expect(handles({ resource: 'localsubjectaccessreviews.authorization.k8s.io' })).toBe(false)
  })

  it('refuses a namespace that is not there with 404', async () => {
    const write = { ...attributesOf({ object: named('p') }), namespace: 'x' }
    const error = failure(() => plugin.admit(write, lister))
    expect(error.status).toMatchObject({ code: 404, message: 'namespaces "x" not found' })
    expect(error.status.details).toEqual({ name: 'x', kind: 'namespaces' })
    const blind = new NamespaceLifecycle(() => Promise.resolve(undefined))
    await expect(blind.admit(write, lister)).rejects.toThrow('namespaces "x" not found')
    const seeing = new NamespaceLifecycle(() => Promise.resolve(named('x') as KubeObject))
    await seeing.admit(write, lister)
  })

  it('lets nothing new into a namespace that is going', () => {
    lister.put('namespaces', named('gone', { status: { phase: 'Terminating' } }))
    const write = {
      ...attributesOf({ resource: 'secrets', object: { metadata: { generateName: 's-' } } }),
      namespace: 'gone',
    }
    const error = failure(() => plugin.admit(write, lister))
    const why = 'unable to create new content in namespace gone because it is being terminated'
    expect(error.status).toMatchObject({ code: 403, message: `secrets "s-" is forbidden: ${why}` })
    const message = 'namespace gone is being terminated'
    const causes = [{ reason: 'NamespaceTerminating', message, field: 'metadata.namespace' }]
    expect(error.status.details).toEqual({ name: 's-', kind: 'secrets', causes })
    expect(plugin.admit({ ...write, operation: 'UPDATE' }, lister)).toBeUndefined()
  })

  it('keeps three namespaces for ever', () => {
    const remove = (name: string) => () =>
      plugin.admit(attributesOf({ operation: 'DELETE', resource: 'namespaces', name }), lister)
    const message = 'namespaces "kube-system" is forbidden: this namespace may not be deleted'
    expect(failure(remove('kube-system')).status).toMatchObject({ code: 403, message })
    expect(remove('default')).toThrow()
    expect(remove('kube-public')).toThrow()
    expect(remove('kube-node-lease')()).toBeUndefined()
  })
})

describe('StorageObjectInUseProtection', () => {
  it.each([
    ['persistentvolumes', 'kubernetes.io/pv-protection'],
    ['persistentvolumeclaims', 'kubernetes.io/pvc-protection'],
    ['volumeattributesclasses.storage.k8s.io', 'kubernetes.io/vac-protection'],
  ])('gives %s the finalizer %s, once', (resource, finalizer) => {
    const plugin = new StorageObjectInUseProtection()
    const write = attributesOf({ resource, object: { metadata: { name: 'a', finalizers: ['x/y'] } } })
    expect(plugin.handles(write)).toBe(true)
    plugin.admit(write)
    plugin.admit(write)
    expect(write.object?.metadata.finalizers).toEqual(['x/y', finalizer])
    expect(plugin.handles({ ...write, operation: 'UPDATE' })).toBe(false)
    expect(plugin.handles({ ...write, subresource: 'status' })).toBe(false)
  })
})

describe('default classes', () => {
  const mark = { 'storageclass.kubernetes.io/is-default-class': 'true' }
  const beta = { 'storageclass.beta.kubernetes.io/is-default-class': 'true' }
  const storageClass = (name: string, creationTimestamp: string, annotations: Record<string, string>): void =>
    lister.put('storageclasses', { metadata: { name, creationTimestamp, annotations } })
  const classOf = async (object: JsonObject): Promise<unknown> => {
    const attributes = attributesOf({ resource: 'persistentvolumeclaims', object })
    await defaultStorageClass().admit?.(attributes, lister)
    return (attributes.object?.spec as JsonObject).storageClassName
  }

  it('are the newest that is marked, then the first by name', async () => {
    expect(await classOf(named('c', { spec: {} }))).toBeUndefined()
    storageClass('plain', '2027-01-01T00:00:00Z', { 'storageclass.kubernetes.io/is-default-class': 'false' })
    storageClass('old', '2025-01-01T00:00:00Z', mark)
    expect(await classOf(named('c', { spec: {} }))).toBe('old')
    storageClass('b', '2026-01-01T00:00:00Z', mark)
    storageClass('a', '2026-01-01T00:00:00Z', beta)
    expect(await classOf(named('c', { spec: {} }))).toBe('a')
  })

  it('are for those that name none, not even the empty one', async () => {
    storageClass('a', '2026-01-01T00:00:00Z', mark)
    expect(await classOf(named('c', { spec: { storageClassName: '' } }))).toBe('')
    const annotations = { 'volume.beta.kubernetes.io/storage-class': 'x' }
    expect(await classOf({ metadata: { name: 'c', annotations }, spec: {} })).toBeUndefined()
  })

  it('are there for ingresses too', async () => {
    const annotations = { 'ingressclass.kubernetes.io/is-default-class': 'true' }
    lister.put('ingressclasses', { metadata: { name: 'i', annotations } })
    const attributes = attributesOf({
      resource: 'ingresses.networking.k8s.io',
      object: named('a', { spec: {} }),
    })
    await defaultIngressClass().admit?.(attributes, lister)
    expect(attributes.object?.spec).toEqual({ ingressClassName: 'i' })
  })
})

describe('PersistentVolumeClaimResize', () => {
  const claim = (storage: string, phase = 'Bound', storageClassName = 'grows'): JsonObject => ({
    ...named('c', { spec: { storageClassName, resources: { requests: { storage } } }, status: { phase } }),
  })
  const update = (object: JsonObject, old: JsonObject) => () =>
    new PersistentVolumeClaimResize().validate(
      attributesOf({ operation: 'UPDATE', resource: 'persistentvolumeclaims', object, old }),
      lister,
    )
  beforeEach(() => {
    lister.put('storageclasses', named('grows', { allowVolumeExpansion: true }))
    lister.put('storageclasses', named('stays'))
  })

  it('lets bound claims grow where their class allows it', () => {
    expect(update(claim('2Gi'), claim('1Gi'))).not.toThrow()
    expect(update(claim('1024Mi', 'Pending'), claim('1Gi', 'Pending'))).not.toThrow()
    expect(update(claim('2Gi', 'Pending'), claim('1Gi', 'Pending'))).toThrow(
      'persistentvolumeclaims "c" is forbidden: Only bound persistent volume claims can be expanded',
    )
    const why =
      'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize'
    for (const name of ['stays', 'unknown', '']) {
      expect(update(claim('2Gi', 'Bound', name), claim('1Gi', 'Bound', name))).toThrow(why)
    }
  })
})

describe('TaintNodesByCondition', () => {
  const taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }
  it.each<[JsonObject, JsonObject[]]>([
    [named('n'), [taint]],
    [
      named('n', { spec: { taints: [{ key: 'a', effect: 'NoExecute' }] } }),
      [{ key: 'a', effect: 'NoExecute' }, taint],
    ],
    [named('n', { spec: { taints: [taint] } }), [taint]],
  ])('%j', (object, taints) => {
    const attributes = attributesOf({ resource: 'nodes', object })
    new TaintNodesByCondition().admit(attributes)
    expect((attributes.object?.spec as JsonObject).taints).toEqual(taints)
  })
})

// ---- certificates

/** The least DER that a certificate request is made of. */
const der = (tag: number, ...parts: Buffer[]): Buffer => {
  const content = Buffer.concat(parts)
  const { length } = content
  const head = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from(head), content])
}

function signingRequest(subject: readonly (readonly [oid: string, text: string])[]): string {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const names = subject.map(([oid, text]) =>
    der(0x31, der(0x30, der(0x06, Buffer.from(oid, 'hex')), der(0x0c, Buffer.from(text)))),
  )
  const key = publicKey.export({ type: 'spki', format: 'der' })
  const info = der(0x30, der(0x02, Buffer.from([0])), der(0x30, ...names), key, der(0xa0))
  const algorithm = der(0x30, der(0x06, Buffer.from('2a8648ce3d040302', 'hex')))
  const signature = der(0x03, Buffer.from([0]), sign('sha256', info, privateKey))
  const text =
    der(0x30, info, algorithm, signature)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  const pem = ['-----BEGIN CERTIFICATE REQUEST-----', ...text, '-----END CERTIFICATE REQUEST-----', ''].join(
    '\n',
  )
  return Buffer.from(pem).toString('base64')
}

const ORGANIZATION = '55040a'
const COMMON_NAME = '550403'
const CSRS = 'certificatesigningrequests.certificates.k8s.io'

describe('organizationsOf', () => {
  it('finds every organization', () => {
    const request = signingRequest([
      [ORGANIZATION, 'a'],
      [COMMON_NAME, 'b'.repeat(200)],
      [ORGANIZATION, 'ü'],
    ])
    expect(organizationsOf(request)).toEqual(['a', 'ü'])
    expect(organizationsOf(signingRequest([[COMMON_NAME, 'a']]))).toEqual([])
  })

  it('knows what is no request, however it is cut', () => {
    const pem = Buffer.from(signingRequest([[ORGANIZATION, 'a']]), 'base64').toString()
    expect(organizationsOf('')).toBeUndefined()
    expect(organizationsOf(Buffer.from('text').toString('base64'))).toBeUndefined()
    const body = Buffer.from(pem.split('\n').slice(1, -2).join(''), 'base64')
    for (let length = 0; length < 40; length++) {
      const text = `-----BEGIN CERTIFICATE REQUEST-----\n${body.subarray(0, length).toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
      expect(organizationsOf(Buffer.from(text).toString('base64'))).toBeUndefined()
    }
  })
})

describe('certificate requests', () => {
  const request = (groups: readonly string[], signerName: string): JsonObject =>
    named('r', {
      spec: { signerName, request: signingRequest(groups.map((group) => [ORGANIZATION, group] as const)) },
    })

  it('may not ask for a client certificate of system:masters', () => {
    const validate = (object: JsonObject) => () =>
      new CertificateSubjectRestriction().validate(attributesOf({ resource: CSRS, object }))
    const client = 'kubernetes.io/kube-apiserver-client'
    expect(validate(request(['a', 'system:masters'], client))).toThrow(
      `${CSRS} "r" is forbidden: use of ${client} signer with system:masters group is not allowed`,
    )
    expect(validate(request(['a'], client))).not.toThrow()
    expect(validate(request(['system:masters'], 'example.com/x'))).not.toThrow()
    expect(validate(named('r', { spec: { signerName: client, request: '' } }))).toThrow('failed to parse CSR')
  })

  const allowing = (...names: string[]): Authorizer => ({
    authorize: ({ group, resource, name }: AuthorizationAttributes) => ({
      decision:
        group === 'certificates.k8s.io' && resource === 'signers' && names.includes(name)
          ? 'allow'
          : 'noOpinion',
      reason: '',
    }),
  })

  it('are approved by those who may approve for the signer or its domain', async () => {
    const old = named('r', { spec: { signerName: 'example.com/s' } })
    const write = attributesOf({
      operation: 'UPDATE',
      resource: CSRS,
      subresource: 'approval',
      object: old,
      old,
    })
    const approve = (...names: string[]): Promise<void> =>
      new CertificateApproval(allowing(...names)).validate(write)
    await approve('example.com/s')
    await approve('example.com/*')
    await expect(approve('example.org/*')).rejects.toThrow(
      `${CSRS} "r" is forbidden: user not permitted to approve requests with signerName "example.com/s"`,
    )
  })

  it('are signed by those who may; other parts of the status are free', async () => {
    const spec = { signerName: 'example.com/s' }
    const old = named('r', { spec, status: {} })
    const sign = (status: JsonObject, ...names: string[]): Promise<void> => {
      const object = named('r', { spec, status })
      const write = { operation: 'UPDATE', resource: CSRS, subresource: 'status', object, old } as const
      return new CertificateSigning(allowing(...names)).validate(attributesOf(write))
    }
    await sign({}, 'nothing')
    await sign({ certificate: 'eA==' }, 'example.com/s')
    for (const certificate of ['eA==', ''])
      await expect(sign({ certificate })).rejects.toThrow('user not permitted to sign requests')
    await expect(sign({ conditions: [{ type: 'Failed' }] })).rejects.toThrow(
      'user not permitted to sign requests',
    )
  })
})
