// Pod Security: what labels ask for, what each check says in which version, and who hears of it.
import { beforeEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../machinery/json.ts'
import { attributesOf, FakeLister, type Write } from '../fixture.ts'
import { details, findingsOf } from './checks.ts'
import { podSecuritySettings } from './configuration.ts'
import type { CheckedSpec } from './pod.ts'
import { PodSecurity } from './podsecurity.ts'
import { LATEST, policyOf, PRIVILEGED_POLICY, shown } from './policy.ts'

const P = 'pod-security.kubernetes.io/'

describe('policyOf', () => {
  const read = (labels: Record<string, string>): string[] => {
    const { policy } = policyOf(labels, PRIVILEGED_POLICY)
    return [shown(policy.enforce), shown(policy.audit), shown(policy.warn)]
  }
  it.each([
    [{}, ['privileged:latest', 'privileged:latest', 'privileged:latest']],
    [{ [`${P}enforce`]: 'baseline' }, ['baseline:latest', 'privileged:latest', 'baseline:latest']],
    [
      { [`${P}enforce`]: 'baseline', [`${P}enforce-version`]: 'v1.20' },
      ['baseline:v1.20', 'privileged:latest', 'baseline:v1.20'],
    ],
    [
      { [`${P}enforce`]: 'restricted', [`${P}warn`]: 'baseline', [`${P}warn-version`]: 'v1.3' },
      ['restricted:latest', 'privileged:latest', 'baseline:v1.3'],
    ],
    [{ [`${P}audit`]: 'restricted' }, ['privileged:latest', 'restricted:latest', 'privileged:latest']],
    [{ [`${P}enforce`]: 'none' }, ['restricted:latest', 'privileged:latest', 'privileged:latest']],
    [{ [`${P}warn`]: 'none' }, ['privileged:latest', 'privileged:latest', 'privileged:latest']],
  ])('of %j is %j', (labels, policy) => expect(read(labels)).toEqual(policy))

  it.each(['v1.01', '1.2', 'v2.0', 'v1.99999999999999999999', ''])('refuses the version %j', (version) => {
    const { faults, policy } = policyOf({ [`${P}warn-version`]: version }, PRIVILEGED_POLICY)
    const field = `metadata.labels[${P}warn-version]`
    const message = `Invalid value: ${JSON.stringify(version)}: must be "latest" or "v1.x"`
    expect(faults).toEqual([{ reason: 'FieldValueInvalid', message, field }])
    expect(policy.warn.minor).toBe(LATEST)
  })
})

const SAFE = {
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}
const told = (
  spec: CheckedSpec,
  level: 'baseline' | 'restricted',
  minor = LATEST,
  annotations = {},
): string => details(findingsOf({ annotations, spec }, { level, minor }))
const containers = (...contexts: object[]): CheckedSpec => ({
  containers: contexts.map((securityContext, i) => ({ name: 'abc'[i] as string, securityContext })),
})

describe('checks of baseline', () => {
  it.each<[string, CheckedSpec, string]>([
    ['nothing', { containers: [{ name: 'a' }] }, ''],
    [
      'privilege',
      containers({ privileged: true }, {}, { privileged: true }),
      'privileged (containers "a", "c" must not set securityContext.privileged=true)',
    ],
    ['namespaces', { hostIPC: true, hostPID: true }, 'host namespaces (hostPID=true, hostIPC=true)'],
    ['volumes', { volumes: [{ name: 'v', hostPath: {} }] }, 'hostPath volumes (volume "v")'],
    [
      'ports',
      { initContainers: [{ name: 'i', ports: [{ hostPort: 80 }, { hostPort: 9 }] }] },
      'hostPort (container "i" uses hostPorts 80, 9)',
    ],
    [
      'capabilities',
      containers({ capabilities: { add: ['SYS_TIME', 'CHOWN', 'BPF'] } }),
      'non-default capabilities (container "a" must not include "BPF", "SYS_TIME" in securityContext.capabilities.add)',
    ],
    [
      'proc',
      containers({ procMount: 'Unmasked' }),
      'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
    ],
    [
      'windows',
      {
        ...containers({ windowsOptions: { hostProcess: true } }),
        securityContext: { windowsOptions: { hostProcess: true } },
      },
      'hostProcess (pod and container "a" must not set securityContext.windowsOptions.hostProcess=true)',
    ],
    [
      'SELinux',
      {
        ...containers({ seLinuxOptions: { type: 'x', role: 'r' } }),
        securityContext: { seLinuxOptions: { user: 'u' } },
      },
      'seLinuxOptions (pod and container "a" set forbidden securityContext.seLinuxOptions: type "x"; user may not be set; role may not be set)',
    ],
    [
      'probes',
      {
        containers: [
          {
            name: 'a',
            livenessProbe: { httpGet: { host: 'h' } },
            lifecycle: { preStop: { tcpSocket: { host: 'g' } } },
          },
        ],
      },
      'probe or lifecycle host (container "a" uses probe or lifecycle hosts "g", "h")',
    ],
    [
      'AppArmor',
      { securityContext: { appArmorProfile: { type: 'Unconfined' } } },
      'forbidden AppArmor profile (pod must not set AppArmor profile type to "Unconfined")',
    ],
    [
      'seccomp',
      containers({ seccompProfile: { type: 'Unconfined' } }),
      'seccompProfile (container "a" must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
  ])('see %s', (_, spec, says) => expect(told(spec, 'baseline')).toBe(says))

  it('know annotations of old', () => {
    const annotations = {
      'container.apparmor.security.beta.kubernetes.io/a': 'bad',
      'container.seccomp.security.alpha.kubernetes.io/a': 'bad',
      'container.seccomp.security.alpha.kubernetes.io/gone': 'bad',
    }
    const armor =
      'forbidden AppArmor profile (annotation must not set AppArmor profile type to "container.apparmor.security.beta.kubernetes.io/a="bad"")'
    const seccomp =
      'seccompProfile (forbidden annotation container.seccomp.security.alpha.kubernetes.io/a="bad")'
    expect(told(containers({}), 'baseline', 18, annotations)).toBe(`${armor}, ${seccomp}`)
    expect(told(containers({}), 'baseline', 19, annotations)).toBe(armor)
  })

  it.each([
    ['net.ipv4.ip_local_reserved_ports', 27],
    ['net.ipv4.tcp_fin_timeout', 29],
    ['net.ipv4.tcp_rmem', 32],
  ])('let %s be set from v1.%i on', (name, since) => {
    const spec = { securityContext: { sysctls: [{ name }] } }
    expect(told(spec, 'baseline', since - 1)).toBe(`forbidden sysctls (${name})`)
    expect(told(spec, 'baseline', since)).toBe('')
  })

  it('relax with versions', () => {
    const engine = containers({ seLinuxOptions: { type: 'container_engine_t' } })
    expect([told(engine, 'baseline', 30) === '', told(engine, 'baseline', 31)]).toEqual([false, ''])
    const unmasked = { ...containers({ procMount: 'Unmasked' }), hostUsers: false }
    expect([told(unmasked, 'baseline', 34) === '', told(unmasked, 'baseline', 35)]).toEqual([false, ''])
  })
})

describe('checks of restricted', () => {
  it('say all that a plain container lacks', () => {
    expect(told({ containers: [{ name: 'a' }] }, 'restricted')).toBe(
      'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false), ' +
        'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]), ' +
        'runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true), ' +
        'seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    )
    expect(told(containers(SAFE), 'restricted')).toBe('')
  })

  it.each([
    [7, 'runAsNonRoot'],
    [8, 'allowPrivilegeEscalation, runAsNonRoot'],
    [19, 'allowPrivilegeEscalation, runAsNonRoot, seccompProfile'],
    [22, 'allowPrivilegeEscalation, unrestricted, runAsNonRoot, seccompProfile'],
  ])('in v1.%i are %s', (minor, names) => {
    const findings = findingsOf({ annotations: {}, spec: containers({}) }, { level: 'restricted', minor })
    expect(findings.map(({ reason }) => reason.split(' ')[0]).join(', ')).toBe(names)
  })

  it('take the place of those of baseline', () => {
    const added = { ...SAFE, capabilities: { drop: ['ALL'], add: ['CHOWN', 'NET_BIND_SERVICE'] } }
    const why = 'container "a" must not include "CHOWN" in securityContext.capabilities.add'
    expect(told(containers(added), 'restricted')).toBe(`unrestricted capabilities (${why})`)
    const volumes = [
      { name: 'h', hostPath: {} },
      { name: 'n', nfs: {} },
      { name: 'c', configMap: {} },
    ]
    const types = 'volumes "h", "n" use restricted volume types "hostPath", "nfs"'
    expect(told({ ...containers(SAFE), volumes }, 'restricted')).toBe(`restricted volume types (${types})`)
  })

  it('ask less of Windows since v1.25, and of user namespaces since v1.35', () => {
    const windows = { ...containers({ runAsNonRoot: true }), os: { name: 'windows' } }
    expect([told(windows, 'restricted', 24) === '', told(windows, 'restricted', 25)]).toEqual([false, ''])
    const root = { ...containers({ ...SAFE, runAsNonRoot: false, runAsUser: 0 }), hostUsers: false }
    const says =
      'runAsNonRoot != true (container "a" must not set securityContext.runAsNonRoot=false), runAsUser=0 (container "a" must not set runAsUser=0)'
    expect([told(root, 'restricted', 34), told(root, 'restricted', 35)]).toEqual([says, ''])
  })
})

describe('PodSecurity', () => {
  let lister: FakeLister
  let warned: string[]
  let noted: Record<string, string>
  beforeEach(() => {
    lister = new FakeLister()
    warned = []
    noted = {}
  })
  const plugin = new PodSecurity()
  const namespace = (labels: Record<string, string>): void =>
    lister.put('namespaces', { metadata: { name: 'ns', labels } })
  const ask = async (write: Write, with_ = plugin): Promise<void> => {
    const warn = (message: string): void => void warned.push(message)
    const annotate = (key: string, value: string): void => void (noted[key] = value)
    const attributes = { ...attributesOf(write), warn, annotate }
    expect(with_.handles(attributes)).toBe(true)
    await with_.validate(attributes, lister)
  }
  const pod = (spec: JsonObject = {}): JsonObject => ({
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'a', image: 'i' }], ...spec },
  })
  const host = { hostPID: true }
  const WOULD = 'would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)'

  it('asks nothing of namespaces without labels', () => {
    namespace({})
    expect(plugin.validate(attributesOf({ object: pod(host) }), lister)).toBeUndefined()
  })

  it('refuses what is enforced, and warns of nothing then', async () => {
    namespace({ [`${P}enforce`]: 'baseline', [`${P}warn`]: 'restricted' })
    const why =
      'pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostPID=true)'
    await expect(ask({ object: pod(host) })).rejects.toThrow(why)
    expect(warned).toEqual([])
    expect(noted).toEqual({ [`${P}enforce-policy`]: 'baseline:latest' })
    await ask({ object: pod() })
    expect(warned).toHaveLength(1)
  })

  it('warns of templates, and never refuses them', async () => {
    namespace({ [`${P}enforce`]: 'baseline', [`${P}audit`]: 'baseline' })
    const template = { spec: host }
    await ask({ resource: 'deployments.apps', object: { metadata: { name: 'd' }, spec: { template } } })
    const jobTemplate = { spec: { template } }
    await ask({ resource: 'cronjobs.batch', object: { metadata: { name: 'c' }, spec: { jobTemplate } } })
    await ask({ resource: 'replicationcontrollers', object: { metadata: { name: 'r' }, spec: {} } })
    expect(warned).toEqual([WOULD, WOULD])
    expect(noted).toEqual({ [`${P}audit-violations`]: WOULD })
  })

  it('looks at updates of images and new containers only', async () => {
    namespace({ [`${P}enforce`]: 'baseline' })
    const update = (object: JsonObject, old: JsonObject): Promise<void> =>
      ask({ operation: 'UPDATE', object, old })
    await update(pod({ ...host, tolerations: [{}] }), pod(host))
    const other = { containers: [{ name: 'a', image: 'j' }] }
    await expect(update(pod({ ...host, ...other }), pod(host))).rejects.toThrow('violates')
    const debug = { ephemeralContainers: [{ name: 'd', image: 'i' }] }
    await expect(update(pod({ ...host, ...debug }), pod(host))).rejects.toThrow('violates')
    await update(pod({ ...host, ...debug }), pod({ ...host, ...debug }))
    expect(plugin.handles(attributesOf({ operation: 'UPDATE', subresource: 'status' }))).toBe(false)
  })

  it('refuses labels that are none, unless they were so before', async () => {
    const labelled = (enforce: string): JsonObject => ({
      metadata: { name: 'ns', labels: { [`${P}enforce`]: enforce } },
    })
    const resource = 'namespaces'
    const why = `metadata.labels[${P}enforce]: Invalid value: "x": must be one of privileged, baseline, restricted`
    await expect(ask({ resource, object: labelled('x') })).rejects.toThrow(
      `Namespace "ns" is invalid: ${why}`,
    )
    const update = (object: JsonObject, old: JsonObject): Promise<void> =>
      ask({ operation: 'UPDATE', resource, object, old })
    await update(labelled('x'), labelled('x'))
    await expect(update(labelled('y'), labelled('x'))).rejects.toThrow('must be one of')
  })

  it('tells which pods break what a namespace asks for now', async () => {
    for (const name of ['b', 'a', 'c']) {
      lister.put('pods', { ...pod(host), metadata: { name, namespace: 'ns' } })
    }
    lister.put('pods', {
      ...pod({ volumes: [{ name: 'v', hostPath: {} }] }),
      metadata: { name: 'z', namespace: 'ns' },
    })
    const old = { metadata: { name: 'ns' } }
    const object = { metadata: { name: 'ns', labels: { [`${P}enforce`]: 'baseline' } } }
    await ask({ operation: 'UPDATE', resource: 'namespaces', object, old })
    expect(warned).toEqual([
      'existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"',
      'a (and 2 other pods): host namespaces',
      'z: hostPath volumes',
    ])
    warned = []
    await ask({ operation: 'UPDATE', resource: 'namespaces', object: old, old: object })
    expect(warned).toEqual([])
  })

  it('has defaults and exemptions as configured', async () => {
    const configured = new PodSecurity(
      podSecuritySettings({
        apiVersion: 'pod-security.admission.config.k8s.io/v1',
        kind: 'PodSecurityConfiguration',
        defaults: { enforce: 'baseline', 'enforce-version': 'v1.30' },
        exemptions: { usernames: ['jane'], namespaces: ['free'], runtimeClasses: ['vm'] },
      }),
    )
    namespace({})
    await ask({ object: pod(host) }, configured)
    expect(noted).toEqual({ [`${P}exempt`]: 'user' })
    const john = { ...attributesOf({ object: pod(host) }), user: { name: 'john', groups: [] } }
    await expect(configured.validate(john, lister)).rejects.toThrow('violates PodSecurity "baseline:v1.30"')
    const vm = { ...john, object: pod({ ...host, runtimeClassName: 'vm' }) as never }
    await configured.validate(vm, lister)
    const object = { metadata: { name: 'free', labels: { [`${P}warn`]: 'restricted' } } }
    await ask({ resource: 'namespaces', object }, configured)
    const why = 'the policy (warn=restricted:latest) will be ignored'
    expect(warned).toEqual([`namespace "free" is exempt from Pod Security, and ${why}`])
  })

  it.each([
    [{ defaults: { enforce: 'x' } }, 'defaults.enforce: Invalid value: "x": must be one of'],
    [{ defaults: { 'warn-version': '1' } }, 'defaults.warn-version: Invalid value: "1"'],
    [{ exemptions: { namespaces: ['a', 'a'] } }, 'exemptions.namespaces[1]: Duplicate value: "a"'],
    [{ exemptions: { usernames: [''] } }, 'username must not be empty'],
    [{ kind: 'Other' }, 'no PodSecurityConfiguration'],
  ])('refuses the configuration %j', (given, why) => {
    const apiVersion = 'pod-security.admission.config.k8s.io/v1'
    const read = () => podSecuritySettings({ apiVersion, kind: 'PodSecurityConfiguration', ...given })
    expect(read).toThrow(why)
  })
})
