// What the controllers are told besides the API: how many keys at a time, certificates and keys, periods.
// Follows k8s.io/kubernetes/cmd/kube-controller-manager/app/options.

/** Keys at a time, by upstream's flag less "concurrent-" and "-syncs". */
export const WORKERS = {
  'cron-job': 5,
  daemonset: 2,
  deployment: 5,
  'device-taint-eviction': 8,
  endpoint: 5,
  ephemeralvolume: 5,
  gc: 20,
  'horizontal-pod-autoscaler': 5,
  job: 5,
  namespace: 10,
  rc: 5,
  replicaset: 5,
  resourceclaim: 50,
  'resource-quota': 5,
  'service-endpoint': 5,
  'serviceaccount-token': 5,
  statefulset: 5,
  'ttl-after-finished': 5,
  'validating-admission-policy-status': 5,
} as const

/** A CA that signs requests. PEM. */
export interface SigningAuthority {
  readonly cert: string
  readonly key: string
}

export interface ControllerSettings {
  /** How long other API servers are given to learn that a namespace goes. */
  readonly namespaceGraceMs: number
  /** How long everybody is given to learn that a range of services' addresses goes. */
  readonly serviceCidrGraceMs: number
  readonly workers: Readonly<Record<keyof typeof WORKERS, number>>
  /** PEM: what pods check the API server with. */
  readonly rootCa: string | undefined
  /** PEM: signs the tokens in secrets. */
  readonly serviceAccountKey: string | undefined
  /** By upstream's signer less "kubernetes.io/": kube-apiserver-client, kubelet-serving, …. */
  readonly signers: ReadonlyMap<string, SigningAuthority>
  /** How long certificates last at most. */
  readonly signingDurationSeconds: number
  /** CIDRs of pods, and how many bits of them a node gets. */
  readonly allocateNodeCidrs: boolean
  readonly clusterCidrs: readonly string[]
  /** Kept out of them: the services', and what nodes take by themselves. */
  readonly serviceCidrs: readonly string[]
  readonly nodeCidrMaskSizeIpv4: number
  readonly nodeCidrMaskSizeIpv6: number
  readonly nodeMonitorGraceMs: number
  readonly nodeMonitorPeriodMs: number
  readonly nodeStartupGraceMs: number
  readonly nodeEvictionRate: number
  readonly secondaryNodeEvictionRate: number
  readonly largeClusterSizeThreshold: number
  readonly unhealthyZoneThreshold: number
  /** Whether volumes go from nodes that are silent for too long. */
  readonly forcesDetach: boolean
  readonly maxEndpointsPerSlice: number
  readonly terminatedPodThreshold: number
  readonly claimBinderSyncMs: number
  readonly resourceQuotaSyncMs: number
  /** How long a token in a secret that nobody asked for may lie unused. */
  readonly legacyTokenUnusedMs: number
  /** Of autoscalers; times in ms. */
  readonly autoscaler: {
    readonly syncMs: number
    readonly downscaleStabilizationMs: number
    readonly cpuInitializationMs: number
    readonly readinessDelayMs: number
    readonly tolerance: number
  }
}

/** Upstream's defaults. */
export const SETTINGS: ControllerSettings = {
  workers: WORKERS,
  namespaceGraceMs: 5_000,
  serviceCidrGraceMs: 10_000,
  rootCa: undefined,
  serviceAccountKey: undefined,
  signers: new Map(),
  signingDurationSeconds: 365 * 24 * 3600,
  allocateNodeCidrs: false,
  clusterCidrs: [],
  serviceCidrs: [],
  nodeCidrMaskSizeIpv4: 24,
  nodeCidrMaskSizeIpv6: 64,
  nodeMonitorGraceMs: 50_000,
  nodeMonitorPeriodMs: 5_000,
  nodeStartupGraceMs: 60_000,
  nodeEvictionRate: 0.1,
  secondaryNodeEvictionRate: 0.01,
  largeClusterSizeThreshold: 50,
  unhealthyZoneThreshold: 0.55,
  forcesDetach: true,
  maxEndpointsPerSlice: 100,
  terminatedPodThreshold: 12_500,
  claimBinderSyncMs: 15_000,
  resourceQuotaSyncMs: 300_000,
  legacyTokenUnusedMs: 365 * 24 * 3600_000,
  autoscaler: {
    syncMs: 15_000,
    downscaleStabilizationMs: 300_000,
    cpuInitializationMs: 300_000,
    readinessDelayMs: 30_000,
    tolerance: 0.1,
  },
}
