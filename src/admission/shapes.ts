// The parts of objects that plugins of this room read and write. By the time of admission an object was decoded into
// its type, so these shapes hold; fields that no plugin looks at are left out.
// Follows k8s.io/api (core/v1, scheduling/v1, node/v1, storage/v1).
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { isPodLevelResource } from '../machinery/podresources.ts'

export type ResourceList = Record<string, string>

export interface Resources extends JsonObject {
  limits?: ResourceList
  requests?: ResourceList
}

interface SecretRef extends JsonObject {
  name?: string
}

export interface Container extends JsonObject {
  name: string
  resources?: Resources
  volumeMounts?: { [key: string]: string | boolean; name: string; mountPath: string }[]
  env?: { [key: string]: JsonObject | string; name: string; valueFrom: { secretKeyRef?: SecretRef } }[]
  envFrom?: { secretRef?: SecretRef }[]
}

export interface Toleration extends JsonObject {
  key?: string
  operator?: string
  value?: string
  effect?: string
  tolerationSeconds?: number
}

export interface Volume extends JsonObject {
  name: string
  secret?: { secretName?: string }
  projected?: { sources?: JsonObject[] }
}

export interface PodSpec extends JsonObject {
  containers?: Container[]
  initContainers?: Container[]
  ephemeralContainers?: Container[]
  volumes?: Volume[]
  tolerations?: Toleration[]
  nodeSelector?: Record<string, string>
  nodeName?: string
  serviceAccount?: string
  serviceAccountName?: string
  automountServiceAccountToken?: boolean
  imagePullSecrets?: SecretRef[]
  priority?: number
  priorityClassName?: string
  preemptionPolicy?: string
  runtimeClassName?: string
  overhead?: ResourceList
  resources?: Resources
}

export interface Pod extends KubeObject {
  spec: PodSpec
}

/** Whether the pod as a whole says what it needs, so that its containers need not. */
export function isPodLevelResourced({ spec: { resources } }: Pod): boolean {
  const names = [...Object.keys(resources?.requests ?? {}), ...Object.keys(resources?.limits ?? {})]
  return names.some(isPodLevelResource)
}

export interface ServiceAccount extends KubeObject {
  automountServiceAccountToken?: boolean
  imagePullSecrets?: SecretRef[]
  secrets?: SecretRef[]
}

export interface PriorityClass extends KubeObject {
  value: number
  globalDefault?: boolean
  preemptionPolicy?: string
}

export interface RuntimeClass extends KubeObject {
  overhead?: { podFixed?: ResourceList }
  scheduling?: { nodeSelector?: Record<string, string>; tolerations?: Toleration[] }
}

export interface LimitRangeItem extends JsonObject {
  type: string
  max?: ResourceList
  min?: ResourceList
  default?: ResourceList
  defaultRequest?: ResourceList
  maxLimitRequestRatio?: ResourceList
}

export interface Claim extends KubeObject {
  spec: { [key: string]: JsonObject | string | undefined; storageClassName?: string; resources?: Resources }
  status?: { phase?: string }
}

export const PODS = { group: '', resource: 'pods' }
export const NODES = { group: '', resource: 'nodes' }
export const CLAIMS = { group: '', resource: 'persistentvolumeclaims' }
export const STORAGE_CLASSES = { group: 'storage.k8s.io', resource: 'storageclasses' }
