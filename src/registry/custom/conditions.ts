// What the server says of a definition: which of its names are accepted, whether it is established, whether a group of
// Kubernetes' own is approved. Pure: from the definition and its group's accepted names to the status it should have.
// Follows k8s.io/apiextensions-apiserver/pkg/controller (status, establish, apiapproval).
import { aggregate } from '../../machinery/aggregate.ts'
import { isObject, type JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { semanticEqual } from '../equality.ts'
import { timeText } from '../generic.ts'
import { objectAt, objectsAt } from '../reading.ts'
import { conditionOf, type Names, namesOf } from './definition.ts'
import { approvalOf, isProtectedGroup } from './approval.ts'

/** Names that other definitions of the group have. */
export interface TakenNames {
  readonly resources: ReadonlySet<string>
  readonly kinds: ReadonlySet<string>
}

/** The names that other definitions hold. */
export function takenNames(others: Iterable<Names>): TakenNames {
  const resources = new Set<string>()
  const kinds = new Set<string>()
  for (const names of others) {
    for (const name of [names.plural, names.singular, ...names.shortNames]) resources.add(name)
    kinds.add(names.kind).add(names.listKind)
  }
  return { resources, kinds }
}

interface Condition extends JsonObject {
  type: string
  status: string
  reason: string
  message: string
}

/** What the status is made of, beside the definition. */
export interface StatusFacts {
  readonly taken: TakenNames
  /** Why its schemas are not structural; see unstructured.ts. */
  readonly violations: string | undefined
  readonly now: Date
}

/** The definition with the status that it should have, the rest shared; undefined where it has it. */
export function withStatus(
  object: KubeObject,
  { taken, violations, now }: StatusFacts,
): KubeObject | undefined {
  const status = objectAt(object['status'])
  const spec = objectAt(object['spec'])
  const before = objectAt(status['acceptedNames'])
  const { accepted, condition } = accept(objectAt(spec['names']), before, taken)
  const conditions = [condition]
  const isEstablished = conditionOf(object, 'Established')?.['status'] === 'True'
  if (!isEstablished) conditions.push(condition.status === 'True' ? ESTABLISHED : NOT_ACCEPTED)
  const approval = approvalOf(object)
  if (isProtectedGroup(spec['group']) && approval) {
    conditions.push({ type: 'KubernetesAPIApprovalPolicyConformant', ...approval })
  }
  if (violations !== undefined) {
    conditions.push({ type: NON_STRUCTURAL, status: 'True', reason: 'Violations', message: violations })
  }
  const known = objectsAt(status['conditions'])
  const left = violations === undefined ? known.filter(({ type }) => type !== NON_STRUCTURAL) : known
  const changed = mergeConditions(left, conditions, timeText(now))
  const merged = changed ?? (left.length < known.length ? [...left] : undefined)
  if (semanticEqual(before, accepted) && merged === undefined) return undefined
  const next: KubeObject = { ...object, metadata: { ...object.metadata } }
  next['status'] = {
    ...objectAt(next['status']),
    conditions: merged ?? objectAt(next['status'])['conditions'] ?? null,
    acceptedNames: accepted,
  }
  return next
}

/** Only definitions have it that were stored before schemas had to be structural. */
const NON_STRUCTURAL = 'NonStructuralSchema'

const ESTABLISHED: Condition = {
  type: 'Established',
  status: 'True',
  reason: 'InitialNamesAccepted',
  message: 'the initial names have been accepted',
}
const NOT_ACCEPTED: Condition = {
  type: 'Established',
  status: 'False',
  reason: 'NotAccepted',
  message: 'not all names are accepted',
}

/** The conditions with these in them; undefined where they say so already. */
export function mergeConditions(
  before: readonly JsonObject[],
  wanted: readonly Condition[],
  time: string,
): JsonObject[] | undefined {
  let merged: JsonObject[] | undefined
  for (const condition of wanted) {
    const list = merged ?? before
    const at = list.findIndex(({ type }) => type === condition.type)
    const known = list[at]
    if (known && (['status', 'reason', 'message'] as const).every((key) => known[key] === condition[key]))
      continue
    const since = known?.['status'] === condition.status ? known['lastTransitionTime'] : time
    merged = [...list]
    merged[at < 0 ? merged.length : at] = { ...condition, lastTransitionTime: since ?? time }
  }
  return merged
}

interface Accepted {
  readonly accepted: JsonObject
  readonly condition: Condition
}

/** What is new and taken by others is refused; what was accepted stays. */
function accept(wanted: JsonObject, before: JsonObject, taken: TakenNames): Accepted {
  const asked = namesOf(wanted)
  const had = namesOf(before)
  const accepted: JsonObject = { ...before }
  let conflict: { reason: string; message: string } | undefined
  const check = (key: 'plural' | 'singular' | 'kind' | 'listKind', names: ReadonlySet<string>): void => {
    if (asked[key] === had[key] || !names.has(asked[key])) {
      if (asked[key] !== '') accepted[key] = asked[key]
    } else conflict = { reason: `${titled(key)}Conflict`, message: inUse(asked[key]) }
  }
  check('plural', taken.resources)
  check('singular', taken.resources)
  const short = shortNameFaults(asked, had, taken)
  if (short) conflict = { reason: 'ShortNamesConflict', message: short }
  else setList(accepted, 'shortNames', asked.shortNames)
  check('kind', taken.kinds)
  check('listKind', taken.kinds)
  setList(accepted, 'categories', asked.categories)
  const condition: Condition = conflict
    ? { type: 'NamesAccepted', status: 'False', ...conflict }
    : { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
  return { accepted, condition }
}

const titled = (key: string): string => (key[0] as string).toUpperCase() + key.slice(1)
const inUse = (name: string): string => `${JSON.stringify(name)} is already in use`

function setList(names: JsonObject, key: string, list: readonly string[]): void {
  if (list.length) names[key] = [...list]
  else delete names[key]
}

function shortNameFaults(asked: Names, had: Names, taken: TakenNames): string | undefined {
  const faults = asked.shortNames.filter(
    (name) => !had.shortNames.includes(name) && taken.resources.has(name),
  )
  return faults.length ? aggregate(faults.map(inUse)) : undefined
}

/** The definition on its way out, with what is said of its objects; undefined where it says so already. */
export function withTerminating(
  object: KubeObject,
  condition: Omit<Condition, 'type'>,
  now: Date,
): KubeObject | undefined {
  const status = isObject(object['status']) ? object['status'] : {}
  const wanted = { type: 'Terminating', ...condition } as Condition
  const merged = mergeConditions(objectsAt(status['conditions']), [wanted], timeText(now))
  if (!merged) return undefined
  return {
    ...object,
    metadata: { ...object.metadata },
    status: { ...status, conditions: merged },
  }
}
