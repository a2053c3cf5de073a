// Rules of security contexts, of pods and of containers, and of what an operating system does not have.
// Follows pkg/apis/core/validation.
import type { Json, JsonObject } from '../../machinery/json.ts'
import { userOrGroupIdErrors } from '../../machinery/validation.ts'
import { structText } from '../../schema/gostructs.ts'
import { objectAt, present } from '../reading.ts'
import { isDescending } from './paths.ts'
import type { Spot } from './spot.ts'
import { hostProcesses, windowsOptions } from './windows.ts'

const SECCOMP = ['Localhost', 'RuntimeDefault', 'Unconfined']
const PROC_MOUNTS = ['Default', 'Unmasked']
const MAX_SYSCTL = 253
const SYSCTL = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/
const SYSCTL_SHOWN = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$'
/** Longest path that Linux takes. */
const MAX_PATH = 4095

function isId(spot: Spot): void {
  if (!spot.isSet) return
  for (const fault of userOrGroupIdErrors(spot.number)) spot.invalid(fault, spot.exact)
}

function seccomp(profile: Spot): void {
  if (!profile.isSet) return
  const [type, local] = [profile.at('type'), profile.at('localhostProfile')]
  if (type.text) type.oneOf(SECCOMP)
  else type.required('type is required when seccompProfile is set')
  if (type.text !== 'Localhost') {
    const why = 'can only be set when seccomp type is Localhost'
    if (local.isSet) local.refused(`${structText('core.SeccompProfile', profile.value)}: ${why}`)
  } else if (local.isSet) isDescending(local)
  else local.required('must be set when seccomp type is Localhost')
}

function appArmor(profile: Spot): void {
  if (!profile.isSet) return
  const [type, local] = [profile.at('type'), profile.at('localhostProfile')]
  const needed = 'must be set when AppArmor type is Localhost'
  if (type.text === 'Localhost') {
    if (local.text !== local.text.trim()) local.invalid('must not be padded with whitespace')
    else local.needed(needed)
    if (Buffer.byteLength(local.text) > MAX_PATH) local.tooLong(MAX_PATH)
  } else if (!type.text) type.required('type is required when appArmorProfile is set')
  else if (type.oneOf(['Localhost', 'RuntimeDefault', 'Unconfined']) && local.isSet) {
    local.invalid('can only be set when AppArmor type is Localhost')
  }
}

/** Of the pod's own world, which it has not where it shares the node's. */
const IPC_SYSCTL =
  /^(kernel\.(sem|shm|shmall|shmmax|shmmni|shm_rmid_forced|msg|msgmax|msgmnb|msgmni)$|fs\.mqueue\.)/

function sysctls(spec: Spot, spot: Spot): void {
  const seen = new Set<string>()
  for (const sysctl of spot.items()) {
    const name = sysctl.at('name')
    if (name.needed()) {
      if (name.text.length > MAX_SYSCTL || !SYSCTL.test(name.text)) {
        name.invalid(`must have at most ${MAX_SYSCTL} characters and match regex ${SYSCTL_SHOWN}`)
      } else if (seen.has(name.text)) name.duplicate()
    }
    const shared = sharedWith(dotted(name.text))
    if (shared && spec.at(shared).value === true)
      name.invalid(`may not be specified when '${shared}' is true`)
    seen.add(name.text)
  }
}

/** The field by which a pod shares with its node what this sysctl is about. */
function sharedWith(name: string): string | undefined {
  if (name.startsWith('net.')) return 'hostNetwork'
  return IPC_SYSCTL.test(name) ? 'hostIPC' : undefined
}

/** With dots between its parts, whichever way it was written, and up to a star. */
function dotted(name: string): string {
  const swapped = /^[^./]*\//.test(name)
    ? name.replaceAll(/[./]/g, (sign) => (sign === '.' ? '/' : '.'))
    : name
  return swapped.split('*', 1)[0] as string
}

const allContainers = (spec: Spot): Spot[] =>
  ['initContainers', 'containers', 'ephemeralContainers'].flatMap((list) => spec.itemsOf(list))

/** spec.securityContext, and the fields of the spec that belong to it. */
export function podSecurity(spec: Spot): void {
  const context = spec.at('securityContext')
  for (const name of ['fsGroup', 'runAsUser', 'runAsGroup']) isId(context.at(name))
  for (const group of context.itemsOf('supplementalGroups')) isId(group)
  if (spec.at('shareProcessNamespace').value === true && spec.at('hostPID').value === true) {
    const why = 'ShareProcessNamespace and HostPID cannot both be enabled'
    context.at('shareProcessNamespace').invalid(why, true)
  }
  sysctls(spec, context.at('sysctls'))
  context.at('fsGroupChangePolicy').oneOfIfSet(['Always', 'OnRootMismatch'])
  seccomp(context.at('seccompProfile'))
  windowsOptions(context.at('windowsOptions'))
  appArmor(context.at('appArmorProfile'))
  context.at('supplementalGroupsPolicy').oneOfIfSet(['Merge', 'Strict'])
  // The feature SELinuxMount, off by default, allows the other one.
  const former = objectAt(objectAt(spec.policy.formerSpec)['securityContext'])['seLinuxChangePolicy']
  context.at('seLinuxChangePolicy').oneOfIfSet(present(former) ? ['MountOption', 'Recursive'] : ['Recursive'])
}

/** Containers that are processes of a Windows host: all of a pod's are, or none. */
export function hostProcessPod(spec: Spot): void {
  hostProcesses(spec, allContainers(spec))
}

/** A container's context as upstream shows it: its internal structure, with all of its fields. */
function shownContext(context: Spot): JsonObject {
  const value = (name: string): Json => context.at(name).value ?? null
  const part = (name: string, fields: Readonly<Record<string, string>>, absent: Json): Json => {
    const spot = context.at(name)
    if (!spot.isSet) return null
    const shown = Object.entries(fields).map(([go, field]) => [go, spot.at(field).value ?? absent])
    return Object.fromEntries(shown) as JsonObject
  }
  const profile = (name: string): Json => {
    const spot = context.at(name)
    return spot.isSet
      ? { Type: spot.at('type').text, LocalhostProfile: spot.at('localhostProfile').value ?? null }
      : null
  }
  return {
    Capabilities: part('capabilities', { Add: 'add', Drop: 'drop' }, null),
    Privileged: value('privileged'),
    SELinuxOptions: part('seLinuxOptions', { User: 'user', Role: 'role', Type: 'type', Level: 'level' }, ''),
    WindowsOptions: part('windowsOptions', WINDOWS_FIELDS, null),
    RunAsUser: value('runAsUser'),
    RunAsGroup: value('runAsGroup'),
    RunAsNonRoot: value('runAsNonRoot'),
    ReadOnlyRootFilesystem: value('readOnlyRootFilesystem'),
    AllowPrivilegeEscalation: value('allowPrivilegeEscalation'),
    ProcMount: value('procMount'),
    SeccompProfile: profile('seccompProfile'),
    AppArmorProfile: profile('appArmorProfile'),
  }
}
const WINDOWS_FIELDS = {
  GMSACredentialSpecName: 'gmsaCredentialSpecName',
  GMSACredentialSpec: 'gmsaCredentialSpec',
  RunAsUserName: 'runAsUserName',
  HostProcess: 'hostProcess',
}

export function containerSecurity(context: Spot, hostUsers: boolean): void {
  if (!context.isSet) return
  const privileged = context.at('privileged')
  if (privileged.value === true && !context.policy.allowPrivileged)
    privileged.forbidden('disallowed by cluster policy')
  isId(context.at('runAsUser'))
  isId(context.at('runAsGroup'))
  const mount = context.at('procMount')
  if (mount.isSet) {
    mount.oneOf(PROC_MOUNTS)
    if (hostUsers && mount.text === 'Unmasked') mount.invalid('`hostUsers` must be false to use `Unmasked`')
  }
  seccomp(context.at('seccompProfile'))
  if (context.at('allowPrivilegeEscalation').value === false) {
    const denied = 'cannot set `allowPrivilegeEscalation` to false and'
    if (context.at('privileged').value === true)
      context.invalid(`${denied} \`privileged\` to true`, shownContext(context))
    for (const capability of context.at('capabilities').itemsOf('add')) {
      if (capability.text !== 'CAP_SYS_ADMIN') continue
      context.invalid(`${denied} \`capabilities.Add\` CAP_SYS_ADMIN`, shownContext(context))
    }
  }
  windowsOptions(context.at('windowsOptions'))
  appArmor(context.at('appArmorProfile'))
}

const NOT_ON_WINDOWS = 'cannot be set for a windows pod'
const POD_LINUX_ONLY = [
  'securityContext.appArmorProfile',
  'securityContext.seLinuxOptions',
  'hostUsers',
  'hostPID',
  'hostIPC',
  'securityContext.seccompProfile',
  'securityContext.fsGroup',
  'securityContext.fsGroupChangePolicy',
  'securityContext.sysctls',
  'shareProcessNamespace',
  'securityContext.runAsUser',
  'securityContext.runAsGroup',
  'securityContext.supplementalGroups',
  'securityContext.supplementalGroupsPolicy',
  'securityContext.seLinuxChangePolicy',
]
const CONTAINER_LINUX_ONLY = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
]

/** What the pod's operating system does not have is not asked of it. */
export function operatingSystem(spec: Spot): void {
  const os = spec.at('os')
  if (!os.isSet || !os.at('name').needed()) return
  const name = os.at('name').text
  if (name !== 'linux' && name !== 'windows') os.notSupported(['linux', 'windows'], name)
  else if (name === 'linux') {
    const options = [spec, ...allContainers(spec)].map((spot) =>
      spot.at('securityContext').at('windowsOptions'),
    )
    for (const spot of options) spot.absent('windows options cannot be set for a linux pod')
  } else {
    for (const path of POD_LINUX_ONLY) {
      const spot = path.split('.').reduce((at, step) => at.at(step), spec)
      // Of these two upstream cannot tell `false` from nothing.
      const isUnset = spot.value === false && (path === 'hostPID' || path === 'hostIPC')
      if (spot.isSet && !isUnset) spot.forbidden(NOT_ON_WINDOWS)
    }
    for (const container of allContainers(spec)) {
      for (const field of CONTAINER_LINUX_ONLY)
        container.at('securityContext').at(field).absent(NOT_ON_WINDOWS)
    }
  }
}
