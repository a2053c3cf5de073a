// Defaults of the groups that need few: networking, discovery, rbac, scheduling, storage, resource, certificates,
// authentication. Follows k8s.io/kubernetes/pkg/apis/<group>/<version>/defaults.go.
import type { JsonObject } from '../../machinery/json.ts'
import { INLINE_VOLUME } from './core.ts'
import { type GroupDefaults, type Rules, structAt, structsIn } from './rules.ts'

const RBAC_GROUP = 'rbac.authorization.k8s.io'

const POLICY_PORTS: Rules = { items: { ports: { absent: { protocol: 'TCP' } } } }

export const NETWORKING: GroupDefaults = {
  'v1/NetworkPolicy': () => ({
    embedded: {
      spec: {
        first: (spec) => {
          if (Array.isArray(spec.policyTypes) && spec.policyTypes.length > 0) return
          spec.policyTypes = structsIn(spec, 'egress').length ? ['Ingress', 'Egress'] : ['Ingress']
        },
        items: { ingress: POLICY_PORTS, egress: POLICY_PORTS },
      },
    },
  }),
  'v1/IngressClass': () => ({
    embedded: { spec: { present: { parameters: { absent: { scope: 'Cluster' } } } } },
  }),
}

export const DISCOVERY: GroupDefaults = {
  'v1/EndpointSlice': () => ({ items: { ports: { absent: { name: '', protocol: 'TCP' } } } }),
}

const BINDING: Rules = {
  embedded: { roleRef: { empty: { apiGroup: RBAC_GROUP } } },
  items: {
    subjects: {
      first: (subject) => {
        if (!subject.apiGroup && (subject.kind === 'User' || subject.kind === 'Group'))
          subject.apiGroup = RBAC_GROUP
      },
    },
  },
}

export const RBAC: GroupDefaults = {
  'v1/RoleBinding': () => BINDING,
  'v1/ClusterRoleBinding': () => BINDING,
}

export const SCHEDULING: GroupDefaults = {
  'v1/PriorityClass': () => ({ absent: { preemptionPolicy: 'PreemptLowerPriority' } }),
  'v1alpha2/PodGroup': () => ({ embedded: { spec: { absent: { disruptionMode: 'Pod' } } } }),
}

export const STORAGE: GroupDefaults = {
  'v1/StorageClass': () => ({ absent: { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' } }),
  'v1/CSIDriver': () => ({
    embedded: {
      spec: {
        first: (spec) => {
          const modes = spec.volumeLifecycleModes
          if (!Array.isArray(modes) || modes.length === 0) spec.volumeLifecycleModes = ['Persistent']
        },
        absent: {
          attachRequired: true,
          podInfoOnMount: false,
          storageCapacity: false,
          fsGroupPolicy: 'ReadWriteOnceWithFSType',
          requiresRepublish: false,
          seLinuxMount: false,
        },
      },
    },
  }),
  'v1/VolumeAttachment': () => ({
    embedded: { spec: { embedded: { source: { present: { inlineVolumeSpec: INLINE_VOLUME } } } } },
  }),
}

const TOLERATIONS: Readonly<Record<string, Rules>> = { tolerations: { empty: { operator: 'Equal' } } }

const exactCount = (request: JsonObject): void => {
  request.allocationMode ||= 'ExactCount'
  if (request.allocationMode === 'ExactCount') request.count ||= 1
}

const SUB_REQUEST: Rules = { first: exactCount, items: TOLERATIONS }

const REQUEST: Rules = { present: { exactly: SUB_REQUEST }, items: { firstAvailable: SUB_REQUEST } }

/** In v1beta1 a request is exact or has alternatives by what else it says. */
const BETA_REQUEST: Rules = {
  first: (request) => {
    if (request.deviceClassName) exactCount(request)
  },
  items: { firstAvailable: SUB_REQUEST, ...TOLERATIONS },
}

const claimSpec = (request: Rules): Rules => ({ embedded: { devices: { items: { requests: request } } } })

const claim = (request: Rules) => (): Rules => ({
  embedded: {
    spec: claimSpec(request),
    status: {
      present: { allocation: { embedded: { devices: { items: { results: { items: TOLERATIONS } } } } } },
    },
  },
})

const claimTemplate = (request: Rules) => (): Rules => ({
  embedded: { spec: { embedded: { spec: claimSpec(request) } } },
})

const TAINT: Rules = { absent: { timeAdded: () => `${new Date().toISOString().slice(0, 19)}Z` } }

const DEVICE: Rules = {
  first: (device) => {
    const mappings = structAt(device, 'nodeAllocatableResourceMappings')
    for (const name of Object.keys(mappings ?? {})) {
      const mapping = mappings && structAt(mappings, name)
      if (mapping) mapping.allocationMultiplier ??= '1'
    }
  },
  items: { taints: TAINT },
}

const slice = (device: Rules) => (): Rules => ({ embedded: { spec: { items: { devices: device } } } })
const taintRule = (): Rules => ({ embedded: { spec: { embedded: { taint: TAINT } } } })

export const RESOURCE: GroupDefaults = {
  'v1/ResourceClaim': claim(REQUEST),
  'v1/ResourceClaimTemplate': claimTemplate(REQUEST),
  'v1/ResourceSlice': slice(DEVICE),
  'v1beta2/ResourceClaim': claim(REQUEST),
  'v1beta2/ResourceClaimTemplate': claimTemplate(REQUEST),
  'v1beta2/ResourceSlice': slice(DEVICE),
  'v1beta2/DeviceTaintRule': taintRule,
  'v1beta1/ResourceClaim': claim(BETA_REQUEST),
  'v1beta1/ResourceClaimTemplate': claimTemplate(BETA_REQUEST),
  'v1beta1/ResourceSlice': slice({ present: { basic: DEVICE } }),
  'v1alpha3/DeviceTaintRule': taintRule,
  'v1alpha3/ResourcePoolStatusRequest': () => ({ embedded: { spec: { absent: { limit: 100 } } } }),
}

export const CERTIFICATES: GroupDefaults = {
  'v1beta1/PodCertificateRequest': () => ({
    embedded: { spec: { absent: { maxExpirationSeconds: 86_400 } } },
  }),
}

export const AUTHENTICATION: GroupDefaults = {
  'v1/TokenRequest': () => ({ embedded: { spec: { absent: { expirationSeconds: 3_600 } } } }),
}
