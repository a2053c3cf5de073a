// The roles of parts that upstream has not: policy that the server starts with, written as its other policy is, by itself.
import { isAlreadyExists } from '../../client/api.ts'
import type { ClusterRole, ClusterRoleBinding } from '../../client/kinds/rbac.v1.gen.ts'
import type { Resource } from '../../client/resource.ts'
import { CLUSTER_ROLES } from '../../client/resources.ts'
import { MASTERS_GROUP } from '../../machinery/user.ts'
import type { ApiServer } from '../apiserver/apiserver.ts'
import { apiAs } from './part.ts'

export const RBAC = 'rbac.authorization.k8s.io'
export const CLUSTER_ROLE_BINDINGS: Resource<ClusterRoleBinding> = {
  group: RBAC,
  version: 'v1',
  resource: 'clusterrolebindings',
  kind: 'ClusterRoleBinding',
  namespaced: false,
}

/** The user of this name may do this, and nothing else. */
export async function ensureRole(
  server: ApiServer,
  user: string,
  rules: NonNullable<ClusterRole['rules']>,
): Promise<void> {
  const api = apiAs(server, { name: 'system:apiserver', groups: [MASTERS_GROUP] }, 'kube-apiserver')
  const metadata = { name: user }
  const binding: ClusterRoleBinding = {
    metadata,
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: user },
    subjects: [{ apiGroup: RBAC, kind: 'User', name: user }],
  }
  const isThere = (error: unknown): void => {
    if (!isAlreadyExists(error)) throw error
  }
  try {
    await api.create(CLUSTER_ROLES, { metadata, rules })
  } catch (error) {
    isThere(error)
    // An older release may have written it.
    await api.patch(CLUSTER_ROLES, metadata, { rules: rules as never }, { type: 'merge' })
  }
  await api.create(CLUSTER_ROLE_BINDINGS, binding).catch(isThere)
}
