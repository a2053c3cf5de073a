// What nodes may do: what the role of nodes says, and of secrets, config maps, volumes and tokens only those that pods
// which are bound to the node refer to. Follows k8s.io/kubernetes/plugin/pkg/auth/authorizer/node.
// DEVIATION: upstream keeps a graph of who refers to what; here the pods of the object's namespace are looked through when
// a node asks, which costs nothing for clusters whose nodes never do.
import type { AuthorizationAttributes, Authorizer, Decision } from '../machinery/attributes.ts'
import type { GroupResource } from '../machinery/gvk.ts'
import type { Json } from '../machinery/json.ts'
import { isObject } from '../machinery/json.ts'
import type { Lister } from '../machinery/lister.ts'
import type { KubeObject } from '../machinery/object.ts'
import { NODES_GROUP, parseNodeUsername } from '../machinery/user.ts'
import { askOf, type PolicyRule, RBAC_GROUP, type RoleObject, ruleAllows } from './policy.ts'

const CLUSTER_ROLES: GroupResource = { group: RBAC_GROUP, resource: 'clusterroles' }
/** Stands in every cluster's policy; nobody is bound to it. */
const NODE_ROLE = 'system:node'
const PODS: GroupResource = { group: '', resource: 'pods' }
const VOLUMES: GroupResource = { group: '', resource: 'persistentvolumes' }
const ATTACHMENTS: GroupResource = { group: 'storage.k8s.io', resource: 'volumeattachments' }
const SLICES: GroupResource = { group: 'resource.k8s.io', resource: 'resourceslices' }
const STATUS_WRITES: readonly string[] = ['update', 'patch']
const LEASE_NAMESPACE = 'kube-node-lease'

const ALLOWED: Decision = { decision: 'allow', reason: '' }
const NO_OPINION: Decision = { decision: 'noOpinion', reason: '' }
const no = (reason: string): Decision => ({ decision: 'noOpinion', reason })

/** Which objects pods refer to, and how: all strings under these keys, wherever in the pod they stand. */
const REFERENCES: Readonly<Record<string, readonly (readonly [holder: string, name: string])[]>> = {
  secrets: [
    ['secret', 'secretName'],
    ['secret', 'name'],
    ['secretRef', 'name'],
    ['secretKeyRef', 'name'],
    ['nodePublishSecretRef', 'name'],
    ['imagePullSecrets', 'name'],
    ['azureFile', 'secretName'],
  ],
  configmaps: [
    ['configMap', 'name'],
    ['configMapRef', 'name'],
    ['configMapKeyRef', 'name'],
  ],
  persistentvolumeclaims: [['persistentVolumeClaim', 'claimName']],
  resourceclaims: ['resourceClaims', 'resourceClaimStatuses', 'extendedResourceClaimStatus'].map(
    (holder) => [holder, 'resourceClaimName'] as const,
  ),
}

export class NodeAuthorizer implements Authorizer {
  readonly #lister: Lister

  constructor(lister: Lister) {
    this.#lister = lister
  }

  authorize(attributes: AuthorizationAttributes): Decision | Promise<Decision> {
    const { user, group, resource, isResourceRequest } = attributes
    if (!user.groups.includes(NODES_GROUP)) return NO_OPINION
    const node = parseNodeUsername(user.name)
    if (node === undefined)
      return user.name.startsWith('system:node:') ? no(`unknown node for user "${user.name}"`) : NO_OPINION
    if (isResourceRequest) {
      switch (group === '' ? resource : `${resource}.${group}`) {
        case 'secrets':
        case 'configmaps':
          return this.#readOfPods(node, attributes)
        case 'persistentvolumeclaims':
          return attributes.subresource === 'status'
            ? this.#updateStatus(node, attributes)
            : this.#get(node, attributes)
        case 'persistentvolumes':
        case 'resourceclaims.resource.k8s.io':
        case 'volumeattachments.storage.k8s.io':
          return this.#get(node, attributes)
        case 'serviceaccounts':
          return this.#serviceAccount(node, attributes)
        case 'leases.coordination.k8s.io':
          return lease(node, attributes)
        case 'csinodes.storage.k8s.io':
          return csiNode(node, attributes)
        case 'resourceslices.resource.k8s.io':
          return this.#slices(node, attributes)
        // Served in versions that are off by default.
        case 'podcertificaterequests.certificates.k8s.io':
          return NO_OPINION
        case 'nodes':
          return this.#nodes(node, attributes)
        case 'pods':
          return this.#pods(node, attributes)
      }
    }
    return this.#byRole(attributes)
  }

  #byRole(attributes: AuthorizationAttributes): Decision {
    const role = this.#lister.get(CLUSTER_ROLES, '', NODE_ROLE) as RoleObject | undefined
    const ask = askOf(attributes)
    return role?.rules?.some((rule: PolicyRule) => ruleAllows(rule, ask)) ? ALLOWED : NO_OPINION
  }

  #readOfPods(node: string, attributes: AuthorizationAttributes): Decision | Promise<Decision> {
    const { verb, subresource, namespace } = attributes
    if (verb !== 'get' && verb !== 'list' && verb !== 'watch')
      return no('can only read resources of this type')
    if (subresource !== '') return no('cannot read subresource')
    if (namespace === '') return no('can only read namespaced object of this type')
    return this.#related(node, attributes)
  }

  #get(node: string, attributes: AuthorizationAttributes): Decision | Promise<Decision> {
    if (attributes.verb !== 'get') return no('can only get individual resources of this type')
    if (attributes.subresource !== '') return no('cannot get subresource')
    return this.#related(node, attributes)
  }

  #updateStatus(node: string, attributes: AuthorizationAttributes): Decision | Promise<Decision> {
    const { verb } = attributes
    if (verb !== 'update' && verb !== 'patch') return no('can only get/update/patch this type')
    return this.#related(node, attributes)
  }

  #serviceAccount(node: string, attributes: AuthorizationAttributes): Decision | Promise<Decision> {
    const { verb, name, subresource } = attributes
    if (verb === 'get' && subresource === '') return this.#readOfPods(node, attributes)
    if (verb !== 'create' || name === '') return no('can only create tokens for individual service accounts')
    if (subresource !== 'token') return no('can only create token subresource of serviceaccount')
    return this.#related(node, attributes)
  }

  /** Reads only of its own object; what it may write of others is decided by admission (NodeRestriction). */
  #nodes(node: string, { verb, name, subresource }: AuthorizationAttributes): Decision {
    if (subresource === '' && (verb === 'get' || verb === 'list' || verb === 'watch')) {
      if (name === node) return ALLOWED
      const which = name === '' ? 'all nodes' : `'${name}'`
      return no(`node '${node}' cannot read ${which}, only its own Node object`)
    }
    const writes = subresource === '' ? ['create', 'update', 'patch'] : STATUS_WRITES
    return (subresource === '' || subresource === 'status') && writes.includes(verb) ? ALLOWED : NO_OPINION
  }

  #pods(node: string, attributes: AuthorizationAttributes): Decision | Promise<Decision> {
    const { verb, subresource, name } = attributes
    if (subresource === 'status') return STATUS_WRITES.includes(verb) ? ALLOWED : NO_OPINION
    if (subresource === 'eviction') return verb === 'create' ? ALLOWED : NO_OPINION
    if (subresource !== '') return NO_OPINION
    if (verb === 'get') return this.#related(node, attributes)
    // Only mirror pods, which admission sees to.
    if (verb === 'create' || verb === 'delete') return ALLOWED
    if (verb !== 'list' && verb !== 'watch') return NO_OPINION
    if (selects(attributes, node, 'spec.nodeName')) return ALLOWED
    if (name !== '') return this.#related(node, attributes)
    return no('can only list/watch pods with spec.nodeName field selector')
  }

  #slices(node: string, attributes: AuthorizationAttributes): Decision | Promise<Decision> {
    const { verb, subresource } = attributes
    if (subresource !== '') return no('cannot authorize ResourceSlice subresources')
    if (verb === 'create') return ALLOWED
    if (['get', 'update', 'patch', 'delete'].includes(verb)) return this.#related(node, attributes)
    if (['watch', 'list', 'deletecollection'].includes(verb)) {
      if (selects(attributes, node, 'spec.nodeName')) return ALLOWED
      return no('can only list/watch/deletecollection resourceslices with nodeName field selector')
    }
    const known = 'get, watch, list, create, update, patch, delete, deletecollection'
    return no(`only the following verbs are allowed for a ResourceSlice: ${known}`)
  }

  async #related(node: string, attributes: AuthorizationAttributes): Promise<Decision> {
    const { name, namespace, resource } = attributes
    if (name === '') return no('No Object name found')
    const needed = [PODS]
    if (resource === 'persistentvolumes' || resource === 'secrets') needed.push(VOLUMES)
    if (resource === 'volumeattachments') needed.push(ATTACHMENTS)
    if (resource === 'resourceslices') needed.push(SLICES)
    await this.#lister.ready(...needed)
    if (this.#isRelated(node, { namespace, name, resource })) return ALLOWED
    return no(`no relationship found between node '${node}' and this object`)
  }

  #isRelated(node: string, { namespace, name, resource }: Wanted): boolean {
    switch (resource) {
      case 'pods':
        return nodeOf(this.#lister.get(PODS, namespace, name)) === node
      case 'volumeattachments':
        return nodeOf(this.#lister.get(ATTACHMENTS, '', name)) === node
      case 'resourceslices':
        return nodeOf(this.#lister.get(SLICES, '', name)) === node
      case 'serviceaccounts':
        return this.#podsOn(node, namespace).some(
          (spec) => isObject(spec) && spec['serviceAccountName'] === name,
        )
      case 'persistentvolumes': {
        const claim = claimOf(this.#lister.get(VOLUMES, '', name))
        return claim !== undefined && this.#isRelated(node, { ...claim, resource: 'persistentvolumeclaims' })
      }
      default:
        return this.#isReferred(node, { namespace, name, resource })
    }
  }

  #isReferred(node: string, { namespace, name, resource }: Wanted): boolean {
    const ways = REFERENCES[resource] ?? []
    if (this.#podsOn(node, namespace).some((spec) => refersTo(spec, ways, name))) return true
    if (resource !== 'secrets') return false
    // A volume's secrets stand in it, with their namespace, or without where it is the claim's.
    return this.#lister.list(VOLUMES, '').some((volume) => {
      const claim = claimOf(volume)
      if (!claim || !mentions(volume['spec'], { namespace, name }, claim.namespace)) return false
      return this.#isRelated(node, { ...claim, resource: 'persistentvolumeclaims' })
    })
  }

  #podsOn(node: string, namespace: string): (Json | undefined)[] {
    return this.#lister
      .list(PODS, namespace)
      .flatMap((pod) => (nodeOf(pod) === node ? [pod['spec'], pod['status']] : []))
  }
}

/** Whether the request is for what has just this value in the field. */
const selects = ({ fieldSelector }: AuthorizationAttributes, value: string, field: string): boolean =>
  fieldSelector?.some(({ key, operator, values }) => {
    return key === field && operator.startsWith('=') && values.length === 1 && values[0] === value
  }) ?? false

interface Wanted {
  readonly namespace: string
  readonly name: string
  readonly resource: string
}

function nodeOf(object: KubeObject | undefined): Json | undefined {
  const spec = object?.['spec']
  return isObject(spec) ? spec['nodeName'] : undefined
}

function claimOf(volume: KubeObject | undefined): { namespace: string; name: string } | undefined {
  const spec = volume?.['spec']
  const ref = isObject(spec) ? spec['claimRef'] : undefined
  if (!isObject(ref)) return undefined
  return { namespace: String(ref['namespace'] ?? ''), name: String(ref['name'] ?? '') }
}

/** Whether any part of the value, or of a list under such a key, names the object. */
function refersTo(
  value: Json | undefined,
  ways: readonly (readonly [string, string])[],
  name: string,
): boolean {
  if (Array.isArray(value)) return value.some((item) => refersTo(item, ways, name))
  if (!isObject(value)) return false
  for (const [key, inner] of Object.entries(value)) {
    for (const [holder, field] of ways) {
      if (key !== holder) continue
      const holders = Array.isArray(inner) ? inner : [inner]
      if (holders.some((one) => isObject(one) && one[field] === name)) return true
    }
    if (typeof inner === 'object' && refersTo(inner, ways, name)) return true
  }
  return false
}

/** Whether a volume names the secret: under a key that ends so, or as that of Azure's files. */
function mentions(
  value: Json | undefined,
  secret: { readonly namespace: string; readonly name: string },
  usual: string,
): boolean {
  if (Array.isArray(value)) return value.some((item) => mentions(item, secret, usual))
  if (!isObject(value)) return false
  const isMeant = (name: Json | undefined, namespace: Json | undefined): boolean =>
    name === secret.name && (namespace || usual) === secret.namespace
  return Object.entries(value).some(([key, inner]) => {
    if (!isObject(inner)) return mentions(inner, secret, usual)
    if (/secretRef$/i.test(key) && isMeant(inner['name'], inner['namespace'])) return true
    if (key === 'azureFile' && isMeant(inner['secretName'], inner['secretNamespace'])) return true
    return mentions(inner, secret, usual)
  })
}

const OWN_VERBS = ['get', 'create', 'update', 'patch', 'delete']

function lease(node: string, { verb, namespace, name }: AuthorizationAttributes): Decision {
  if (!OWN_VERBS.includes(verb)) return no('can only get, create, update, patch, or delete a node lease')
  if (namespace !== LEASE_NAMESPACE)
    return no(`can only access leases in the "${LEASE_NAMESPACE}" system namespace`)
  if (verb !== 'create' && name !== node) {
    return no('can only access node lease with the same name as the requesting node')
  }
  return ALLOWED
}

function csiNode(node: string, { verb, name, subresource }: AuthorizationAttributes): Decision {
  if (!OWN_VERBS.includes(verb)) return no('can only get, create, update, patch, or delete a CSINode')
  if (subresource !== '') return no('cannot authorize CSINode subresources')
  if (verb !== 'create' && name !== node) {
    return no('can only access CSINode with the same name as the requesting node')
  }
  return ALLOWED
}
