// The checks that the level "restricted" adds. Follows k8s.io/pod-security-admission/policy.
import { seccompProfile, uses } from './baseline.ts'
import { type Check, containersOf, named, plural, quoted, setters, sorted, whose } from './pod.ts'

/** Windows knows none of it: its pods are not asked. */
export const unlessWindows =
  (check: Check): Check =>
  (pod) =>
    pod.spec.os?.name === 'windows' ? undefined : check(pod)

export const allowPrivilegeEscalation: Check = (pod) => {
  const bad = whose(pod, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false)
  if (bad.length === 0) return undefined
  const detail = `${named('container', bad)} must set securityContext.allowPrivilegeEscalation=false`
  return { reason: 'allowPrivilegeEscalation != false', detail }
}

export const restrictedCapabilities: Check = (pod) => {
  const capabilitiesOf = (container: ReturnType<typeof containersOf>[number]) =>
    container.securityContext?.capabilities
  const forbidden = (container: ReturnType<typeof containersOf>[number]): string[] =>
    (capabilitiesOf(container)?.add ?? []).filter((name) => name !== 'NET_BIND_SERVICE')
  const keeping = whose(pod, (container) => !capabilitiesOf(container)?.drop?.includes('ALL'))
  const adding = whose(pod, (container) => forbidden(container).length > 0)
  const names = quoted(sorted(containersOf(pod.spec).flatMap(forbidden)))
  const details = [
    ...(keeping.length > 0
      ? [`${named('container', keeping)} must set securityContext.capabilities.drop=["ALL"]`]
      : []),
    ...(adding.length > 0
      ? [`${named('container', adding)} must not include ${names} in securityContext.capabilities.add`]
      : []),
  ]
  return details.length === 0
    ? undefined
    : { reason: 'unrestricted capabilities', detail: details.join('; ') }
}

/** Volumes that bring nothing of the node with them. */
const SAFE_VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
]
const OTHER_VOLUMES = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'gitRepo',
  'nfs',
  'iscsi',
  'glusterfs',
  'rbd',
  'flexVolume',
  'cinder',
  'cephfs',
  'flocker',
  'fc',
  'azureFile',
  'vsphereVolume',
  'quobyte',
  'azureDisk',
  'photonPersistentDisk',
  'portworxVolume',
  'scaleIO',
  'storageos',
]

export const restrictedVolumes: Check = ({ spec }) => {
  const bad = (spec.volumes ?? []).filter((volume) => !SAFE_VOLUMES.some((type) => volume[type]))
  if (bad.length === 0) return undefined
  const types = sorted(bad.map((volume) => OTHER_VOLUMES.find((type) => volume[type]) ?? 'unknown'))
  const names = bad.map(({ name }) => name)
  const what = `${plural('restricted volume type', types.length)} ${quoted(types)}`
  return { reason: 'restricted volume types', detail: `${named('volume', names)} ${uses(names)} ${what}` }
}

export const runAsNonRoot: Check = (pod) => {
  const reason = 'runAsNonRoot != true'
  const ofPod = pod.spec.securityContext?.runAsNonRoot
  const bad = whose(pod, ({ securityContext }) => securityContext?.runAsNonRoot === false)
  const who = setters(ofPod === false, bad)
  if (who !== '') return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` }
  if (ofPod) return undefined
  const silent = whose(pod, ({ securityContext }) => securityContext?.runAsNonRoot === undefined)
  if (silent.length === 0) return undefined
  return { reason, detail: `pod or ${named('container', silent)} must set securityContext.runAsNonRoot=true` }
}

export const runAsUser: Check = (pod) => {
  const bad = whose(pod, ({ securityContext }) => securityContext?.runAsUser === 0)
  const who = setters(pod.spec.securityContext?.runAsUser === 0, bad)
  return who === '' ? undefined : { reason: 'runAsUser=0', detail: `${who} must not set runAsUser=0` }
}

export const restrictedSeccomp: Check = (pod) => {
  const bad = seccompProfile(pod)
  if (bad) return bad
  if (pod.spec.securityContext?.seccompProfile) return undefined
  const silent = whose(pod, ({ securityContext }) => !securityContext?.seccompProfile)
  if (silent.length === 0) return undefined
  const demand = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
  return { reason: 'seccompProfile', detail: `pod or ${named('container', silent)} ${demand}` }
}
