// What an APIService says of one version of a group: its name, its place in the order of discovery, who answers for it.
// Follows k8s.io/kube-aggregator/pkg/apis/apiregistration/v1 (types, helper) and the priorities of
// k8s.io/kubernetes/cmd/kube-apiserver/app/aggregator.go.
import { isObject, type Json, type JsonObject } from './json.ts'
import type { KubeObject } from './object.ts'
import { compareVersions } from './versionorder.ts'

/** Where one version of a group stands among the others; higher numbers come first. */
export interface Registration {
  readonly group: string
  readonly version: string
  readonly groupPriority: number
  readonly versionPriority: number
}

export interface ServiceReference {
  readonly namespace: string
  readonly name: string
  readonly port: number
}

export interface ApiService extends Registration {
  readonly name: string
  /** Who answers; undefined: this server itself. */
  readonly service: ServiceReference | undefined
  /** PEM in base64; empty: the CAs that everybody trusts. */
  readonly caBundle: string
  readonly insecureSkipTlsVerify: boolean
  /** Its condition Available is true. */
  readonly isAvailable: boolean
}

/** A registration that this server wrote itself: "onstart" is looked after at each start only, "true" all the time. */
export const MANAGED_LABEL = 'kube-aggregator.kubernetes.io/automanaged'

/** Registration itself is not registered: it comes first, always. */
export const REGISTRATION_GROUP = 'apiregistration.k8s.io'

/** Of custom resources, and of everything that says nothing else. */
export const CUSTOM_PRIORITY = { groupPriority: 1000, versionPriority: 100 } as const

/** Of each built-in group: its own, and those of its versions. */
const PRIORITIES: Readonly<Record<string, readonly [number, Readonly<Record<string, number>>]>> = {
  '': [18000, { v1: 1 }],
  'admissionregistration.k8s.io': [16700, { v1: 15, v1beta1: 12, v1alpha1: 9 }],
  'apiextensions.k8s.io': [16700, { v1: 15 }],
  [REGISTRATION_GROUP]: [20001, { v1: 0 }],
  apps: [17800, { v1: 15 }],
  'authentication.k8s.io': [17700, { v1: 15, v1beta1: 9, v1alpha1: 1 }],
  'authorization.k8s.io': [17600, { v1: 15 }],
  autoscaling: [17500, { v1: 15, v2: 30 }],
  batch: [17400, { v1: 15 }],
  'certificates.k8s.io': [17300, { v1: 15, v1beta1: 9, v1alpha1: 1 }],
  'coordination.k8s.io': [16500, { v1: 15, v1beta1: 13, v1alpha2: 12 }],
  'discovery.k8s.io': [16200, { v1: 15, v1beta1: 12 }],
  'events.k8s.io': [17750, { v1: 15, v1beta1: 5 }],
  'flowcontrol.apiserver.k8s.io': [16100, { v1: 21, v1beta3: 18 }],
  'internal.apiserver.k8s.io': [16000, { v1alpha1: 9 }],
  'networking.k8s.io': [17200, { v1: 15, v1beta1: 9 }],
  'node.k8s.io': [16300, { v1: 15, v1beta1: 9, v1alpha1: 1 }],
  policy: [17100, { v1: 15, v1beta1: 9 }],
  'rbac.authorization.k8s.io': [17000, { v1: 15 }],
  'resource.k8s.io': [16200, { v1: 21, v1beta2: 15, v1beta1: 9, v1alpha3: 1 }],
  'scheduling.k8s.io': [16600, { v1: 15, v1alpha2: 2 }],
  'storage.k8s.io': [16800, { v1: 15, v1beta1: 9, v1alpha1: 1 }],
  'storagemigration.k8s.io': [15800, { v1beta1: 9 }],
}

/** The registration of a built-in version; undefined for others. */
export function builtinRegistration(group: string, version: string): Registration | undefined {
  const [groupPriority, versions] = (Object.hasOwn(PRIORITIES, group) && PRIORITIES[group]) || []
  if (groupPriority === undefined || !versions || !Object.hasOwn(versions, version)) return undefined
  return { group, version, groupPriority, versionPriority: versions[version] ?? 0 }
}

/** The name of the APIService for this version. */
export const registrationName = ({ group, version }: Pick<Registration, 'group' | 'version'>): string =>
  `${version}.${group}`

/**
 * Groups with their versions in the order of discovery: each by the highest priority that one of its versions gives it,
 * its versions by their own; ties by name, and as clients prefer versions.
 */
export function inOrder<T extends Registration>(all: readonly T[]): [string, T[]][] {
  const byGroup = new Map<string, T[]>()
  const byPriority = [...all].sort(
    (a, b) => b.groupPriority - a.groupPriority || compareText(registrationName(a), registrationName(b)),
  )
  for (const one of byPriority) {
    const same = byGroup.get(one.group)
    if (same) same.push(one)
    else byGroup.set(one.group, [one])
  }
  for (const versions of byGroup.values()) {
    versions.sort((a, b) => b.versionPriority - a.versionPriority || compareVersions(a.version, b.version))
  }
  return [...byGroup]
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const DEFAULT_PORT = 443

/** What an APIService object says. */
export function apiServiceOf(object: KubeObject): ApiService {
  const spec = objectOf(object['spec'])
  const service = spec['service']
  return {
    name: object.metadata.name ?? '',
    group: textOf(spec['group']),
    version: textOf(spec['version']),
    groupPriority: numberOf(spec['groupPriorityMinimum'], 0),
    versionPriority: numberOf(spec['versionPriority'], 0),
    service: isObject(service)
      ? {
          namespace: textOf(service['namespace']),
          name: textOf(service['name']),
          port: numberOf(service['port'], DEFAULT_PORT),
        }
      : undefined,
    caBundle: textOf(spec['caBundle']),
    insecureSkipTlsVerify: spec['insecureSkipTLSVerify'] === true,
    isAvailable: availableOf(object)?.['status'] === 'True',
  }
}

/** The condition Available of an APIService. */
export function availableOf(object: KubeObject): JsonObject | undefined {
  const conditions = objectOf(object['status'])['conditions']
  if (!Array.isArray(conditions)) return undefined
  return conditions.filter(isObject).find(({ type }) => type === 'Available')
}

const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})
const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
const numberOf = (value: Json | undefined, otherwise: number): number =>
  typeof value === 'number' ? value : otherwise
