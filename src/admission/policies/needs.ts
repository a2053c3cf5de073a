// What the policy plugins need beyond the lister, and what they read.
import type { Authorizer } from '../../machinery/attributes.ts'
import type { GroupResource } from '../../machinery/gvk.ts'
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

/** Where one kind of policies and what binds them are kept. */
export interface PolicyResources {
  readonly policies: GroupResource
  readonly bindings: GroupResource
}

const GROUP = 'admissionregistration.k8s.io'
export const VALIDATING: PolicyResources = {
  policies: { group: GROUP, resource: 'validatingadmissionpolicies' },
  bindings: { group: GROUP, resource: 'validatingadmissionpolicybindings' },
}
export const MUTATING: PolicyResources = {
  policies: { group: GROUP, resource: 'mutatingadmissionpolicies' },
  bindings: { group: GROUP, resource: 'mutatingadmissionpolicybindings' },
}
