// The objects that a binding gives its policy as parameters. Follows CollectParams of
// k8s.io/apiserver/pkg/admission/plugin/policy/generic/policy_dispatcher.go.
import { parseGroupVersion } from '../../machinery/gvk.ts'
import { selectorOfObject } from '../../machinery/labels.ts'
import type { Lister } from '../../machinery/lister.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { Resource } from '../../schema/resource.ts'
import type { PolicyNeeds } from './needs.ts'
import type { Binding, ParamRef, Policy } from './policy.ts'

/** A policy or binding that cannot be used as it is: its message is upstream's. */
export class ConfigurationFault extends Error {}

/** The parameters to evaluate the policy with, one after the other; undefined stands for none. Throws a ConfigurationFault. */
export async function paramsOf(
  { paramKind }: Policy,
  { paramRef }: Binding,
  where: { readonly needs: PolicyNeeds; readonly lister: Lister; readonly namespace: string },
): Promise<readonly (KubeObject | undefined)[]> {
  if (!paramKind || !paramRef) return [undefined]
  const { needs, lister } = where
  const resource = needs.resourceOf(paramKind.apiVersion, paramKind.kind)
  if (!resource) throw new ConfigurationFault(`paramKind kind \`${shown(paramKind)}\` not known`)
  const namespace = namespaceOf(resource, paramRef, where.namespace)
  const stored = { group: resource.group, resource: resource.name }
  await lister.ready(stored)
  const found = chosen(lister, stored, namespace, paramRef)
  if (found.length === 0 && paramRef.parameterNotFoundAction === 'Deny') {
    throw new ConfigurationFault('no params found for policy binding with `Deny` parameterNotFoundAction')
  }
  return Promise.all(
    found.map((param) => needs.forms.shown(param, { resource, subresource: '', owned: false })),
  )
}

/** Why no policy of this kind of parameters can work; undefined where one can. */
export function paramKindFault({ paramKind }: Policy, needs: PolicyNeeds): string | undefined {
  if (!paramKind || needs.resourceOf(paramKind.apiVersion, paramKind.kind)) return undefined
  return `failed to find resource referenced by paramKind: '${shown(paramKind)}'`
}

function shown({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): string {
  const { group = '', version = '' } = parseGroupVersion(apiVersion) ?? {}
  return `${group}/${version}, Kind=${kind}`
}

function namespaceOf(resource: Resource, ref: ParamRef, requested: string): string {
  if (!resource.namespaced) {
    if (!ref.namespace) return ''
    throw new ConfigurationFault('paramRef.namespace must not be provided for a cluster-scoped `paramKind`')
  }
  const namespace = ref.namespace || requested
  if (namespace) return namespace
  throw new ConfigurationFault(
    'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources',
  )
}

function chosen(
  lister: Lister,
  resource: { readonly group: string; readonly resource: string },
  namespace: string,
  { name, selector }: ParamRef,
): readonly KubeObject[] {
  if (name) {
    const found = lister.get(resource, namespace, name)
    return found ? [found] : []
  }
  const wanted = selectorOfObject(selector ?? {})
  return lister
    .list(resource, namespace)
    .filter((object) => wanted.matches((object.metadata.labels ?? {}) as Record<string, string>))
}
