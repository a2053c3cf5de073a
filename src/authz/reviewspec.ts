// A request as the spec of a SubjectAccessReview: what webhooks are asked, and what match conditions look at.
// Follows k8s.io/apiserver/plugin/pkg/authorizer/webhook.
import type { AuthorizationAttributes } from '../machinery/attributes.ts'
import type { JsonObject } from '../machinery/json.ts'

/** Of v1. Fields without a value are left out, as on the wire. */
export function reviewSpec(attributes: AuthorizationAttributes): JsonObject {
  const { user, verb, path } = attributes
  const extra = Object.entries(user.extra ?? {}).map(([key, values]): [string, string[]] => [
    key,
    [...values],
  ])
  return {
    ...(attributes.isResourceRequest
      ? { resourceAttributes: resourceAttributes(attributes) }
      : { nonResourceAttributes: filled({ path, verb }) }),
    ...filled({ user: user.name }),
    ...(user.groups.length > 0 ? { groups: [...user.groups] } : {}),
    ...(extra.length > 0 ? { extra: Object.fromEntries(extra) } : {}),
    ...filled({ uid: user.uid ?? '' }),
  }
}

/** The same as v1beta1 has it. */
export function betaSpec({ groups, ...spec }: JsonObject): JsonObject {
  return groups === undefined ? spec : { ...spec, group: groups }
}

function resourceAttributes(attributes: AuthorizationAttributes): JsonObject {
  const { namespace, verb, group, version, resource, subresource, name } = attributes
  const fields = requirementsOf(attributes.fieldSelector)
  const labels = requirementsOf(attributes.labelSelector)
  return {
    ...filled({ namespace, verb, group, version, resource, subresource, name }),
    ...(fields.length > 0 ? { fieldSelector: { requirements: fields } } : {}),
    ...(labels.length > 0 ? { labelSelector: { requirements: labels } } : {}),
  }
}

const filled = (texts: Readonly<Record<string, string>>): JsonObject =>
  Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ''))

const OPERATORS = new Map([
  ['=', 'In'],
  ['==', 'In'],
  ['in', 'In'],
  ['!=', 'NotIn'],
  ['notin', 'NotIn'],
  ['exists', 'Exists'],
  ['!', 'DoesNotExist'],
])

/** Requirements that reviews cannot say are left out: without them, more is asked for. */
function requirementsOf(selector: AuthorizationAttributes['fieldSelector'] = []): JsonObject[] {
  return selector.flatMap(({ key, operator, values }) => {
    const shown = OPERATORS.get(operator)
    if (shown === undefined) return []
    return [{ key, operator: shown, ...(values.length > 0 ? { values: [...values] } : {}) }]
  })
}
