// A lister over objects in memory, and short ways to write RBAC's objects: for tests.
import type { AuthorizationAttributes } from '../machinery/attributes.ts'
import type { GroupResource } from '../machinery/gvk.ts'
import type { Lister } from '../machinery/lister.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { UserInfo } from '../machinery/user.ts'
import type { BindingObject, PolicyRule, RoleObject, Subject } from './policy.ts'

/** Counts its reads, so that tests can tell what a decision looked at. */
export class MemoryLister implements Lister {
  readonly #objects = new Map<string, KubeObject>()
  #version = 0
  lists = 0

  put(...objects: KubeObject[]): this {
    for (const object of objects) {
      const { namespace = '', name = '' } = object.metadata
      this.#objects.set(`${String(object.kind).toLowerCase()}s/${namespace}/${name}`, object)
    }
    this.#version++
    return this
  }

  remove(object: KubeObject): void {
    const { namespace = '', name = '' } = object.metadata
    this.#objects.delete(`${String(object.kind).toLowerCase()}s/${namespace}/${name}`)
    this.#version++
  }

  ready(): Promise<void> {
    return Promise.resolve()
  }

  get(resource: GroupResource, namespace: string, name: string): KubeObject | undefined {
    return this.#objects.get(`${resource.resource}/${namespace}/${name}`)
  }

  list(resource: GroupResource, namespace: string): readonly KubeObject[] {
    this.lists++
    const prefix = namespace === '' ? `${resource.resource}/` : `${resource.resource}/${namespace}/`
    return [...this.#objects].filter(([key]) => key.startsWith(prefix)).map(([, object]) => object)
  }

  version(): number {
    return this.#version
  }
}

/** Verbs and resources of the core group, with commas between; `more` replaces or adds fields. */
export const rule = (verbs: string, resources: string, more: PolicyRule = {}): PolicyRule => ({
  apiGroups: [''],
  resources: resources.split(','),
  verbs: verbs.split(','),
  ...more,
})

export const role = (namespace: string, name: string, ...rules: PolicyRule[]): RoleObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: namespace === '' ? 'ClusterRole' : 'Role',
  metadata: namespace === '' ? { name } : { name, namespace },
  rules,
})

/** `ref` is "Role/name" or "ClusterRole/name"; subjects are "User/name", "Group/name" or "ServiceAccount/ns/name". */
export const binding = (
  namespace: string,
  name: string,
  ref: string,
  ...subjects: string[]
): BindingObject => {
  const [kind = '', role = ''] = ref.split('/')
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: namespace === '' ? { name } : { name, namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: role },
    subjects: subjects.map(subject),
  }
}

function subject(text: string): Subject {
  const [kind = '', ...names] = text.split('/')
  if (kind !== 'ServiceAccount') return { kind, apiGroup: 'rbac.authorization.k8s.io', name: names.join('/') }
  const [namespace = '', name = ''] = names
  return namespace === '' ? { kind, name } : { kind, namespace, name }
}

export const user = (name: string, ...groups: string[]): UserInfo => ({ name, groups })

/** A request for a resource of the core group. */
export const request = (
  who: UserInfo,
  verb: string,
  resource: string,
  more: Partial<AuthorizationAttributes> = {},
): AuthorizationAttributes => ({
  user: who,
  verb,
  isResourceRequest: true,
  path: '',
  group: '',
  version: 'v1',
  resource,
  subresource: '',
  namespace: '',
  name: '',
  ...more,
})

/** A request for a path that is no resource. */
export const pathRequest = (who: UserInfo, verb: string, path: string): AuthorizationAttributes =>
  request(who, verb, '', { isResourceRequest: false, path, version: '' })
