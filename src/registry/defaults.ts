// The defaults of every built-in kind and version, as they are applied when a body or a stored object is decoded.
// Stands between decoding and admission. Follows the SetDefaults functions of k8s.io/kubernetes/pkg/apis.
import type { GroupVersionKind } from '../machinery/gvk.ts'
import type { KubeObject } from '../machinery/object.ts'
import { APPS, BATCH } from './defaults/apps.ts'
import { CORE } from './defaults/core.ts'
import { type Apply, compileRules, type GroupDefaults } from './defaults/rules.ts'

const GROUPS: ReadonlyMap<string, GroupDefaults> = new Map([
  ['', CORE],
  ['apps', APPS],
  ['batch', BATCH],
])

const made = new Map<string, Apply | undefined>()

/**
 * The function that fills what a client left out of an object of this kind, in place; undefined for kinds without
 * defaults. The object must be decoded (right types, no nulls) and not frozen. Running it twice changes nothing more.
 */
export function defaultsFor(gvk: GroupVersionKind): ((object: KubeObject) => void) | undefined {
  const key = `${gvk.group}/${gvk.version}/${gvk.kind}`
  if (!made.has(key)) {
    const group = GROUPS.get(gvk.group)
    const name = `${gvk.version}/${gvk.kind}`
    const rules = group && Object.hasOwn(group, name) ? group[name]?.() : undefined
    if (!rules) return undefined
    made.set(key, compileRules(rules))
  }
  return made.get(key)
}
