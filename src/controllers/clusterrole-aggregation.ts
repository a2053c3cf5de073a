// Roles that are made of others have all their rules. Follows k8s.io/kubernetes/pkg/controller/clusterroleaggregation.
import { type Controller, type ControllerContext, queueOf, work } from '../client/controller.ts'
import type { ClusterRole, PolicyRule } from '../client/kinds/rbac.v1.gen.ts'
import { CLUSTER_ROLES } from '../client/resources.ts'
import type { Json } from '../machinery/json.ts'
import { selectorOfObject } from '../machinery/labels.ts'

const NAME = 'clusterrole-aggregation-controller'
const WORKERS = 5

/** The rules of all that are selected, each once, in the order of selectors and names. */
export function aggregatedRules(role: ClusterRole, roles: readonly ClusterRole[]): PolicyRule[] {
  const rules = new Map<string, PolicyRule>()
  const byName = [...roles].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
  for (const selector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const selects = selectorOfObject(selector)
    for (const { metadata, rules: own } of byName) {
      if (metadata.name === role.metadata.name || !selects.matches(metadata.labels ?? {})) continue
      for (const rule of own ?? []) {
        const key = textOf(rule)
        if (!rules.has(key)) rules.set(key, rule)
      }
    }
  }
  return [...rules.values()]
}

const textOf = ({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: PolicyRule): string =>
  JSON.stringify([verbs, apiGroups ?? [], resources ?? [], resourceNames ?? [], nonResourceURLs ?? []])

export function clusterRoleAggregation(context: ControllerContext): Controller {
  const { api, informers, log } = context
  const queue = queueOf(context, 'ClusterRoleAggregator')
  const roles = informers.of(CLUSTER_ROLES)
  // Roles are few, and which one needs which is not known without looking.
  const seeAll = (): void => {
    for (const { metadata, aggregationRule } of roles.reader.list())
      if (aggregationRule) queue.add(metadata.name ?? '')
  }
  roles.handle({ added: seeAll, updated: seeAll, deleted: seeAll })
  const reconcile = async (name: string): Promise<void> => {
    const role = roles.reader.get(name)
    if (!role?.aggregationRule) return
    const rules = aggregatedRules(role, roles.reader.list())
    if (JSON.stringify(rules.map(textOf)) === JSON.stringify((role.rules ?? []).map(textOf))) return
    const body = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name },
      rules: rules as unknown as Json,
    }
    await api.patch(CLUSTER_ROLES, { name }, body, { type: 'apply', force: true, fieldManager: NAME })
  }
  return {
    name: NAME,
    run: (signal) => work({ name: NAME, queue, workers: WORKERS, reconcile, log }, signal),
  }
}
