// The defaults of every built-in kind and version, as they are applied when a body or a stored object is decoded.
// Stands between decoding and admission. Follows the SetDefaults functions of k8s.io/kubernetes/pkg/apis.
import type { GroupVersionKind } from '../machinery/gvk.ts'
import type { KubeObject } from '../machinery/object.ts'
import { APPS, BATCH } from './defaults/apps.ts'
import { CORE } from './defaults/core.ts'
import {
  AUTHENTICATION,
  CERTIFICATES,
  DISCOVERY,
  NETWORKING,
  RBAC,
  RESOURCE,
  SCHEDULING,
  STORAGE,
} from './defaults/others.ts'
import { ADMISSIONREGISTRATION, APIEXTENSIONS, APIREGISTRATION, FLOWCONTROL } from './defaults/policies.ts'
import { type Apply, compileRules, type GroupDefaults } from './defaults/rules.ts'
import { AUTOSCALING, POLICY } from './defaults/scaling.ts'

const GROUPS: ReadonlyMap<string, GroupDefaults> = new Map([
  ['', CORE],
  ['admissionregistration.k8s.io', ADMISSIONREGISTRATION],
  ['apiextensions.k8s.io', APIEXTENSIONS],
  ['apiregistration.k8s.io', APIREGISTRATION],
  ['apps', APPS],
  ['authentication.k8s.io', AUTHENTICATION],
  ['autoscaling', AUTOSCALING],
  ['batch', BATCH],
  ['certificates.k8s.io', CERTIFICATES],
  ['discovery.k8s.io', DISCOVERY],
  ['flowcontrol.apiserver.k8s.io', FLOWCONTROL],
  ['networking.k8s.io', NETWORKING],
  ['policy', POLICY],
  ['rbac.authorization.k8s.io', RBAC],
  ['resource.k8s.io', RESOURCE],
  ['scheduling.k8s.io', SCHEDULING],
  ['storage.k8s.io', STORAGE],
])

const compiled = new Map<string, Apply>()

/**
 * The function that fills what a client left out of an object of this kind, in place; undefined for kinds without
 * defaults. The object must be decoded (right types, no nulls) and not frozen. Running it twice changes nothing more.
 */
export function defaultsFor(gvk: GroupVersionKind): ((object: KubeObject) => void) | undefined {
  const key = `${gvk.group}/${gvk.version}/${gvk.kind}`
  const known = compiled.get(key)
  if (known) return known
  const group = GROUPS.get(gvk.group)
  const name = `${gvk.version}/${gvk.kind}`
  const rules = group && Object.hasOwn(group, name) ? group[name]?.() : undefined
  if (!rules) return undefined
  const apply = compileRules(rules)
  compiled.set(key, apply)
  return apply
}
