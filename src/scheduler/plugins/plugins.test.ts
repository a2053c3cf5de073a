// Each rule by itself: which nodes it refuses and why, which it likes.
import { describe, expect, it } from 'vitest'
import type { PodSpec } from '../../client/kinds/core.v1.gen.ts'
import { aNode, aPod, asking, clusterOf, scores, verdicts } from '../fixture.ts'
import { imageLocality } from './imagelocality.ts'
import { interPodAffinity } from './interpodaffinity.ts'
import { nodeAffinity } from './nodeaffinity.ts'
import { nodeDeclaredFeatures } from './nodedeclaredfeatures.ts'
import { nodeName } from './nodename.ts'
import { nodePorts } from './nodeports.ts'
import { balancedAllocation, nodeResourcesFit } from './noderesources.ts'
import { nodeUnschedulable } from './nodeunschedulable.ts'
import { podTopologySpread } from './podtopologyspread.ts'
import { taintToleration } from './tainttoleration.ts'

const HOST = 'kubernetes.io/hostname'
const ZONE = 'topology.kubernetes.io/zone'

describe('NodeName and NodeUnschedulable', () => {
  it('take the node that is named, and no cordoned one', () => {
    const cluster = clusterOf([aNode('a'), aNode('b', { spec: { unschedulable: true } })])
    expect(verdicts(nodeName, aPod({ nodeName: 'a' }), cluster)).toEqual({
      a: 'ok',
      b: "node(s) didn't match the requested node name",
    })
    expect(verdicts(nodeUnschedulable, aPod(), cluster)).toEqual({ a: 'ok', b: 'node(s) were unschedulable' })
    const tolerations = [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }]
    expect(verdicts(nodeUnschedulable, aPod({ tolerations }), cluster)).toEqual({ a: 'ok', b: 'ok' })
  })
})

describe('TaintToleration', () => {
  const taint = (effect: string) => ({ spec: { taints: [{ key: 'k', value: 'v', effect }] } })
  const cluster = clusterOf([
    aNode('a'),
    aNode('b', taint('NoSchedule')),
    aNode('c', taint('PreferNoSchedule')),
  ])
  const refused = { a: 'ok', b: 'node(s) had untolerated taint(s)', c: 'ok' }
  it.each([
    [[], refused],
    [[{ key: 'k', operator: 'Equal', value: 'v' }], { a: 'ok', b: 'ok', c: 'ok' }],
    [[{ key: 'k', value: 'other' }], refused],
    [[{ operator: 'Exists', effect: 'NoExecute' }], refused],
    [[{ operator: 'Exists' }], { a: 'ok', b: 'ok', c: 'ok' }],
  ])('with %j', (tolerations, expected) => {
    expect(verdicts(taintToleration, aPod({ tolerations }), cluster)).toEqual(expected)
  })
  it('likes nodes less whose soft taints are not tolerated', () => {
    expect(scores(taintToleration, aPod(), cluster)).toEqual({ a: 100, b: 100, c: 0 })
  })
})

describe('NodeAffinity', () => {
  const cluster = clusterOf([
    aNode('a', { labels: { disk: 'ssd', cores: '8' } }),
    aNode('b', { labels: { disk: 'hdd' } }),
  ])
  const no = "node(s) didn't match Pod's node affinity/selector"
  const expression = (key: string, operator: string, ...values: string[]): Partial<PodSpec> => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key, operator, values }] }],
        },
      },
    },
  })
  it.each<[Partial<PodSpec>, string, string]>([
    [{ nodeSelector: { disk: 'ssd' } }, 'ok', no],
    [expression('disk', 'In', 'ssd', 'nvme'), 'ok', no],
    [expression('disk', 'NotIn', 'ssd'), no, 'ok'],
    [expression('cores', 'Gt', '4'), 'ok', no],
    [expression('cores', 'DoesNotExist'), no, 'ok'],
    [expression('disk', 'Near', 'ssd'), no, no],
  ])('%j', (spec, a, b) => {
    expect(verdicts(nodeAffinity, aPod(spec), cluster)).toEqual({ a, b })
  })
  it('adds up what is preferred', () => {
    const prefer = (weight: number, key: string) => ({
      weight,
      preference: { matchExpressions: [{ key, operator: 'Exists' }] },
    })
    const preferred = [prefer(10, 'disk'), prefer(30, 'cores')]
    const affinity = { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred } }
    expect(scores(nodeAffinity, aPod({ affinity }), cluster)).toEqual({ a: 100, b: 25 })
  })
})

describe('NodePorts', () => {
  const withPort = (hostPort: number, hostIP?: string, protocol = 'TCP') =>
    aPod({
      containers: [
        {
          name: 'app',
          resources: {},
          ports: [{ containerPort: 1, hostPort, protocol, ...(hostIP ? { hostIP } : {}) }],
        },
      ],
    })
  it.each([
    [withPort(80), false],
    [withPort(80, '10.0.0.1'), false],
    [withPort(80, undefined, 'UDP'), true],
    [withPort(81), true],
    [aPod(), true],
  ])('%#', (pod, isFree) => {
    const cluster = clusterOf([aNode('a')], [[withPort(80), 'a']])
    const a = isFree ? 'ok' : "node(s) didn't have free ports for the requested pod ports"
    expect(verdicts(nodePorts, pod, cluster)).toEqual({ a })
  })
})

describe('NodeResourcesFit', () => {
  it.each<[Record<string, string>, string, boolean]>([
    [{ cpu: '2' }, 'ok', false],
    [{ cpu: '3' }, 'Insufficient cpu', false],
    [{ cpu: '5' }, 'Insufficient cpu', true],
    [{ cpu: '3', memory: '7Gi' }, 'Insufficient cpu, Insufficient memory', false],
    [{ 'example.com/gpu': '1' }, 'Insufficient example.com/gpu', true],
    [{}, 'ok', false],
  ])('%j', (requests, a, isFinal) => {
    const cluster = clusterOf([aNode('a')], [[asking({ cpu: '2', memory: '4Gi' }), 'a']])
    expect(verdicts(nodeResourcesFit, asking(requests), cluster)).toEqual({ a })
    const work = nodeResourcesFit.filter?.(asking(requests), cluster)
    const rejection = work && 'filter' in work ? work.filter(cluster.nodes[0] as never) : undefined
    expect(rejection?.isFinal ?? false).toBe(isFinal)
  })
  it('counts pods', () => {
    const cluster = clusterOf(
      [aNode('a', { status: { allocatable: { cpu: '4', memory: '8Gi', pods: '1' } } })],
      [[aPod(), 'a']],
    )
    expect(verdicts(nodeResourcesFit, aPod(), cluster)).toEqual({ a: 'Too many pods' })
  })
  it('likes the emptier node, and the one that is brought into balance', () => {
    const cluster = clusterOf([aNode('a'), aNode('b')], [[asking({ cpu: '2', memory: '1Gi' }), 'a']])
    // a: (4-3)/4 and (8-2)/8; b: (4-1)/4 and (8-1)/8.
    expect(scores(nodeResourcesFit, asking({ cpu: '1', memory: '1Gi' }), cluster)).toEqual({ a: 50, b: 81 })
    // a: 81 before, 93 after, 50 + (50 + 12) / 2; b: 100 before, 75 after, 50 + (50 - 25) / 2.
    expect(scores(balancedAllocation, asking({ memory: '4Gi' }), cluster)).toEqual({ a: 81, b: 62 })
    expect(scores(balancedAllocation, aPod(), cluster)).toEqual({ a: 0, b: 0 })
  })
})

describe('ImageLocality', () => {
  it('likes nodes that have large images which others have too', () => {
    const images = [{ names: ['nginx:latest'], sizeBytes: 500 * 1024 * 1024 }]
    const cluster = clusterOf([aNode('a', { status: { images } }), aNode('b')])
    const pod = aPod({ containers: [{ name: 'app', image: 'nginx', resources: {} }] })
    // Half of 500 MB, since half of the nodes have it: (250-23)/(1000-23).
    expect(scores(imageLocality, pod, cluster)).toEqual({ a: 23, b: 0 })
  })
})

describe('InterPodAffinity', () => {
  const term = (app: string, topologyKey = ZONE) => ({ labelSelector: { matchLabels: { app } }, topologyKey })
  const near = (app: string): Partial<PodSpec> => ({
    affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(app)] } },
  })
  const far = (app: string): Partial<PodSpec> => ({
    affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(app)] } },
  })
  const nodes = [
    aNode('a', { labels: { [ZONE]: 'x' } }),
    aNode('b', { labels: { [ZONE]: 'x' } }),
    aNode('c', { labels: { [ZONE]: 'y' } }),
  ]
  const web = { labels: { app: 'web' } }
  it.each([
    ['near', aPod(near('web')), { a: 'ok', b: 'ok', c: "node(s) didn't match pod affinity rules" }],
    [
      'far',
      aPod(far('web')),
      {
        a: "node(s) didn't match pod anti-affinity rules",
        b: "node(s) didn't match pod anti-affinity rules",
        c: 'ok',
      },
    ],
    ['the first of its kind', aPod(near('db'), { labels: { app: 'db' } }), { a: 'ok', b: 'ok', c: 'ok' }],
  ])('%s', (_name, pod, expected) => {
    expect(verdicts(interPodAffinity, pod, clusterOf(nodes, [[aPod({}, web), 'a']]))).toEqual(expected)
  })
  it('respects the wishes of those who are there', () => {
    const cluster = clusterOf(nodes, [[aPod(far('web')), 'c']])
    const c = "node(s) didn't satisfy existing pods anti-affinity rules"
    expect(verdicts(interPodAffinity, aPod({}, web), cluster)).toEqual({ a: 'ok', b: 'ok', c })
    expect(verdicts(interPodAffinity, aPod({}, { ...web, namespace: 'other' }), cluster)).toEqual({
      a: 'ok',
      b: 'ok',
      c: 'ok',
    })
  })
  it('prefers', () => {
    const preferred = [{ weight: 10, podAffinityTerm: term('web') }]
    const affinity = { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred } }
    expect(scores(interPodAffinity, aPod({ affinity }), clusterOf(nodes, [[aPod({}, web), 'c']]))).toEqual({
      a: 0,
      b: 0,
      c: 100,
    })
  })
})

describe('PodTopologySpread', () => {
  const nodes = [aNode('a', { labels: { [ZONE]: 'x' } }), aNode('b', { labels: { [ZONE]: 'y' } }), aNode('c')]
  const web = { labels: { app: 'web' } }
  const spread = (whenUnsatisfiable: string, topologyKey = ZONE): Partial<PodSpec> => ({
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey, whenUnsatisfiable, labelSelector: { matchLabels: { app: 'web' } } },
    ],
  })
  const cluster = clusterOf(nodes, [
    [aPod({}, web), 'a'],
    [aPod({}, { ...web, namespace: 'other' }), 'b'],
  ])
  it('keeps the skew', () => {
    expect(verdicts(podTopologySpread, aPod(spread('DoNotSchedule'), web), cluster)).toEqual({
      a: "node(s) didn't match pod topology spread constraints",
      b: 'ok',
      c: "node(s) didn't match pod topology spread constraints (missing required label)",
    })
  })
  it('likes the emptier domain', () => {
    expect(scores(podTopologySpread, aPod(spread('ScheduleAnyway'), web), cluster)).toEqual({
      a: 0,
      b: 100,
      c: 0,
    })
    expect(scores(podTopologySpread, aPod(spread('ScheduleAnyway', HOST), web), cluster)).toEqual({
      a: 0,
      b: 100,
      c: 100,
    })
  })
  it('spreads the pods of a service where nothing is said', () => {
    const service = { metadata: { name: 's' }, spec: { selector: { app: 'web' } }, status: {} }
    const served = clusterOf(nodes.slice(0, 2), [[aPod({}, web), 'a']], {
      servicesIn: () => [service] as never,
    })
    const found = scores(podTopologySpread, aPod({}, web), served)
    expect(found['b']).toBeGreaterThan(found['a'] as number)
  })
})

describe('NodeDeclaredFeatures', () => {
  it('looks for nodes that can do what the pod needs', () => {
    const nodes = ['a', 'b'].map((name) =>
      aNode(name, {
        status: name === 'a' ? { declaredFeatures: ['RestartAllContainersOnContainerExits'] } : {},
      }),
    )
    const restartPolicyRules = [{ action: 'RestartAllContainers' }]
    const containers = [{ name: 'app', resources: {}, restartPolicyRules }]
    const no = "node(s) didn't match Pod's required features"
    const verdictsOf = (spec: Partial<PodSpec>) =>
      verdicts(nodeDeclaredFeatures, aPod(spec), clusterOf(nodes))
    expect(verdictsOf({ containers })).toEqual({ a: 'ok', b: no })
    expect(verdictsOf({ hostNetwork: true, hostUsers: false })).toEqual({ a: no, b: no })
    expect(verdictsOf({ hostUsers: false })).toEqual({ a: 'ok', b: 'ok' })
  })
})
