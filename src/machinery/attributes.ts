// What is asked for, as authorization and admission see it.
// Follows k8s.io/apiserver/pkg/authorization/authorizer and pkg/endpoints/request.
import type { UserInfo } from './user.ts'

/** A request after its URL was read. For paths that are no resource, only `verb` and `path` count. */
export interface RequestInfo {
  readonly isResourceRequest: boolean
  readonly path: string
  /** get, list, watch, create, update, patch, delete, deletecollection, connect; for other paths the HTTP method in lower case. */
  readonly verb: string
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
}

export interface AuthorizationAttributes extends RequestInfo {
  readonly user: UserInfo
  /** Parsed requirements of the request's selectors (list, watch, deletecollection), for authorizers that look at them. */
  readonly fieldSelector?: readonly {
    readonly key: string
    readonly operator: string
    readonly values: readonly string[]
  }[]
  readonly labelSelector?: readonly {
    readonly key: string
    readonly operator: string
    readonly values: readonly string[]
  }[]
}

export type Decision = {
  readonly decision: 'allow' | 'deny' | 'noOpinion'
  readonly reason: string
  readonly error?: string
}

export interface Authorizer {
  authorize(attributes: AuthorizationAttributes): Decision | Promise<Decision>
}
