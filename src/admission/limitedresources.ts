// The configuration of ResourceQuota: what may be used only where a quota covers it. Pure; quotacheck.ts asks it.
// Follows k8s.io/apiserver/pkg/admission/plugin/resourcequota (controller.go, config.go, apis/resourcequota).
import type { GroupResource } from '../machinery/gvk.ts'
import { ConfigReader, isOfKind } from '../machinery/configreader.ts'
import type { Json, JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { compareQuantities, newQuantity } from '../machinery/quantity.ts'
import { isInScopes, type Scope, type Usage } from '../machinery/quotausage.ts'
import { cause } from '../machinery/status.ts'

export interface LimitedResource extends GroupResource {
  /** What of an object's usage is limited: names that hold one of these. */
  readonly matchContains: readonly string[]
  readonly matchScopes: readonly Scope[]
}

const KINDS = [
  { group: 'apiserver.config.k8s.io', versions: ['v1'], kind: 'ResourceQuotaConfiguration' },
  { group: 'resourcequota.admission.k8s.io', versions: ['v1', 'v1beta1', 'v1alpha1'], kind: 'Configuration' },
]
const ZERO = newQuantity(0, 'DecimalSI')

/** Throws an Error with one line for what it cannot be. */
export function limitedResources(configuration: JsonObject): LimitedResource[] {
  if (!KINDS.some((kind) => isOfKind(configuration, kind)))
    throw new Error('ResourceQuota: no ResourceQuotaConfiguration of apiserver.config.k8s.io/v1')
  const reader = new ConfigReader()
  const root = reader.object(configuration, '', ['apiVersion', 'kind', 'limitedResources'])
  const limited = reader.list(root, 'limitedResources', '').map((item, i) => readOne(reader, item, i))
  try {
    reader.throwAny()
  } catch (error) {
    throw new Error(`ResourceQuota: ${(error as Error).message}`, { cause: error })
  }
  return limited
}

function readOne(reader: ConfigReader, item: Json, index: number): LimitedResource {
  const path = `limitedResources[${index}]`
  const given = reader.object(item, path, ['apiGroup', 'resource', 'matchContains', 'matchScopes'])
  const resource = reader.text(given, 'resource', path)
  if (resource === '') reader.add(cause.required(`${path}.resource`, ''))
  return {
    group: reader.text(given, 'apiGroup', path),
    resource,
    matchContains: reader.texts(given, 'matchContains', path),
    matchScopes: reader.list(given, 'matchScopes', path).map((scope, i) => {
      const at = `${path}.matchScopes[${i}]`
      const one = reader.object(scope, at, ['scopeName', 'operator', 'values'])
      const [scopeName, operator] = [reader.text(one, 'scopeName', at), reader.text(one, 'operator', at)]
      return { scopeName, operator, values: reader.texts(one, 'values', at) }
    }),
  }
}

/** What quotas have to cover of an object. */
export interface Limits {
  readonly names: readonly string[]
  readonly scopes: readonly Scope[]
}

export const UNLIMITED: Limits = { names: [], scopes: [] }

/** Scopes are limited whatever resource they are told with, as upstream. */
export function limitsOf(
  limited: readonly LimitedResource[],
  of: GroupResource,
  { object, usage }: { readonly object: KubeObject; readonly usage: Usage },
): Limits {
  const scopes = limited.flatMap(({ matchScopes }) =>
    matchScopes.filter((scope) => isInScopes(of, object, [scope])),
  )
  const own = limited.filter(({ group, resource }) => group === of.group && resource === of.resource)
  const used = [...usage].filter(([, amount]) => compareQuantities(amount, ZERO) > 0).map(([name]) => name)
  const names = used.filter((name) =>
    own.some(({ matchContains }) => matchContains.some((part) => name.includes(part))),
  )
  return { names, scopes }
}

/** What nothing covers, as upstream shows it. */
export const shownScopes = (scopes: readonly Scope[]): string =>
  `[${scopes.map(({ scopeName, operator, values = [] }) => `{${scopeName} ${operator} [${values.join(' ')}]}`).join(' ')}]`
