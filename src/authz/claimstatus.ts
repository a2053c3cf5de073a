// Who may write what into the status of a ResourceClaim: which devices it has and who uses them is for those who may
// write `resourceclaims/binding`, what a driver says of its devices for those who may write `resourceclaims/driver`.
// Neither is a subresource; the rights alone are.
// Follows k8s.io/kubernetes/pkg/registry/resource (utils.go) and resourceclaim/strategy.go.
import type { AuthorizationAttributes, Authorizer } from '../machinery/attributes.ts'
import type { GroupResource } from '../machinery/gvk.ts'
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { invalid, type StatusCause } from '../machinery/status.ts'
import { parseServiceAccountUsername, type UserInfo } from '../machinery/user.ts'
import { same } from './escalation.ts'
import { forbiddenFor } from './forbidden.ts'

const GROUP = 'resource.k8s.io'
const NODE_NAME = 'authentication.kubernetes.io/node-name'
/** Of a driver on the node that its token says it is on, and of anybody. */
const OWN_NODE = 'associated-node:'
const ANY_NODE = 'arbitrary-node:'

export interface ClaimStatusWrite {
  readonly user: UserInfo
  /** Of the request: "update" or "patch". */
  readonly verb: string
  readonly version: string
  readonly namespace: string
  readonly object: KubeObject
  readonly old: KubeObject | undefined
}

/** Whether `claimStatusCheck` has to be asked about writes of this resource's subresource. */
export const isClaimStatus = ({ group, resource }: GroupResource, subresource: string): boolean =>
  group === GROUP && resource === 'resourceclaims' && subresource === 'status'

/**
 * Throws a 422 with a cause for each right that is missing.
 * DEVIATION: it names no other faults of the claim, which upstream adds to these.
 */
export async function claimStatusCheck(write: ClaimStatusWrite, authorizer: Authorizer): Promise<void> {
  const [now, before] = [objectOf(write.object['status']), objectOf(write.old?.['status'])]
  const causes: StatusCause[] = []
  if (!same(now['allocation'], before['allocation']) || !same(now['reservedFor'], before['reservedFor']))
    causes.push(...(await bindingFaults(write, authorizer)))
  // Without an allocation what drivers said is dropped, whoever asks.
  if (isObject(now['allocation'])) {
    const verbs = verbsFor(write, now['allocation'])
    for (const driver of changedDrivers(now, before))
      causes.push(...(await driverFaults({ ...write, verbs, driver }, authorizer)))
  }
  if (causes.length === 0) return
  throw invalid({ group: GROUP, kind: 'ResourceClaim' }, write.object.metadata.name ?? '', causes)
}

async function bindingFaults(write: ClaimStatusWrite, authorizer: Authorizer): Promise<StatusCause[]> {
  const { verb } = write
  const why = await refusal({ ...attributesOf(write), verb, subresource: 'binding' }, authorizer)
  if (why === undefined) return []
  const needed = `changing status.allocation or status.reservedFor requires resource="resourceclaims/binding", verb="${verb}"`
  return [fault('status.allocation', `${needed} permission: ${why}`)]
}

interface DriverWrite extends ClaimStatusWrite {
  /** One of these is enough. */
  readonly verbs: readonly string[]
  readonly driver: string
}

async function driverFaults(write: DriverWrite, authorizer: Authorizer): Promise<StatusCause[]> {
  const { verbs, driver, namespace } = write
  let first: string | undefined
  for (const verb of verbs) {
    const asked = { ...attributesOf(write), verb, subresource: 'driver', namespace, name: driver }
    const why = await refusal(asked, authorizer)
    if (why === undefined) return []
    first ??= why
  }
  const needed = `changing status.devices requires resource="resourceclaims/driver", verb="[${verbs.join(' ')}]"`
  return [fault('status.devices', `${needed} permission: ${first}`)]
}

const attributesOf = ({ user, version }: ClaimStatusWrite): Omit<AuthorizationAttributes, 'verb'> => ({
  user,
  isResourceRequest: true,
  path: '',
  group: GROUP,
  version,
  resource: 'resourceclaims',
  subresource: '',
  namespace: '',
  name: '',
})

/** undefined: allowed. */
async function refusal(
  attributes: AuthorizationAttributes,
  authorizer: Authorizer,
): Promise<string | undefined> {
  const { decision, reason, error } = await authorizer.authorize(attributes)
  if (decision === 'allow') return undefined
  return forbiddenFor(attributes, [error, reason].filter(Boolean).join(': ')).message
}

const fault = (field: string, message: string): StatusCause => ({
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${message}`,
  field,
})

function verbsFor({ user, verb }: ClaimStatusWrite, allocation: JsonObject): string[] {
  const nodes = user.extra?.[NODE_NAME] ?? []
  const isOwn =
    parseServiceAccountUsername(user.name) !== undefined &&
    nodes.length === 1 &&
    nodes[0] === nodeOf(allocation)
  return [...(isOwn ? [OWN_NODE + verb] : []), ANY_NODE + verb]
}

/** The node whose name alone the allocation asks for. */
function nodeOf({ nodeSelector }: JsonObject): string | undefined {
  const terms = listOf(objectOf(nodeSelector)['nodeSelectorTerms'])
  const [term] = terms
  if (terms.length !== 1 || !term || listOf(term['matchExpressions']).length > 0) return undefined
  const fields = listOf(term['matchFields'])
  const [field] = fields
  const values = field?.['values']
  if (fields.length !== 1 || field?.['key'] !== 'metadata.name' || field['operator'] !== 'In')
    return undefined
  return Array.isArray(values) && values.length === 1 && values[0] !== '' ? String(values[0]) : undefined
}

/** Those of whose devices something was added, changed or taken away, in order. */
function changedDrivers(now: JsonObject, before: JsonObject): string[] {
  const rest = new Map(listOf(before['devices']).map((device) => [keyOf(device), device]))
  const changed = new Set<string>()
  for (const device of listOf(now['devices'])) {
    const key = keyOf(device)
    if (!same(device, rest.get(key))) changed.add(String(device['driver'] ?? ''))
    rest.delete(key)
  }
  for (const device of rest.values()) changed.add(String(device['driver'] ?? ''))
  return [...changed].sort()
}

const keyOf = ({ driver, pool, device, shareID }: JsonObject): string =>
  JSON.stringify([driver, pool, device, shareID ?? ''])

const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})
const listOf = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])
