// What kube-apiserver 1.36.3 warns of, word by word: each was seen in its answers.
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../src/machinery/object.ts'
import { makeCertificate, makePrivateKey, readPrivateKey } from '../../src/pki/certificate.ts'
import { Spot } from '../../src/registry/validation/spot.ts'
import { addressWarnings, blockWarnings } from '../../src/registry/warnings/addresses.ts'
import { secretWarnings } from '../../src/registry/warnings/keypair.ts'
import { runtimeClassWarnings } from '../../src/registry/warnings/nodelabels.ts'
import {
  balancerWarnings,
  endpointSliceWarnings,
  ingressWarnings,
  nodeWarnings,
  serviceWarnings,
} from '../../src/registry/warnings/others.ts'
import {
  controllerWarnings,
  cronJobWarnings,
  podWarnings,
  statefulSetWarnings,
} from '../../src/registry/warnings/pods.ts'
import {
  claimWarnings,
  csiDriverWarnings,
  persistentVolumeWarnings,
} from '../../src/registry/warnings/volumes.ts'

type Content = Omit<KubeObject, 'metadata'> & { metadata?: KubeObject['metadata'] }
const object = (content: Content): KubeObject => ({ metadata: { name: 'a' }, ...content }) as KubeObject
const pod = (spec: KubeObject['spec'], annotations?: Record<string, string>): KubeObject =>
  object({ metadata: { name: 'a', ...(annotations && { annotations }) }, spec: spec as never })
const spotOf = (text: string): Spot => Spot.of({ at: text }, []).at('at')

describe('addresses', () => {
  it.each([
    ['10.0.0.1', []],
    ['10.0.0.01', ['at: non-standard IP address "10.0.0.01" is invalid: use "10.0.0.1"']],
    ['::ffff:1.2.3.4', ['at: non-standard IP address "::ffff:1.2.3.4" is invalid: use "1.2.3.4"']],
    [
      '2001:DB8::1',
      ['at: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")'],
    ],
    ['x', []],
  ])('%s', (text, warnings) => expect([...addressWarnings(spotOf(text))]).toEqual(warnings))

  it.each([
    ['10.0.0.0/8', []],
    [
      '10.0.0.1/8',
      ['at: CIDR value "10.0.0.1/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.0.0.1/32"?)'],
    ],
    ['010.0.0.0/8', ['at: non-standard CIDR value "010.0.0.0/8" is invalid: use "10.0.0.0/8"']],
    [
      '2001:DB8::/64',
      ['at: IPv6 CIDR value "2001:DB8::/64" should be in RFC 5952 canonical format ("2001:db8::/64")'],
    ],
  ])('%s', (text, warnings) => expect([...blockWarnings(spotOf(text))]).toEqual(warnings))
})

describe('pods', () => {
  const container = { name: 'c', image: 'i' }
  it.each([
    [
      { nodeSelector: { 'beta.kubernetes.io/os': 'linux' } },
      'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
    ],
    [
      { containers: [{ ...container, ports: [{ containerPort: 80, protocol: 'TCP', hostIP: '1.2.3.4' }] }] },
      'spec.containers[0].ports[0]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:1.2.3.4}',
    ],
    [
      {
        containers: [
          { ...container, ports: [{ name: 'p', containerPort: 80 }] },
          { name: 'd', ports: [{ name: 'p', containerPort: 81 }] },
        ],
      },
      'spec.containers[1].ports[0]: duplicate port name "p" with spec.containers[0].ports[0], services and probes that select ports by name will use spec.containers[0].ports[0]',
    ],
    [
      {
        volumes: [
          {
            name: 'v',
            configMap: {
              name: 'm',
              items: [
                { key: 'a', path: 'x' },
                { key: 'b', path: 'x/y' },
              ],
            },
          },
        ],
      },
      'volume "v" (ConfigMap "m"): overlapping paths: "x/y" with "x"',
    ],
    [
      {
        volumes: [
          {
            name: 'v',
            projected: {
              sources: [
                { secret: { name: 's', items: [{ key: 'a', path: 'token' }] } },
                { serviceAccountToken: { path: 'token' } },
              ],
            },
          },
        ],
      },
      'volume "v" (Projected): overlapping paths: "token" (ServiceAccountToken) with "token" (Secret "s")',
    ],
    [
      { hostAliases: [{ ip: '010.0.0.1' }] },
      'spec.hostAliases[0].ip: non-standard IP address "010.0.0.1" is invalid: use "10.0.0.1"',
    ],
  ])('%j', (spec, warning) => expect([...podWarnings(pod(spec), undefined)]).toEqual([warning]))

  it('says nothing of what changes', () => {
    const aged = pod({ nodeSelector: { 'beta.kubernetes.io/os': 'linux' } })
    expect([...podWarnings(aged, aged)]).toEqual([])
  })

  it('tells of annotations that mean nothing any more', () => {
    const warnings = [...podWarnings(pod({}, { 'security.alpha.kubernetes.io/sysctls': 'a' }), undefined)]
    expect(warnings).toEqual([
      'metadata.annotations[security.alpha.kubernetes.io/sysctls]: non-functional in v1.11+; use the "sysctls" field instead',
    ])
  })
})

describe('kinds that make pods', () => {
  const grace = (seconds: number, generation: number): KubeObject =>
    object({
      metadata: { name: 'a', generation },
      spec: { template: { spec: { terminationGracePeriodSeconds: seconds } } },
    })
  it('looks at the template that a replication controller had', () => {
    const path = 'spec.template.spec.terminationGracePeriodSeconds'
    const told = `${path}: must be >= 0; negative values are invalid and will be treated as 1`
    expect([...controllerWarnings(grace(-1, 1), undefined)]).toEqual([told])
    expect([...controllerWarnings(grace(-1, 2), grace(5, 1))]).toEqual([])
    expect([...controllerWarnings(grace(5, 2), grace(-1, 1))]).toEqual([told])
  })

  it('tells of a zone in the schedule of a cron job that was there before', () => {
    const cron = object({ spec: { schedule: 'TZ=UTC * * * * *', jobTemplate: { spec: {} } } })
    expect([...cronJobWarnings(cron, undefined)]).toEqual([])
    expect([...cronJobWarnings(cron, cron)]).toHaveLength(1)
  })

  it('tells of a stateful set that keeps all its revisions, and of parts of bytes', () => {
    const resources = { requests: { storage: '1500m' } }
    const set = object({
      spec: { revisionHistoryLimit: -1, volumeClaimTemplates: [{ spec: { resources } }] },
    })
    const odd = 'resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer'
    const kept =
      'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended'
    expect([...statefulSetWarnings(set, undefined)]).toEqual([`spec.volumeClaimTemplates[0].${odd}`, kept])
    expect([...statefulSetWarnings(set, set)]).toEqual([`spec.volumeClaimTemplates[0].Spec.${odd}`, kept])
  })
})

describe('others', () => {
  it.each([
    [
      serviceWarnings,
      { spec: { type: 'ClusterIP', externalName: 'x' } },
      ['spec.externalName is ignored when spec.type is not "ExternalName"'],
    ],
    [
      nodeWarnings,
      { spec: { externalID: 'x' } },
      ['spec.externalID: this field is deprecated, and is unused by Kubernetes'],
    ],
    [endpointSliceWarnings, { addressType: 'FQDN' }, ['spec.addressType: FQDN endpoints are deprecated']],
    [
      balancerWarnings,
      { status: { loadBalancer: { ingress: [{ ip: '01.2.3.4' }] } } },
      ['status.loadBalancer.ingress[0]: non-standard IP address "01.2.3.4" is invalid: use "1.2.3.4"'],
    ],
    [
      runtimeClassWarnings,
      { scheduling: { nodeSelector: { 'beta.kubernetes.io/arch': 'x' } } },
      ['scheduling.nodeSelector: deprecated since v1.14; use "kubernetes.io/arch" instead'],
    ],
    [
      ingressWarnings,
      { metadata: { annotations: { 'kubernetes.io/ingress.class': 'x' } }, spec: { ingressClassName: 'x' } },
      [],
    ],
    [
      claimWarnings,
      { metadata: { annotations: { 'volume.beta.kubernetes.io/storage-class': 'x' } } },
      [
        'metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead',
      ],
    ],
    [
      persistentVolumeWarnings,
      { spec: { storageos: {}, rbd: {} } },
      [
        'spec.storageOS: deprecated in v1.22, non-functional in v1.25+',
        'spec.rbd: deprecated in v1.28, non-functional in v1.31+',
      ],
    ],
  ] as const)('%o %j', (rule, content, warnings) => {
    expect([...rule(object(content as unknown as Content), undefined)]).toEqual(warnings)
  })

  it('tells of tokens of a driver when they are new or others', () => {
    const driver = (audience: string): KubeObject => object({ spec: { tokenRequests: [{ audience }] } })
    expect([...csiDriverWarnings(driver('a'), undefined)]).toHaveLength(1)
    expect([...csiDriverWarnings(driver('a'), driver('a'))]).toEqual([])
    expect([...csiDriverWarnings(driver('b'), driver('a'))]).toHaveLength(1)
  })
})

const DAY = 86_400_000
const key = makePrivateKey()
const certificate = await makeCertificate(
  {
    subject: { commonName: 'a', organizations: [] },
    isCa: false,
    usages: ['server'],
    hosts: ['localhost'],
    notBefore: new Date(Date.now() - DAY),
    notAfter: new Date(Date.now() + DAY),
  },
  readPrivateKey(key),
)
const pair = { key, certificate }

describe('a certificate and its key', () => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const secret = (certificate: string, key: string): KubeObject =>
    object({ type: 'kubernetes.io/tls', data: { 'tls.crt': base64(certificate), 'tls.key': base64(key) } })
  const pem = { type: 'pkcs8', format: 'pem' } as const
  const other = makePrivateKey()
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export(pem).toString()

  it.each([
    ['', '', 'tls: failed to find any PEM data in certificate input'],
    [
      pair.key,
      pair.certificate,
      'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched',
    ],
    [pair.certificate, 'x', 'tls: failed to find any PEM data in key input'],
    [
      pair.certificate,
      pair.certificate,
      'tls: found a certificate rather than a key in the PEM for the private key',
    ],
    [pair.certificate, other, 'tls: private key does not match public key'],
    [pair.certificate, rsa, 'tls: private key type does not match public key type'],
  ])('are no pair (%#)', (certificate, key, fault) => {
    expect([...secretWarnings(secret(certificate, key))]).toEqual([fault])
  })

  it('are one', () => expect([...secretWarnings(secret(pair.certificate, pair.key))]).toEqual([]))
})
