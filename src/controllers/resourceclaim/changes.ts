// Claims for devices as they ought to be: made of templates, reserved for pods, freed when no pod needs them.
// Follows k8s.io/kubernetes/pkg/controller/resourceclaim.
import type { Pod, PodResourceClaim } from '../../client/kinds/core.v1.gen.ts'
import type {
  ResourceClaim,
  ResourceClaimConsumerReference,
  ResourceClaimTemplate,
} from '../../client/kinds/resource.v1.gen.ts'
import { isPodTerminal } from '../../client/podstate.ts'

export const POD_CLAIM = 'resource.kubernetes.io/pod-claim-name'
export const FINALIZER = 'resource.kubernetes.io/delete-protection'
/** What the server adds and a dash are part of a name of 63 characters. */
const MAX_PREFIX = 57

/** The claim of a template for a pod's claim. */
export function claimOfTemplate(pod: Pod, name: string, template: ResourceClaimTemplate): ResourceClaim {
  const { namespace = '', name: podName = '', uid = '' } = pod.metadata
  const { metadata, spec } = template.spec
  return {
    metadata: {
      namespace,
      generateName: generatedPrefix(podName, name),
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: podName, uid, controller: true }],
      annotations: { ...metadata?.annotations, [POD_CLAIM]: name },
      ...(metadata?.labels ? { labels: metadata.labels } : {}),
    },
    spec,
    status: {},
  }
}

/** Of names that are too long, both are cut alike. */
export function generatedPrefix(pod: string, claim: string): string {
  const whole = `${pod}-${claim}-`
  if (whole.length <= MAX_PREFIX) return whole
  const cut = (text: string): string => text.slice(0, Math.floor((text.length * MAX_PREFIX) / whole.length))
  return `${cut(pod)}-${cut(claim)}`
}

/** Needs its claims no more: it is over, or goes without ever having been on a node. */
export const isPodDone = (pod: Pod): boolean =>
  isPodTerminal(pod) || (pod.metadata.deletionTimestamp !== undefined && !pod.spec.nodeName)

/** The pod's claims by name as its status ought to tell, those that it tells of already among them. */
export function claimStatuses(
  pod: Pod,
  made: ReadonlyMap<string, string>,
): { name: string; resourceClaimName?: string }[] {
  const known = (pod.status.resourceClaimStatuses ?? []).filter(({ name }) => !made.has(name))
  const kept = known.map(({ name, resourceClaimName }) =>
    resourceClaimName === undefined ? { name } : { name, resourceClaimName },
  )
  return [...kept, ...[...made].map(([name, resourceClaimName]) => ({ name, resourceClaimName }))]
}

/** Reserved for one pod more. */
export function reservedClaim(
  claim: ResourceClaim,
  { metadata: { name = '', uid = '' } }: Pod,
): ResourceClaim {
  const reservedFor = [...(claim.status?.reservedFor ?? []), { resource: 'pods', name, uid }]
  return { ...claim, status: { ...claim.status, reservedFor } }
}

/** What is left of a claim whose consumers are these: without any, devices that we look after are given back. */
export function freedClaim(claim: ResourceClaim, consumers: ResourceClaimConsumerReference[]): ResourceClaim {
  const { allocation, reservedFor: _, ...rest } = claim.status ?? {}
  const isOurs = (claim.metadata.finalizers ?? []).includes(FINALIZER)
  const keeps = allocation !== undefined && (consumers.length > 0 || !isOurs)
  return {
    ...claim,
    status: {
      ...rest,
      ...(consumers.length > 0 ? { reservedFor: consumers } : {}),
      ...(keeps ? { allocation } : {}),
    },
  }
}

/** Without our finalizer; undefined where it has none, or devices are still given out. */
export function unprotectedClaim(claim: ResourceClaim): ResourceClaim | undefined {
  const finalizers = claim.metadata.finalizers ?? []
  if (!finalizers.includes(FINALIZER) || claim.status?.allocation !== undefined) return undefined
  return {
    ...claim,
    metadata: { ...claim.metadata, finalizers: finalizers.filter((one) => one !== FINALIZER) },
  }
}

/** Templates that a pod's claims are made of. */
export const templateKeys = ({ metadata: { namespace = '' }, spec }: Pod): string[] =>
  (spec.resourceClaims ?? []).flatMap(({ resourceClaimTemplateName }: PodResourceClaim) =>
    resourceClaimTemplateName === undefined ? [] : [`${namespace}/${resourceClaimTemplateName}`],
  )

/** The pod that a claim was made for. */
export const owningPod = ({ metadata }: ResourceClaim) =>
  metadata.ownerReferences?.find(
    ({ controller, apiVersion, kind }) => controller === true && apiVersion === 'v1' && kind === 'Pod',
  )
