// Flow schemas and priority levels as the rest of this room reads them, out of the objects that clients write. Objects
// that contradict themselves are passed over, as if they were not there.
// Follows k8s.io/api/flowcontrol/v1 and queueSetCompleterForPL in k8s.io/apiserver/pkg/util/flowcontrol.
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'

export const EXEMPT = 'exempt'
export const CATCH_ALL = 'catch-all'

/** How requests of a level wait. */
export interface Queuing {
  /** Below 0: exempt from any limit; 0: what finds no seat is refused at once. */
  readonly queues: number
  readonly queueLengthLimit: number
  readonly handSize: number
}

export interface LevelSpec {
  readonly name: string
  readonly uid: string
  readonly isExempt: boolean
  readonly shares: number
  readonly lendablePercent: number
  /** undefined: as much as all of the server has. */
  readonly borrowingLimitPercent: number | undefined
  readonly queuing: Queuing
}

export type Distinguisher = 'ByUser' | 'ByNamespace' | ''

export interface SchemaSpec {
  readonly name: string
  readonly uid: string
  readonly level: string
  readonly precedence: number
  readonly distinguisher: Distinguisher
  readonly rules: readonly Rule[]
}

export interface Rule {
  readonly subjects: readonly Subject[]
  readonly resources: readonly ResourceRule[]
  readonly nonResources: readonly NonResourceRule[]
}

export interface Subject {
  readonly kind: 'User' | 'Group' | 'ServiceAccount'
  /** Of a service account. */
  readonly namespace: string
  readonly name: string
}

export interface ResourceRule {
  readonly verbs: readonly string[]
  readonly groups: readonly string[]
  readonly resources: readonly string[]
  readonly namespaces: readonly string[]
  readonly clusterScope: boolean
}

export interface NonResourceRule {
  readonly verbs: readonly string[]
  readonly urls: readonly string[]
}

const UNLIMITED: Queuing = { queues: -1, queueLengthLimit: 0, handSize: 0 }
const REFUSING: Queuing = { queues: 0, queueLengthLimit: 0, handSize: 0 }

/** undefined for a level that is broken. */
export function levelSpecOf(object: KubeObject): LevelSpec | undefined {
  const { name = '', uid = '' } = object.metadata
  const spec = objectOf(object['spec'])
  const { type } = spec
  const isExempt = type === 'Exempt'
  const own = isObject(spec['limited']) ? spec['limited'] : spec['exempt']
  if (isExempt !== (name === EXEMPT) || isExempt !== isObject(spec['exempt']) || !isObject(own))
    return undefined
  if ((type === 'Limited') !== isObject(spec['limited'])) return undefined
  const queuing = isExempt ? UNLIMITED : queuingOf(objectOf(own['limitResponse']))
  if (!queuing) return undefined
  return {
    name,
    uid,
    isExempt,
    shares: numberOf(own['nominalConcurrencyShares']) ?? 0,
    lendablePercent: numberOf(own['lendablePercent']) ?? 0,
    borrowingLimitPercent: isExempt ? undefined : numberOf(own['borrowingLimitPercent']),
    queuing,
  }
}

function queuingOf({ type, queuing }: JsonObject): Queuing | undefined {
  if ((type === 'Reject') !== !isObject(queuing)) return undefined
  if (!isObject(queuing)) return REFUSING
  const queues = numberOf(queuing['queues']) ?? 0
  const handSize = numberOf(queuing['handSize']) ?? 0
  if (queues < 1) return REFUSING
  if (handSize < 1 || handSize > queues) return undefined
  return { queues, handSize, queueLengthLimit: numberOf(queuing['queueLengthLimit']) ?? 0 }
}

export function schemaSpecOf(object: KubeObject): SchemaSpec {
  const { name = '', uid = '' } = object.metadata
  const spec = objectOf(object['spec'])
  const method = objectOf(spec['distinguisherMethod'])['type']
  return {
    name,
    uid,
    level: textOf(objectOf(spec['priorityLevelConfiguration'])['name']),
    precedence: numberOf(spec['matchingPrecedence']) ?? 0,
    distinguisher: method === 'ByUser' || method === 'ByNamespace' ? method : '',
    rules: objectsOf(spec['rules']).map(ruleOf),
  }
}

function ruleOf(rule: JsonObject): Rule {
  return {
    subjects: objectsOf(rule['subjects']).flatMap(subjectOf),
    resources: objectsOf(rule['resourceRules']).map((one) => ({
      verbs: textsOf(one['verbs']),
      groups: textsOf(one['apiGroups']),
      resources: textsOf(one['resources']),
      namespaces: textsOf(one['namespaces']),
      clusterScope: one['clusterScope'] === true,
    })),
    nonResources: objectsOf(rule['nonResourceRules']).map((one) => ({
      verbs: textsOf(one['verbs']),
      urls: textsOf(one['nonResourceURLs']),
    })),
  }
}

function subjectOf({ kind, user, group, serviceAccount }: JsonObject): Subject[] {
  if (kind === 'User' && isObject(user)) return [{ kind, namespace: '', name: textOf(user['name']) }]
  if (kind === 'Group' && isObject(group)) return [{ kind, namespace: '', name: textOf(group['name']) }]
  if (kind !== 'ServiceAccount' || !isObject(serviceAccount)) return []
  return [{ kind, namespace: textOf(serviceAccount['namespace']), name: textOf(serviceAccount['name']) }]
}

const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})
const objectsOf = (value: Json | undefined): JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : []
const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
const textsOf = (value: Json | undefined): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
const numberOf = (value: Json | undefined): number | undefined =>
  typeof value === 'number' ? value : undefined
