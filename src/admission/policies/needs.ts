// What the policy plugins need beyond the lister, and what they read.
import type { Authorizer } from '../../machinery/attributes.ts'
import type { Resource } from '../../schema/resource.ts'
import type { StructType } from '../../schema/type.ts'
import type { ObjectForms } from '../webhooks/forms.ts'

export interface PolicyNeeds {
  readonly forms: ObjectForms
  readonly authorizer: Authorizer
  /** The resource that serves a kind ("v1", "ConfigMap"); undefined: there is none now. */
  resourceOf(apiVersion: string, kind: string): Resource | undefined
  /** The type of what requests to this place carry. */
  typeOf(resource: Resource, subresource: string): StructType
}

const GROUP = 'admissionregistration.k8s.io'
export const VALIDATING = {
  policies: { group: GROUP, resource: 'validatingadmissionpolicies' },
  bindings: { group: GROUP, resource: 'validatingadmissionpolicybindings' },
}
export const MUTATING = {
  policies: { group: GROUP, resource: 'mutatingadmissionpolicies' },
  bindings: { group: GROUP, resource: 'mutatingadmissionpolicybindings' },
}
