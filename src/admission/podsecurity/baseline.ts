// The checks of the level "baseline": what would give a pod its node. Follows k8s.io/pod-security-admission/policy.
import { goQuote } from '../../machinery/quote.ts'
import {
  badValues,
  type Check,
  type CheckedContainer,
  type CheckedPod,
  containersOf,
  named,
  plural,
  quoted,
  setters,
  sorted,
  whose,
} from './pod.ts'

const APPARMOR_ANNOTATION = 'container.apparmor.security.beta.kubernetes.io/'
const SECCOMP_POD_ANNOTATION = 'seccomp.security.alpha.kubernetes.io/pod'
const SECCOMP_CONTAINER_ANNOTATION = 'container.seccomp.security.alpha.kubernetes.io/'
const DEFAULT_CAPABILITIES: ReadonlySet<string> = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
])

export const isProfile = (type: string): boolean => type === 'RuntimeDefault' || type === 'Localhost'

export const appArmorProfile: Check = (pod) => {
  const bad = badValues(pod, ({ appArmorProfile: profile }) => profile && (profile.type ?? ''), isProfile)
  const annotations = Object.entries(pod.annotations)
    .filter(([key, value]) => key.startsWith(APPARMOR_ANNOTATION) && !isAppArmorAnnotation(value))
    .map(([key, value]) => `${key}=${goQuote(value)}`)
    .sort()
  const who = [bad.setters, annotations.length > 0 ? plural('annotation', annotations.length) : '']
    .filter((text) => text !== '')
    .join(' and ')
  if (who === '') return undefined
  const values = [...bad.values, ...annotations]
  const detail = `${who} must not set AppArmor profile type to ${quoted(values)}`
  return { reason: plural('forbidden AppArmor profile', values.length), detail }
}

const isAppArmorAnnotation = (value: string): boolean =>
  value === '' || value === 'runtime/default' || value.startsWith('localhost/')

export const capabilities: Check = (pod) => {
  const forbidden = ({ securityContext }: CheckedContainer): string[] =>
    (securityContext?.capabilities?.add ?? []).filter((name) => !DEFAULT_CAPABILITIES.has(name))
  const bad = whose(pod, (container) => forbidden(container).length > 0)
  if (bad.length === 0) return undefined
  const names = quoted(sorted(containersOf(pod.spec).flatMap(forbidden)))
  const detail = `${named('container', bad)} must not include ${names} in securityContext.capabilities.add`
  return { reason: 'non-default capabilities', detail }
}

export const hostNamespaces: Check = ({ spec }) => {
  const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field])
  const detail = used.map((field) => `${field}=true`).join(', ')
  return used.length === 0 ? undefined : { reason: 'host namespaces', detail }
}

export const hostPathVolumes: Check = ({ spec }) => {
  const bad = (spec.volumes ?? []).filter(({ hostPath }) => hostPath).map(({ name }) => name)
  return bad.length === 0 ? undefined : { reason: 'hostPath volumes', detail: named('volume', bad) }
}

export const hostPorts: Check = (pod) => {
  const ports = (container: CheckedContainer): string[] =>
    (container.ports ?? []).flatMap(({ hostPort }) => (hostPort ? [String(hostPort)] : []))
  const bad = whose(pod, (container) => ports(container).length > 0)
  if (bad.length === 0) return undefined
  const used = sorted(containersOf(pod.spec).flatMap(ports))
  const detail = `${named('container', bad)} ${uses(bad)} ${plural('hostPort', used.length)} ${used.join(', ')}`
  return { reason: 'hostPort', detail }
}

/** The verb of so many subjects. */
export const uses = (subjects: readonly unknown[]): string => (subjects.length === 1 ? 'uses' : 'use')

export const hostProbes: Check = (pod) => {
  const hosts = (container: CheckedContainer): string[] => {
    const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container
    return [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop]
      .flatMap((handler) => [handler?.httpGet?.host, handler?.tcpSocket?.host])
      .filter((host) => host !== undefined && host !== '') as string[]
  }
  const bad = sorted(whose(pod, (container) => hosts(container).length > 0))
  if (bad.length === 0) return undefined
  const used = sorted(containersOf(pod.spec).flatMap(hosts))
  const what = named('probe or lifecycle host', used)
  return { reason: 'probe or lifecycle host', detail: `${named('container', bad)} ${uses(bad)} ${what}` }
}

export const privileged: Check = (pod) => {
  const bad = whose(pod, ({ securityContext }) => securityContext?.privileged === true)
  if (bad.length === 0) return undefined
  const detail = `${named('container', bad)} must not set securityContext.privileged=true`
  return { reason: 'privileged', detail }
}

export const procMount: Check = (pod) => {
  const mount = ({ securityContext }: CheckedContainer): string => securityContext?.procMount ?? 'Default'
  const bad = whose(pod, (container) => mount(container) !== 'Default')
  if (bad.length === 0) return undefined
  const values = sorted(containersOf(pod.spec).map(mount)).filter((value) => value !== 'Default')
  const detail = `${named('container', bad)} must not set securityContext.procMount to ${quoted(values)}`
  return { reason: 'procMount', detail }
}

/** A check that asks nothing of pods in a user namespace of their own. */
export const unlessInUserNamespace =
  (check: Check): Check =>
  (pod) =>
    pod.spec.hostUsers === false ? undefined : check(pod)

const SELINUX_TYPES = ['', 'container_t', 'container_init_t', 'container_kvm_t']

export function seLinuxOptions(...more: string[]): Check {
  const allowed = new Set([...SELINUX_TYPES, ...more])
  return ({ spec }) => {
    const contexts = [spec.securityContext, ...containersOf(spec).map((one) => one.securityContext)]
    const options = contexts.map((context) => context?.seLinuxOptions)
    const isBad = ({ type = '', user, role }: NonNullable<(typeof options)[number]>): boolean =>
      !allowed.has(type) || Boolean(user) || Boolean(role)
    const [ofPod, ...ofContainers] = options.map((one) => one !== undefined && isBad(one))
    const bad = containersOf(spec).filter((_, i) => ofContainers[i])
    const who = setters(
      ofPod === true,
      bad.map(({ name }) => name),
    )
    if (who === '') return undefined
    const types = sorted(
      options.flatMap((one) => (one && !allowed.has(one.type ?? '') ? [one.type ?? ''] : [])),
    )
    const faults = [
      ...(types.length > 0 ? [named('type', types)] : []),
      ...(options.some((one) => one?.user) ? ['user may not be set'] : []),
      ...(options.some((one) => one?.role) ? ['role may not be set'] : []),
    ]
    const detail = `${who} set forbidden securityContext.seLinuxOptions: ${faults.join('; ')}`
    return { reason: 'seLinuxOptions', detail }
  }
}

/** Up to v1.18, when profiles were annotations. */
export const seccompAnnotations: Check = (pod) => {
  const keys = [
    SECCOMP_POD_ANNOTATION,
    ...containersOf(pod.spec).map(({ name }) => SECCOMP_CONTAINER_ANNOTATION + name),
  ]
  const bad = sorted(
    keys.flatMap((key) => {
      const value = Object.hasOwn(pod.annotations, key) ? pod.annotations[key] : undefined
      return value === undefined || isSeccompAnnotation(value) ? [] : [`${key}=${goQuote(value)}`]
    }),
  )
  if (bad.length === 0) return undefined
  return {
    reason: 'seccompProfile',
    detail: `forbidden ${plural('annotation', bad.length)} ${bad.join(', ')}`,
  }
}

const isSeccompAnnotation = (value: string): boolean =>
  value === 'runtime/default' || value === 'docker/default' || value.startsWith('localhost/')

const badSeccomp = (pod: CheckedPod) =>
  badValues(pod, ({ seccompProfile: profile }) => profile && (profile.type ?? ''), isProfile)

export const seccompProfile: Check = (pod) => {
  const bad = badSeccomp(pod)
  if (bad.setters === '') return undefined
  const detail = `${bad.setters} must not set securityContext.seccompProfile.type to ${quoted(bad.values)}`
  return { reason: 'seccompProfile', detail }
}

const SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
]

export function sysctls(...more: string[]): Check {
  const allowed = new Set([...SYSCTLS, ...more])
  return ({ spec }) => {
    const bad = (spec.securityContext?.sysctls ?? []).filter(({ name }) => !allowed.has(name))
    const detail = bad.map(({ name }) => name).join(', ')
    return bad.length === 0 ? undefined : { reason: 'forbidden sysctls', detail }
  }
}

export const windowsHostProcess: Check = (pod) => {
  const ofPod = pod.spec.securityContext?.windowsOptions?.hostProcess === true
  const bad = whose(pod, ({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true)
  const who = setters(ofPod, bad)
  if (who === '') return undefined
  const detail = `${who} must not set securityContext.windowsOptions.hostProcess=true`
  return { reason: 'hostProcess', detail }
}
