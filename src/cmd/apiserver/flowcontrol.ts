// Flow schemas and priority levels in the store: those that every cluster starts with are made and kept, what is there
// takes effect in this server as soon as it changes, and each schema is told whether its level is there.
// Follows k8s.io/kubernetes/pkg/registry/flowcontrol/rest and k8s.io/apiserver/pkg/util/flowcontrol.
import { flowControlObjects } from '../../fairness/bootstrap.ts'
import type { Fairness } from '../../fairness/fairness.ts'
import { CATCH_ALL, EXEMPT, schemaSpecOf } from '../../fairness/spec.ts'
import { isForgotten, revised } from '../../fairness/upkeep.ts'
import type { Scope, Scopes } from '../../handlers/scope.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { StatusError } from '../../machinery/status.ts'
import { findResource } from '../../schema/resources.ts'
import { dangling, FLOW_MANAGER } from './bootstrap-conditions.ts'
import { applyCondition, hasCondition, removeInternal, scopeOf, writeInternal } from './internal.ts'

const GROUP = 'flowcontrol.apiserver.k8s.io'
/** Who makes and keeps the objects, as their managed fields say. */
export const FLOW_PRODUCER = 'api-priority-and-fairness-config-producer-v1'

/** Makes what is missing of the objects of the start, and puts right what this server may. */
export async function keepFlowControlObjects(scopes: Scopes): Promise<void> {
  const wanted = flowControlObjects()
  for (const object of wanted) {
    const scope = scopeOf(scopes, object)
    await scope.cache.fresh()
    const stored = scope.cache.index.get('', object.metadata.name ?? '')?.object()
    if (!stored) await writeInternal(scopes, object, 'create', FLOW_PRODUCER)
    else {
      const revision = revised(stored, scope.decode(structuredClone(object)).object)
      if (revision) await writeInternal(scopes, revision, 'update', FLOW_PRODUCER)
    }
  }
  for (const kind of ['FlowSchema', 'PriorityLevelConfiguration']) {
    const known = wanted.filter((object) => object.kind === kind)
    const scope = scopeOf(scopes, known[0] as KubeObject)
    for (const object of objectsOf(scope)) {
      const { name = '', uid = '' } = object.metadata
      if (isForgotten(object, known)) await removeInternal(scope, '', name, uid)
    }
  }
}

const objectsOf = (scope: Scope): KubeObject[] =>
  scope.cache.index.entries(undefined).map((entry) => entry.object())

/** Of one schema's condition in a minute: servers that do not agree take turns no faster. */
const MAX_UPDATES = 6
const UPDATES_MS = 60_000

/**
 * Hands what is stored to `fairness` (undefined: nobody asks) as it comes, changes and goes, and keeps the condition of
 * every flow schema true. Answers how to stop.
 */
export function followFlowControl(
  scopes: Scopes,
  fairness: Fairness | undefined,
  failed: (error: unknown) => void,
): () => void {
  const schemas = scopeNamed(scopes, 'flowschemas')
  const levels = scopeNamed(scopes, 'prioritylevelconfigurations')
  const updates = new Map<string, number[]>()
  let pending: Promise<void> | undefined
  let again = false
  let stopped = false
  const look = async (): Promise<void> => {
    await Promise.all([schemas.cache.ready(), levels.cache.ready()])
    if (stopped) return
    const all = objectsOf(schemas)
    fairness?.digest(objectsOf(levels), all)
    for (const schema of all) {
      const { level } = schemaSpecOf(schema)
      const exists =
        level === EXEMPT || level === CATCH_ALL || levels.cache.index.get('', level) !== undefined
      const condition = dangling(level, exists)
      if (!stopped && !hasCondition(schema, condition) && mayUpdate(updates, schema.metadata.name ?? ''))
        await unlessGone(applyCondition(scopes, schema, FLOW_MANAGER, condition))
    }
  }
  /** One look at a time; what changes meanwhile is looked at after it. */
  const changed = (): void => {
    again = true
    pending ??= (async () => {
      while (again && !stopped) {
        again = false
        await look().catch(failed)
      }
      pending = undefined
    })()
  }
  const unsubscribe = [schemas.cache.subscribe(changed), levels.cache.subscribe(changed)]
  changed()
  return () => {
    stopped = true
    for (const end of unsubscribe) end()
  }
}

/** Notes an update; false where there were too many of late. */
function mayUpdate(updates: Map<string, number[]>, name: string): boolean {
  const now = performance.now()
  for (const [key, times] of updates) if (times.every((at) => now - at > UPDATES_MS)) updates.delete(key)
  const recent = (updates.get(name) ?? []).filter((at) => now - at <= UPDATES_MS)
  if (recent.length >= MAX_UPDATES) return false
  updates.set(name, [...recent, now])
  return true
}

const scopeNamed = (scopes: Scopes, name: string): Scope => {
  const resource = findResource(GROUP, 'v1', name)
  if (!resource) throw new Error(`nothing serves ${name}`)
  return scopes.of(resource)
}

/** A schema that has gone needs no condition. */
async function unlessGone(applied: Promise<void>): Promise<void> {
  try {
    await applied
  } catch (error) {
    if (!(error instanceof StatusError) || error.reason !== 'NotFound') throw error
  }
}
