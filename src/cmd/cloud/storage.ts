// What a cluster with the local cloud starts with, so that claims get volumes: a default class, and its provisioner's right
// to make them, by upstream's own role. Who takes the class away has it back at the next start.
import { isAlreadyExists } from '../../client/api.ts'
import type { StorageClass } from '../../client/kinds/storage.v1.gen.ts'
import { STORAGE_CLASSES } from '../../client/resources.ts'
import { PROVISIONER } from '../../cloud/local/storage.ts'
import { MASTERS_GROUP } from '../../machinery/user.ts'
import type { ApiServer } from '../apiserver/apiserver.ts'
import { apiAs } from '../parts/part.ts'
import { CLUSTER_ROLE_BINDINGS, RBAC } from '../parts/role.ts'

/** The service account of kube-system that provisions. */
export const PROVISIONER_USER = 'volume-provisioner'

const CLASS: StorageClass = {
  metadata: {
    name: 'standard',
    annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
  },
  provisioner: PROVISIONER,
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'WaitForFirstConsumer',
}

const BINDING = {
  metadata: { name: `dinghy:${PROVISIONER_USER}` },
  roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'system:persistent-volume-provisioner' },
  subjects: [{ kind: 'ServiceAccount', name: PROVISIONER_USER, namespace: 'kube-system' }],
}

export async function ensureStorage(server: ApiServer): Promise<void> {
  const api = apiAs(server, { name: 'system:apiserver', groups: [MASTERS_GROUP] }, 'kube-apiserver')
  const isThere = (error: unknown): void => {
    if (!isAlreadyExists(error)) throw error
  }
  await api.create(STORAGE_CLASSES, CLASS).catch(isThere)
  await api.create(CLUSTER_ROLE_BINDINGS, BINDING).catch(isThere)
}
