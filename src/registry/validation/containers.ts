// Rules of the containers of a pod: ordinary, init and ephemeral ones.
// Follows pkg/apis/core/validation.
import { nameIsDnsSubdomain } from '../../machinery/names.ts'
import {
  configMapKeyErrors,
  dns1123LabelErrors,
  envVarNameErrors,
  portNameErrors,
  qualifiedNameErrors,
} from '../../machinery/validation.ts'
import { isDescending, staysInside } from './paths.ts'
import { lifeOf } from './probes.ts'
import { resourceRequirements } from './resources.ts'
import { containerSecurity } from './security.ts'
import type { Spot } from './spot.ts'

/** What containers must know of their pod. */
export interface PodView {
  readonly spec: Spot
  /** Volumes by name. */
  readonly volumes: ReadonlyMap<string, Spot>
  readonly claimNames: readonly string[]
}

const TERMINATION_MESSAGES = ['File', 'FallbackToLogsOnError']
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None']
const RECURSIONS = ['Disabled', 'Enabled', 'IfPossible']
const RESTARTS = ['Always', 'Never', 'OnFailure']
const MAX_RESTART_RULES = 20
const MAX_EXIT_CODES = 255

function ports(spot: Spot): void {
  const names = new Set<string>()
  for (const port of spot.items()) {
    const name = port.at('name')
    if (!name.isEmpty && name.matches(portNameErrors)) {
      if (names.has(name.text)) name.duplicate()
      names.add(name.text)
    }
    if (port.at('containerPort').number === 0) port.at('containerPort').required()
    else port.at('containerPort').isPortNumber()
    if (port.at('hostPort').number !== 0) port.at('hostPort').isPortNumber()
    port.at('protocol').neededOneOf(PROTOCOLS)
  }
}

const ENV_FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]
const ANY_FIELDS = [
  ...ENV_FIELDS,
  'metadata.annotations',
  'metadata.labels',
  'spec.restartPolicy',
  'spec.schedulerName',
]
const RESOURCES = ['cpu', 'ephemeral-storage', 'memory']
const RESOURCE_FIELDS = ['limits', 'requests'].flatMap((list) => RESOURCES.map((name) => `${list}.${name}`))

/** A field of the pod that the downward API hands out. */
export function fieldReference(ref: Spot, allowed: readonly string[] = ENV_FIELDS): void {
  if (!ref.at('apiVersion').needed() || !ref.at('fieldPath').needed()) return
  const path = ref.at('fieldPath')
  const version = ref.at('apiVersion').text
  if (version !== 'v1') {
    return path.invalid(`error converting fieldPath: unsupported pod version: ${version}`, path.text)
  }
  const subscript = /^(.*)\['(.*)'\]$/.exec(path.text)
  const base = subscript?.[1] ?? path.text
  const known = base === 'spec.host' || ANY_FIELDS.includes(base)
  if (!known || (subscript && !base.startsWith('metadata.'))) {
    path.invalid(`error converting fieldPath: field label not supported: ${path.text}`, path.text)
  } else if (subscript) {
    const key = subscript[2] ?? ''
    const faults = qualifiedNameErrors(base === 'metadata.annotations' ? key.toLowerCase() : key)
    for (const fault of faults) ref.invalid(fault, key)
    if (base !== 'metadata.annotations' && base !== 'metadata.labels')
      ref.invalid('does not support subscript', base)
  } else if (!allowed.includes(base)) path.notSupported([...allowed].sort())
}

/** An amount of a container that the downward API hands out. */
export function resourceReference(ref: Spot, needsContainer: boolean): void {
  const resource = ref.at('resource')
  if (needsContainer && !ref.at('containerName').needed()) return
  if (!resource.needed()) return
  const huge = /^(limits|requests)\.hugepages-/.test(resource.text)
  if (!huge && !RESOURCE_FIELDS.includes(resource.text)) resource.notSupported(RESOURCE_FIELDS)
}

const isSubdomain = (text: string): string[] => nameIsDnsSubdomain(text, false)

function keyReference(ref: Spot): void {
  ref.at('name').matches(isSubdomain)
  ref.at('key').neededAs(configMapKeyErrors)
}

const SOURCES: Readonly<Record<string, (ref: Spot) => void>> = {
  fieldRef: (ref) => fieldReference(ref),
  resourceFieldRef: (ref) => resourceReference(ref, false),
  configMapKeyRef: keyReference,
  secretKeyRef: keyReference,
  fileKeyRef(ref) {
    ref.at('key').neededAs(envVarNameErrors)
    ref.at('volumeName').neededAs(dns1123LabelErrors)
    if (ref.at('path').needed()) staysInside(ref.at('path'))
  },
}

function environment(env: Spot): void {
  for (const variable of env.items()) {
    variable.at('name').neededAs(envVarNameErrors)
    const from = variable.at('valueFrom')
    if (!from.isSet) continue
    let found = 0
    for (const [type, check] of Object.entries(SOURCES)) {
      if (!from.at(type).isSet) continue
      found++
      check(from.at(type))
    }
    if (!found) {
      const types = '`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'
      from.invalid(`must specify one of: ${types}`, '')
    } else if (variable.at('value').text) from.invalid('may not be specified when `value` is not empty', '')
    else if (found > 1) from.invalid('may not have more than one field specified at a time', '')
  }
}

function environmentFrom(sources: Spot): void {
  for (const source of sources.items()) {
    source.at('prefix').ifSet(envVarNameErrors)
    const refs = ['configMapRef', 'secretRef'].map((type) => source.at(type)).filter((ref) => ref.isSet)
    for (const ref of refs) ref.at('name').neededAs((text) => nameIsDnsSubdomain(text, true))
    if (!refs.length) sources.invalid('must specify one of: `configMapRef` or `secretRef`', '')
    if (refs.length > 1) sources.invalid('may not have more than one field specified at a time', '')
  }
}

function mountOptions(mounts: Spot, mount: Spot, container: Spot): void {
  const propagation = mount.at('mountPropagation')
  if (propagation.isSet) {
    const spot = mounts.at('mountPropagation').with(propagation.value)
    spot.oneOf(PROPAGATIONS)
    const privileged = container.at('securityContext').at('privileged').value === true
    if (propagation.text === 'Bidirectional' && !privileged) {
      spot.forbidden('Bidirectional mount propagation is available only to privileged containers')
    }
  }
  const recursive = mount.at('recursiveReadOnly')
  if (!recursive.isSet || recursive.text === 'Disabled') return
  const spot = mounts.at('recursiveReadOnly').with(recursive.value)
  if (!spot.oneOf(RECURSIONS)) return
  if (mount.at('readOnly').value !== true) spot.forbidden('may only be specified when readOnly is true')
  if (propagation.isSet && propagation.text !== 'None') {
    spot.forbidden('may only be specified when mountPropagation is None or not specified')
  }
}

function mountPaths(mounts: Spot, mount: Spot): void {
  const [sub, expression] = [mount.at('subPath'), mount.at('subPathExpr')]
  if (!sub.isEmpty) isDescending(mounts.at('subPath').with(sub.value))
  if (expression.isEmpty) return
  if (!sub.isEmpty) expression.invalid('subPathExpr and subPath are mutually exclusive')
  isDescending(mounts.at('subPathExpr').with(expression.value))
}

function volumeMounts(container: Spot, pod: PodView): void {
  const mounts = container.at('volumeMounts')
  const devices = container.itemsOf('volumeDevices')
  const paths = new Set<string>()
  for (const mount of mounts.items()) {
    const [name, path] = [mount.at('name'), mount.at('mountPath')]
    name.needed()
    if (!pod.volumes.has(name.text)) name.notFound(name.text)
    path.needed()
    if (paths.has(path.text)) path.invalid('must be unique', path.text)
    paths.add(path.text)
    if (devices.some((device) => device.at('name').text === name.text)) {
      name.invalid('must not already exist in volumeDevices')
    }
    if (devices.some((device) => device.at('devicePath').text === path.text)) {
      path.invalid('must not already exist as a path in volumeDevices')
    }
    mountPaths(mounts, mount)
    mountOptions(mounts, mount, container)
  }
}

function volumeDevices(container: Spot, pod: PodView): void {
  const mounts = container.itemsOf('volumeMounts')
  const [names, paths] = [new Set<string>(), new Set<string>()]
  for (const device of container.itemsOf('volumeDevices')) {
    const [name, path] = [device.at('name'), device.at('devicePath')]
    const volume = pod.volumes.get(name.text)
    name.needed()
    if (names.has(name.text)) name.invalid('must be unique')
    if (!volume) name.notFound(name.text)
    else if (!volume.at('persistentVolumeClaim').isSet && !volume.at('ephemeral').isSet) {
      name.invalid('can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode')
    }
    path.needed()
    if (paths.has(path.text)) path.invalid('must be unique', path.text)
    if (path.text.split('/').includes('..')) path.invalid("can not contain backsteps ('..')")
    else paths.add(path.text)
    if (mounts.some((mount) => mount.at('name').text === name.text)) {
      name.invalid('must not already exist in volumeMounts')
    }
    if (mounts.some((mount) => mount.at('mountPath').text === path.text)) {
      path.invalid('must not already exist as a path in volumeMounts')
    }
    if (name.text) names.add(name.text)
  }
}

function resizePolicies(container: Spot, pod: PodView): void {
  const policies = container.at('resizePolicy')
  const never = pod.spec.at('restartPolicy').text === 'Never'
  const seen = new Set<string>()
  for (const policy of policies.items()) {
    const [resource, restart] = [policy.at('resourceName').text, policy.at('restartPolicy').text]
    if (seen.has(resource)) policy.duplicate(resource)
    seen.add(resource)
    policies.with(resource).neededOneOf(['cpu', 'memory'])
    policies.with(restart).neededOneOf(['NotRequired', 'RestartContainer'])
    if (never && restart !== 'NotRequired') {
      policies.invalid("must be 'NotRequired' when pod `restartPolicy` is 'Never'", restart)
    }
  }
}

/** What holds for containers of every sort. */
function common(container: Spot, pod: PodView): void {
  container.at('name').neededAs(dns1123LabelErrors)
  container.at('image').needed()
  container.at('terminationMessagePolicy').neededOneOf(TERMINATION_MESSAGES)
  ports(container.at('ports'))
  environment(container.at('env'))
  environmentFrom(container.at('envFrom'))
  volumeMounts(container, pod)
  volumeDevices(container, pod)
  container.at('imagePullPolicy').neededOneOf(PULL_POLICIES)
  resourceRequirements(container.at('resources'), pod.claimNames)
  resizePolicies(container, pod)
  containerSecurity(container.at('securityContext'), pod.spec.at('hostUsers').value !== false)
}

function hostPorts(containers: readonly Spot[]): void {
  const taken = new Set<string>()
  for (const container of containers) {
    for (const port of container.itemsOf('ports')) {
      const number = port.at('hostPort').number
      if (!number) continue
      const key = `${port.at('protocol').text}/${port.at('hostIP').text}/${number}`
      if (taken.has(key)) port.at('hostPort').duplicate(key)
      taken.add(key)
    }
  }
}

/** A name that no earlier container has. */
function newName(container: Spot, names: Set<string>): void {
  const name = container.at('name')
  if (names.has(name.text)) name.duplicate(name.text)
  names.add(name.text)
}

/** When a container starts again, and on which exit codes. */
function restartRules(container: Spot): void {
  const [policy, rules] = [container.at('restartPolicy'), container.at('restartPolicyRules')]
  if (policy.isSet) policy.oneOf(RESTARTS)
  else if (!rules.isEmpty) policy.required('must specify restartPolicy when restart rules are used')
  if (rules.items().length > MAX_RESTART_RULES) rules.tooMany(MAX_RESTART_RULES)
  for (const rule of rules.items()) {
    const codes = rule.at('exitCodes')
    rule.at('action').oneOf(['Restart', 'RestartAllContainers'])
    if (codes.isSet) {
      codes.at('operator').oneOf(['In', 'NotIn'])
      if (codes.itemsOf('values').length > MAX_EXIT_CODES) codes.at('values').tooMany(MAX_EXIT_CODES)
    } else codes.required('must be specified')
  }
}

export function mainContainers(pod: PodView): void {
  const containers = pod.spec.at('containers')
  if (!containers.needed()) return
  const grace = pod.spec.at('terminationGracePeriodSeconds')
  const names = new Set<string>()
  for (const container of containers.items()) {
    common(container, pod)
    newName(container, names)
    lifeOf(container, grace)
    restartRules(container)
  }
  hostPorts(containers.items())
}

const NOT_A_SIDECAR = 'may not be set for init containers without restartPolicy=Always'

export function initContainers(pod: PodView): void {
  const names = new Set(
    pod.spec
      .at('containers')
      .items()
      .map((container) => container.at('name').text),
  )
  const grace = pod.spec.at('terminationGracePeriodSeconds')
  for (const container of pod.spec.itemsOf('initContainers')) {
    common(container, pod)
    restartRules(container)
    newName(container, names)
    hostPorts([container])
    if (container.at('restartPolicy').text === 'Always') lifeOf(container, grace)
    else {
      for (const name of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe']) {
        container.at(name).absent(NOT_A_SIDECAR)
      }
    }
  }
}

const NOT_EPHEMERAL = [
  ...['ports', 'resources', 'resizePolicy', 'restartPolicy', 'restartPolicyRules'],
  ...['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'],
]
const EPHEMERAL = 'cannot be set for an Ephemeral Container'

export function ephemeralContainers(pod: PodView): void {
  const containers = pod.spec.itemsOf('ephemeralContainers')
  if (containers.length === 0) return
  const others = ['containers', 'initContainers'].flatMap((list) => pod.spec.itemsOf(list))
  const known = new Set(others.map((container) => container.at('name').text))
  const names = new Set(known)
  for (const container of containers) {
    common(container, pod)
    trimmedImage(container)
    newName(container, names)
    const target = container.at('targetContainerName')
    if (target.text && !known.has(target.text)) target.notFound()
    for (const name of NOT_EPHEMERAL) {
      if (!container.at(name).isEmpty) container.at(name).forbidden(EPHEMERAL)
    }
    for (const mount of container.itemsOf('volumeMounts')) {
      for (const name of ['subPath', 'subPathExpr']) {
        if (mount.at(name).text) mount.at(name).forbidden(EPHEMERAL)
      }
    }
  }
}

/** Pods, unlike templates, refuse images with blanks around them. */
export function trimmedImage(container: Spot): void {
  const image = container.at('image')
  if (image.text !== image.text.trim()) image.invalid('must not have leading or trailing whitespace')
}
