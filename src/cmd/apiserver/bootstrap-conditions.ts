// What upstream's own controllers inside kube-apiserver say of objects: whether the priority level of a flow schema is
// there, for those of the start, and that the range of services is ready.
// Follows k8s.io/apiserver/pkg/util/flowcontrol and pkg/controlplane/controller/defaultservicecidr.
import type { Scopes } from '../../handlers/scope.ts'
import { isObject, type JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { applyCondition, type Condition, scopeOf } from './internal.ts'

export const FLOW_MANAGER = 'api-priority-and-fairness-config-consumer-v1'
const RANGE_MANAGER = 'kubernetes-service-cidr-controller'

/** Gives each of these objects its condition, unless it has one of that type. */
export async function ensureConditions(scopes: Scopes, objects: readonly KubeObject[]): Promise<void> {
  await Promise.all(
    objects.map(async (object) => {
      const known = conditionOf(object)
      if (!known) return
      const stored = scopeOf(scopes, object)
        .cache.index.get('', object.metadata.name ?? '')
        ?.object()
      if (!stored || has(stored, known.condition.type)) return
      await applyCondition(scopes, object, known.manager, known.condition)
    }),
  )
}

function conditionOf(object: KubeObject): { manager: string; condition: Condition } | undefined {
  if (object.kind === 'ServiceCIDR') {
    const message = 'Kubernetes default Service CIDR is ready'
    return { manager: RANGE_MANAGER, condition: { type: 'Ready', status: 'True', reason: '', message } }
  }
  if (object.kind !== 'FlowSchema') return undefined
  return { manager: FLOW_MANAGER, condition: dangling(levelOf(object), true) }
}

function has(object: KubeObject, type: string): boolean {
  const { status } = object
  const conditions = isObject(status) ? status['conditions'] : undefined
  return Array.isArray(conditions) && conditions.some((one) => isObject(one) && one['type'] === type)
}

const levelOf = (schema: KubeObject): string =>
  ((schema['spec'] as JsonObject)['priorityLevelConfiguration'] as JsonObject)['name'] as string

/** What is said of a flow schema whose level is there, or is not. */
export function dangling(level: string, exists: boolean): Condition {
  const references = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)}`
  return exists
    ? { type: 'Dangling', status: 'False', reason: 'Found', message: `${references} and it exists` }
    : {
        type: 'Dangling',
        status: 'True',
        reason: 'NotFound',
        message: `${references} but there is no such object`,
      }
}
