// Groups that are Kubernetes' own need a word from those who look after them.
// Follows k8s.io/apiextensions-apiserver/pkg/apihelpers (IsProtectedCommunityGroup, GetAPIApprovalState).
import type { Json } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'

export const APPROVAL = 'api-approved.kubernetes.io'

/** Groups of k8s.io and kubernetes.io. */
export function isProtectedGroup(group: Json | undefined): boolean {
  return typeof group === 'string' && /(^|\.)(k8s|kubernetes)\.io$/.test(group)
}

export interface Approval {
  readonly status: string
  readonly reason: string
  readonly message: string
}

/** What is to be said of the approval of a definition of such a group. */
export function approvalOf({ metadata }: KubeObject): Approval | undefined {
  const given = metadata.annotations?.[APPROVAL] ?? ''
  const shown = JSON.stringify(APPROVAL)
  if (given === '') {
    const message = `protected groups must have approval annotation ${shown}, see https://github.com/kubernetes/enhancements/pull/1111`
    return { status: 'False', reason: 'MissingAnnotation', message }
  }
  if (given.startsWith('unapproved')) {
    return {
      status: 'False',
      reason: 'UnapprovedAnnotation',
      message: `not approved: ${JSON.stringify(given)}`,
    }
  }
  if (isApprovalUrl(given))
    return { status: 'True', reason: 'ApprovedAnnotation', message: `approved in ${given}` }
  const message = `protected groups must have approval annotation ${shown} with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111`
  return { status: 'False', reason: 'InvalidAnnotation', message }
}

function isApprovalUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { host, protocol } = new URL(text)
  return host !== '' && protocol !== ''
}
