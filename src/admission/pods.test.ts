// The plugins that look at pods: ServiceAccount, Priority, DefaultTolerationSeconds, RuntimeClass, PodTopologyLabels,
// PodResizeValidator.
import { beforeEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../machinery/json.ts'
import { StatusError } from '../machinery/status.ts'
import { DefaultTolerationSeconds } from './defaulttolerationseconds.ts'
import { attributesOf, FakeLister, type Write } from './fixture.ts'
import type { AdmissionPlugin } from './plugin.ts'
import { PodResizeValidator } from './podresizevalidator.ts'
import { PodTopologyLabels } from './podtopologylabels.ts'
import { Priority } from './priority.ts'
import { RuntimeClass } from './runtimeclass.ts'
import { ServiceAccount } from './serviceaccount.ts'
import { mergeTolerations } from './tolerations.ts'

let lister: FakeLister
beforeEach(() => {
  lister = new FakeLister()
})

const pod = (spec: JsonObject = {}, metadata: JsonObject = {}): JsonObject => ({
  metadata: { name: 'p', ...metadata },
  spec: { containers: [{ name: 'c' }], ...spec },
})

/** Admits and validates; the spec that comes out. */
async function through(plugin: AdmissionPlugin, write: Write): Promise<JsonObject> {
  const attributes = attributesOf(write)
  await plugin.admit?.(attributes, lister)
  await plugin.validate?.(attributes, lister)
  return attributes.object?.spec as JsonObject
}

/** The message of the refusal. */
async function refusal(plugin: AdmissionPlugin, write: Write): Promise<string> {
  try {
    await through(plugin, write)
  } catch (error) {
    if (error instanceof StatusError && error.code === 403) return error.message
    throw error
  }
  throw new Error('was not refused')
}

describe('ServiceAccount', () => {
  const atOnce = (): Promise<void> => Promise.resolve()
  const plugin = (): ServiceAccount => new ServiceAccount(undefined, atOnce)
  const account = (name: string, more: JsonObject = {}, metadata: JsonObject = {}): void =>
    lister.put('serviceaccounts', { ...more, metadata: { name, namespace: 'ns', ...metadata } })

  it('mounts the token of the default account in every container', async () => {
    account('default', { imagePullSecrets: [{ name: 'reg' }] })
    const containers = [{ name: 'c' }, { name: 'd', volumeMounts: [{ name: 'v', mountPath: '/v' }] }]
    const spec = await through(plugin(), { object: pod({ containers, initContainers: [{ name: 'i' }] }) })
    expect(spec).toMatchObject({ serviceAccountName: 'default', serviceAccount: 'default' })
    expect(spec.imagePullSecrets).toEqual([{ name: 'reg' }])
    const [volume] = spec.volumes as JsonObject[]
    const mount = {
      name: volume?.name,
      readOnly: true,
      mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
    }
    expect(volume?.name).toMatch(/^kube-api-access-[a-z0-9]{5}$/)
    expect(spec.initContainers).toEqual([{ name: 'i', volumeMounts: [mount] }])
    expect(spec.containers).toMatchObject([
      { volumeMounts: [mount] },
      { volumeMounts: [{ name: 'v' }, mount] },
    ])
  })

  it('leaves a container that mounts something there already, and adds no volume for none', async () => {
    account('default')
    const volumeMounts = [{ name: 'own', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }]
    const spec = await through(plugin(), { object: pod({ containers: [{ name: 'c', volumeMounts }] }) })
    expect(spec.volumes).toBeUndefined()
    expect(spec.containers).toEqual([{ name: 'c', volumeMounts }])
  })

  it('takes a volume of its own kind that the pod brings along', async () => {
    account('default')
    const spec = await through(plugin(), { object: pod({ volumes: [{ name: 'kube-api-access-abc' }] }) })
    expect(spec.volumes).toEqual([{ name: 'kube-api-access-abc' }])
    expect(spec.containers).toMatchObject([{ volumeMounts: [{ name: 'kube-api-access-abc' }] }])
  })

  it.each([
    [false, undefined, false],
    [undefined, false, false],
    [true, false, true],
    [undefined, undefined, true],
  ])('the pod says %s, the account %s: mounted %s', async (ofPod, ofAccount, mounted) => {
    account('a', ofAccount === undefined ? {} : { automountServiceAccountToken: ofAccount })
    const said = ofPod === undefined ? {} : { automountServiceAccountToken: ofPod }
    const spec = await through(plugin(), { object: pod({ serviceAccountName: 'a', ...said }) })
    expect(spec.volumes !== undefined).toBe(mounted)
  })

  it('refuses an account that is not there', async () => {
    expect(await refusal(plugin(), { object: pod({ serviceAccountName: 'x' }) })).toBe(
      'pods "p" is forbidden: error looking up service account ns/x: serviceaccount "x" not found',
    )
  })

  it('waits for the default account of a new namespace', async () => {
    let waits = 0
    const patient = new ServiceAccount(undefined, () => {
      if (++waits === 3) account('default')
      return Promise.resolve()
    })
    expect(await through(patient, { object: pod() })).toMatchObject({ serviceAccountName: 'default' })
    expect(waits).toBe(3)
  })

  it('looks into the store itself where it can', async () => {
    const found = { metadata: { name: 'x', namespace: 'ns' } }
    const spec = await through(new ServiceAccount(() => Promise.resolve(found), atOnce), {
      object: pod({ serviceAccountName: 'x' }),
    })
    expect(spec.volumes).toHaveLength(1)
  })

  const secretEnv = { env: [{ name: 'E', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] }
  const says = 'is not allowed because service account default does not reference that'
  it.each<[JsonObject, string]>([
    [
      { volumes: [{ name: 'v', secret: { secretName: 's' } }] },
      `volume with secret.secretName="s" ${says} secret`,
    ],
    [
      { containers: [{ name: 'c', ...secretEnv }] },
      `container c with envVar E referencing secret.secretName="s" ${says} secret`,
    ],
    [
      { initContainers: [{ name: 'i', envFrom: [{ secretRef: { name: 's' } }] }] },
      `init container i with envFrom referencing secret.secretName="s" ${says} secret`,
    ],
    [{ imagePullSecrets: [{ name: 'r' }] }, `imagePullSecrets[0].name="r" ${says} imagePullSecret`],
  ])('holds pods to the secrets of an account that wants it: %j', async (spec, why) => {
    account(
      'default',
      { secrets: [{ name: 'other' }] },
      { annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } },
    )
    expect(await refusal(plugin(), { object: pod(spec) })).toBe(`pods "p" is forbidden: ${why}`)
  })

  const mirror = { annotations: { 'kubernetes.io/config.mirror': 'x' } }
  it.each<[JsonObject, string]>([
    [{ serviceAccountName: 'default' }, 'a mirror pod may not reference service accounts'],
    [{ containers: [{ name: 'c', ...secretEnv }] }, 'a mirror pod may not reference secrets'],
    [
      { volumes: [{ name: 'v', csi: { nodePublishSecretRef: { name: 's' } } }] },
      'a mirror pod may not reference secrets',
    ],
    [
      { volumes: [{ name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }] },
      'a mirror pod may not use ServiceAccountToken volume projections',
    ],
  ])('refuses what a mirror pod may not have: %j', async (spec, why) => {
    expect(await refusal(plugin(), { object: pod(spec, mirror) })).toBe(`pods "p" is forbidden: ${why}`)
  })

  it('leaves mirror pods alone', async () => {
    const object = pod({ volumes: [{ name: 'v', hostPath: { path: '/x' } }] }, mirror)
    expect(await through(plugin(), { object: structuredClone(object) })).toEqual(object.spec)
  })
})

describe('Priority', () => {
  const priorityClass = (name: string, value: number, more: JsonObject = {}): void =>
    lister.put('priorityclasses', { value, preemptionPolicy: 'Never', ...more, metadata: { name } })

  it('is 0 where no class is the default', async () => {
    const spec = await through(new Priority(), { object: pod() })
    expect(spec).toMatchObject({ priority: 0, preemptionPolicy: 'PreemptLowerPriority' })
    expect(spec.priorityClassName).toBeUndefined()
  })

  it('is the lowest default, as soon as there is one', async () => {
    const plugin = new Priority()
    priorityClass('high', 20, { globalDefault: true })
    expect(await through(plugin, { object: pod() })).toMatchObject({ priority: 20 })
    priorityClass('low', 10, { globalDefault: true })
    const spec = await through(plugin, { object: pod() })
    expect(spec).toMatchObject({ priority: 10, priorityClassName: 'low', preemptionPolicy: 'Never' })
  })

  it('refuses a class that is not there, and numbers that are not the class’s', async () => {
    priorityClass('high', 20)
    const plugin = new Priority()
    const why = 'priority admission controller computed'
    expect(await refusal(plugin, { object: pod({ priorityClassName: 'x' }) })).toBe(
      'pods "p" is forbidden: no PriorityClass with name x was found',
    )
    expect(await refusal(plugin, { object: pod({ priorityClassName: 'high', priority: 3 }) })).toBe(
      `pods "p" is forbidden: the integer value of priority (3) must not be provided in pod spec; ${why} 20 from the given PriorityClass name`,
    )
    const policy = { priorityClassName: 'high', preemptionPolicy: 'PreemptLowerPriority' }
    expect(await refusal(plugin, { object: pod(policy) })).toBe(
      `pods "p" is forbidden: the string value of PreemptionPolicy (PreemptLowerPriority) must not be provided in pod spec; ${why} Never from the given PriorityClass name`,
    )
  })

  it('keeps the priority of a stored pod whose update leaves it out', async () => {
    const write = {
      operation: 'UPDATE',
      object: pod(),
      old: pod({ priority: 5, preemptionPolicy: 'Never' }),
    } as const
    expect(await through(new Priority(), write)).toMatchObject({ priority: 5, preemptionPolicy: 'Never' })
  })

  it('lets only one class be the default', async () => {
    priorityClass('a', 1, { globalDefault: true })
    const of = (name: string, more: Write): Write => ({
      resource: 'priorityclasses.scheduling.k8s.io',
      object: { value: 1, globalDefault: true, metadata: { name } },
      ...more,
    })
    const why = 'PriorityClass a is already marked as default. Only one default can exist'
    expect(await refusal(new Priority(), of('b', {}))).toBe(
      `priorityclasses.scheduling.k8s.io "b" is forbidden: ${why}`,
    )
    await through(new Priority(), of('a', { operation: 'UPDATE' }))
  })
})

describe('DefaultTolerationSeconds', () => {
  const toleration = (what: string, tolerationSeconds: number): JsonObject => ({
    key: `node.kubernetes.io/${what}`,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds,
  })

  it.each<[JsonObject[] | undefined, JsonObject[]]>([
    [undefined, [toleration('not-ready', 300), toleration('unreachable', 300)]],
    [[toleration('not-ready', 5)], [toleration('not-ready', 5), toleration('unreachable', 300)]],
    [[{ operator: 'Exists' }], [{ operator: 'Exists' }]],
    [
      [{ operator: 'Exists', effect: 'NoSchedule' }],
      [
        { operator: 'Exists', effect: 'NoSchedule' },
        toleration('not-ready', 300),
        toleration('unreachable', 300),
      ],
    ],
  ])('%j becomes %j', async (tolerations, expected) => {
    const object = pod(tolerations ? { tolerations } : {})
    expect((await through(new DefaultTolerationSeconds(), { object })).tolerations).toEqual(expected)
  })

  it('takes the seconds that it is given', async () => {
    const spec = await through(new DefaultTolerationSeconds({ notReady: 1, unreachable: 0 }), {
      object: pod(),
    })
    expect(spec.tolerations).toEqual([toleration('not-ready', 1), toleration('unreachable', 0)])
  })
})

describe('RuntimeClass', () => {
  beforeEach(() => {
    const scheduling = { nodeSelector: { a: 'b' }, tolerations: [{ key: 'k', operator: 'Exists' }] }
    lister.put('runtimeclasses', {
      metadata: { name: 'r' },
      overhead: { podFixed: { cpu: '1' } },
      scheduling,
    })
    lister.put('runtimeclasses', { metadata: { name: 'bare' } })
  })

  it('takes over overhead, node selector and tolerations', async () => {
    const own = { nodeSelector: { c: 'd' }, tolerations: [{ key: 'k', operator: 'Equal', value: 'v' }] }
    const spec = await through(new RuntimeClass(), { object: pod({ runtimeClassName: 'r', ...own }) })
    expect(spec).toMatchObject({
      overhead: { cpu: '1' },
      nodeSelector: { a: 'b', c: 'd' },
      tolerations: [{ key: 'k', operator: 'Exists' }],
    })
  })

  it('takes the same amount in other words for the same', async () => {
    await through(new RuntimeClass(), { object: pod({ runtimeClassName: 'r', overhead: { cpu: '1000m' } }) })
  })

  it.each<[JsonObject, string]>([
    [{ runtimeClassName: 'x' }, 'pod rejected: RuntimeClass "x" not found'],
    [
      { overhead: { cpu: '1' } },
      'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
    ],
    [
      { runtimeClassName: 'bare', overhead: { cpu: '1' } },
      'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
    ],
    [
      { runtimeClassName: 'r', overhead: { cpu: '2' } },
      "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
    ],
    [
      { runtimeClassName: 'r', nodeSelector: { a: 'x' } },
      'conflict: runtimeClass.scheduling.nodeSelector[a] = b; pod.spec.nodeSelector[a] = x',
    ],
  ])('refuses %j', async (spec, why) => {
    expect(await refusal(new RuntimeClass(), { object: pod(spec) })).toBe(`pods "p" is forbidden: ${why}`)
  })
})

describe('mergeTolerations', () => {
  const any: JsonObject = { operator: 'Exists' }
  const forever: JsonObject = { key: 'k', operator: 'Exists', effect: 'NoExecute' }
  const brief: JsonObject = { ...forever, tolerationSeconds: 1 }
  const long: JsonObject = { ...forever, tolerationSeconds: 9 }
  const value: JsonObject = { key: 'k', operator: 'Equal', value: 'v', effect: 'NoSchedule' }
  const bare: JsonObject = { key: 'k', value: 'v', effect: 'NoSchedule' }
  it.each<[JsonObject[], JsonObject[]]>([
    [[brief, long], [long]],
    [[long, forever], [forever]],
    [[brief, brief], [brief]],
    [
      [value, brief],
      [value, brief],
    ],
    [[brief, value, any], [any]],
    [[bare, value], [bare]],
  ])('%j: %j', (all, merged) => expect(mergeTolerations(all)).toEqual(merged))
})

describe('PodTopologyLabels', () => {
  const labels = { 'topology.kubernetes.io/zone': 'z', 'topology.kubernetes.io/region': 'r', other: 'o' }
  beforeEach(() => lister.put('nodes', { metadata: { name: 'n', labels } }))

  it('labels bindings and pods that come with a node', () => {
    const binding = attributesOf({
      subresource: 'binding',
      object: { metadata: { name: 'p' }, target: { kind: 'Node', name: 'n' } },
    })
    const placed = attributesOf({
      object: pod({ nodeName: 'n' }, { labels: { 'topology.kubernetes.io/zone': 'x' } }),
    })
    const expected = { 'topology.kubernetes.io/zone': 'z', 'topology.kubernetes.io/region': 'r' }
    for (const attributes of [binding, placed]) {
      new PodTopologyLabels().admit(attributes, lister)
      expect(attributes.object?.metadata.labels).toEqual(expected)
    }
  })

  it('leaves pods without a node, and those of an unknown one', () => {
    for (const spec of [{}, { nodeName: 'x' }]) {
      const attributes = attributesOf({ object: pod(spec) })
      new PodTopologyLabels().admit(attributes, lister)
      expect(attributes.object?.metadata.labels).toBeUndefined()
    }
  })
})

describe('PodResizeValidator', () => {
  const sized = (cpu: string, generation: number, nodeName = 'n'): JsonObject =>
    pod(
      { nodeName, containers: [{ name: 'c', resources: { requests: { cpu, memory: '1Gi' } } }] },
      { generation },
    )
  const resize = (object: JsonObject): Write => ({
    operation: 'UPDATE',
    subresource: 'resize',
    object,
    old: sized('1', 1),
  })
  beforeEach(() => {
    lister.put('nodes', { metadata: { name: 'n' }, status: { allocatable: { cpu: '2', memory: '1Mi' } } })
    lister.put('nodes', { metadata: { name: 'w', labels: { 'kubernetes.io/os': 'windows' } } })
  })

  it('refuses what the node cannot carry', async () => {
    expect(await refusal(new PodResizeValidator(), resize(sized('3', 2)))).toBe(
      'pods "p" is forbidden: node didn\'t have enough allocatable resources: cpu, requested: 3000, allocatable: 2000; memory, requested: 1073741824, allocatable: 1048576',
    )
    expect(await refusal(new PodResizeValidator(), resize(sized('1', 2, 'w')))).toBe(
      'pods "p" is forbidden: pod resize is only supported on linux nodes, node "w" is "windows"',
    )
    expect(await refusal(new PodResizeValidator(), resize(sized('1', 2, 'x')))).toBe(
      'pods "p" is forbidden: node "x" not found',
    )
  })

  it('lets a pod that stays as it is pass', async () => {
    await through(new PodResizeValidator(), resize(sized('1', 1)))
  })
})
