// OwnerReferencesPermissionEnforcement: who may not delete an object gives it no owner, and who may not finalize an owner
// does not hold its deletion up. Follows plugin/pkg/admission/gc.
import { isDeepStrictEqual } from 'node:util'
import type { AuthorizationAttributes, Authorizer, Decision } from '../../machinery/attributes.ts'
import { parseGroupVersion } from '../../machinery/gvk.ts'
import { isObject, type JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { findKind } from '../../schema/resources.ts'
import { forbid } from '../forbid.ts'
import { type AdmissionAttributes, type AdmissionPlugin, type AdmissionTarget, isFor } from '../plugin.ts'
import { PODS } from '../shapes.ts'

export class OwnerReferencesPermissionEnforcement implements AdmissionPlugin {
  readonly name = 'OwnerReferencesPermissionEnforcement'
  readonly #authorizer: Authorizer

  constructor(authorizer: Authorizer) {
    this.#authorizer = authorizer
  }

  /** The status of a pod cannot change its owners. */
  handles(target: AdmissionTarget): boolean {
    return (target.operation === 'CREATE' || target.operation === 'UPDATE') && !isFor(target, PODS, 'status')
  }

  validate(attributes: AdmissionAttributes): void | Promise<void> {
    const [now, before] = [ownersOf(attributes.object), ownersOf(attributes.old)]
    if (isDeepStrictEqual(now, before)) return
    return this.#check(attributes, now, before)
  }

  async #check(
    attributes: AdmissionAttributes,
    now: readonly JsonObject[],
    before: readonly JsonObject[],
  ): Promise<void> {
    const { resource, subresource, operation, name, namespace } = attributes
    if (operation !== 'CREATE') {
      const asked = {
        verb: 'delete',
        group: resource.group,
        version: resource.version,
        resource: resource.name,
      }
      const decided = await this.#ask(attributes, { ...asked, subresource, name, namespace })
      if (decided.decision !== 'allow') {
        throw forbid(attributes, `cannot set an ownerRef on a resource you can't delete: ${told(decided)}`)
      }
    }
    const blocking = now.filter(
      (one) => isBlocking(one) && !before.some((old) => isBlocking(old) && old['uid'] === one['uid']),
    )
    if (blocking.length === 0) return
    const all = { group: '*', version: '*', resource: '*', name: '*' }
    if ((await this.#ask(attributes, finalizing(all))).decision === 'allow') return
    for (const owner of blocking) await this.#requireOwner(attributes, owner)
  }

  async #requireOwner(attributes: AdmissionAttributes, owner: JsonObject): Promise<void> {
    const [apiVersion, kind, name] = ['apiVersion', 'kind', 'name'].map((key) => String(owner[key] ?? ''))
    const { group, version } = parseGroupVersion(apiVersion ?? '') ?? { group: '', version: '' }
    const found = findKind({ group, version, kind: kind ?? '' })
    if (!found) {
      const what = `cannot find RESTMapping for APIVersion ${apiVersion} Kind ${kind}`
      const why = `no matches for kind "${kind}" in version "${apiVersion}"`
      throw forbid(attributes, `cannot set blockOwnerDeletion in this case because ${what}: ${why}`)
    }
    const asked = { group, version, resource: found.name, name: name ?? '' }
    const namespace = found.namespaced ? attributes.namespace : ''
    const decided = await this.#ask(attributes, { ...finalizing(asked), namespace })
    if (decided.decision === 'allow') return
    const why =
      "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on"
    throw forbid(attributes, `${why}: ${told(decided)}`)
  }

  async #ask(
    { user }: AdmissionAttributes,
    asked: Omit<AuthorizationAttributes, 'user' | 'isResourceRequest' | 'path'>,
  ): Promise<Decision> {
    return this.#authorizer.authorize({ ...asked, user, isResourceRequest: true, path: '' })
  }
}

const finalizing = (of: { group: string; version: string; resource: string; name: string }) => ({
  ...of,
  verb: 'update',
  subresource: 'finalizers',
  namespace: '',
})

function ownersOf(object: KubeObject | undefined): JsonObject[] {
  const owners = object?.metadata?.['ownerReferences']
  return Array.isArray(owners) ? owners.filter(isObject) : []
}

const isBlocking = (owner: JsonObject): boolean => owner['blockOwnerDeletion'] === true

/** Upstream prints the error after the reason, where there is none, too. */
const told = ({ reason, error }: Decision): string => `${reason}, ${error ?? '<nil>'}`
