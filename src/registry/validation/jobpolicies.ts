// Rules of what a job does when pods fail or succeed, and of the indexes of an indexed job.
// Follows pkg/apis/batch/validation.
import { dns1123SubdomainErrors, regexError } from '../../machinery/validation.ts'
import type { Spot } from './spot.ts'

const MAX_INDEXED_PARALLELISM = 100_000
const MAX_FAILED_INDEXES = 100_000
/** Above so many completions the other numbers must be lower. */
const MANY_COMPLETIONS = 100_000
const MAX_FOR_MANY = 10_000
const MAX_RULES = 20
const MAX_EXIT_CODES = 255
const MAX_PATTERNS = 20
const MAX_INDEXES_TEXT = 64 * 1024
const MAX_MANAGER = 63

const quoted = (texts: readonly string[]): string =>
  `[${texts.map((text) => JSON.stringify(text)).join(' ')}]`

function neededOneOf(spot: Spot, supported: readonly string[]): void {
  if (spot.text) spot.oneOf(supported)
  else spot.required(`valid values: ${quoted(supported)}`)
}

function forMany(spec: Spot): void {
  const [parallelism, failed] = [spec.at('parallelism'), spec.at('maxFailedIndexes')]
  if (spec.at('completions').number <= MANY_COMPLETIONS || !spec.at('backoffLimitPerIndex').isSet) return
  const when = `when completions are above ${MANY_COMPLETIONS} and used with backoff limit per index`
  if (!failed.isSet) failed.required(`must be specified when completions is above ${MANY_COMPLETIONS}`)
  for (const spot of [parallelism, failed]) {
    if (spot.number > MAX_FOR_MANY) spot.invalid(`must be less than or equal to ${MAX_FOR_MANY} ${when}`)
  }
}

function indexed(spec: Spot): void {
  const fields = ['completions', 'parallelism', 'maxFailedIndexes'].map((name) => spec.at(name))
  const [completions, parallelism, failed] = fields as [Spot, Spot, Spot]
  if (!completions.isSet) completions.required('when completion mode is Indexed')
  if (parallelism.number > MAX_INDEXED_PARALLELISM) {
    parallelism.invalid(
      `must be less than or equal to ${MAX_INDEXED_PARALLELISM} when completion mode is Indexed`,
    )
  }
  if (completions.isSet && failed.isSet && failed.number > completions.number) {
    failed.invalid('must be less than or equal to completions')
  }
  if (failed.number > MAX_FAILED_INDEXES)
    failed.invalid(`must be less than or equal to ${MAX_FAILED_INDEXES}`)
  forMany(spec)
}

/** completionMode, and the numbers that go with it. */
export function completionMode(spec: Spot): void {
  const mode = spec.at('completionMode')
  mode.oneOfIfSet(['NonIndexed', 'Indexed'])
  if (mode.text === 'Indexed') return indexed(spec)
  if (mode.isSet && mode.text !== 'NonIndexed') return
  for (const name of ['backoffLimitPerIndex', 'maxFailedIndexes']) {
    if (spec.at(name).isSet) spec.at(name).invalid('requires indexed completion mode')
  }
}

function exitCodes(codes: Spot, containers: readonly string[]): void {
  const [operator, container, values] = [codes.at('operator'), codes.at('containerName'), codes.at('values')]
  neededOneOf(operator, ['In', 'NotIn'])
  if (container.isSet && !containers.includes(container.text)) {
    container.invalid('must be one of the container or initContainer names in the pod template')
  }
  const items = values.items()
  if (!items.length) values.invalid('at least one value is required')
  else if (items.length > MAX_EXIT_CODES) values.tooMany(MAX_EXIT_CODES)
  const seen = new Set<number>()
  for (const value of items) {
    if (operator.text === 'In' && value.number === 0) value.invalid('must not be 0 for the In operator')
    if (seen.has(value.number)) value.duplicate()
    seen.add(value.number)
  }
  if (items.some((value, i) => i > 0 && (items[i - 1] as Spot).number > value.number)) {
    values.invalid('must be ordered')
  }
}

function conditions(list: Spot): void {
  if (list.items().length > MAX_PATTERNS) list.tooMany(MAX_PATTERNS)
  for (const pattern of list.items()) {
    pattern.at('type').isQualifiedName()
    neededOneOf(pattern.at('status'), ['False', 'True', 'Unknown'])
  }
}

function failureRule(rule: Spot, spec: Spot, containers: readonly string[]): void {
  const [action, codes, patterns] = [rule.at('action'), rule.at('onExitCodes'), rule.at('onPodConditions')]
  if (action.text !== 'FailIndex') neededOneOf(action, ['Count', 'FailIndex', 'FailJob', 'Ignore'])
  else if (!spec.at('backoffLimitPerIndex').isSet)
    action.invalid('requires the backoffLimitPerIndex to be set')
  if (codes.isSet) exitCodes(codes, containers)
  conditions(patterns)
  if (codes.isSet && !patterns.isEmpty) {
    rule.refused('specifying both OnExitCodes and OnPodConditions is not supported')
  } else if (!codes.isSet && patterns.isEmpty) {
    rule.refused('specifying one of OnExitCodes and OnPodConditions is required')
  }
}

/** podFailurePolicy, and podReplacementPolicy, which it restricts. */
export function failurePolicy(spec: Spot): void {
  const rules = spec.at('podFailurePolicy').at('rules')
  const pod = spec.at('template').at('spec')
  const names = ['containers', 'initContainers'].flatMap((list) =>
    pod
      .at(list)
      .items()
      .map((container) => container.at('name').text),
  )
  if (rules.items().length > MAX_RULES) rules.tooMany(MAX_RULES)
  for (const rule of rules.items()) failureRule(rule, spec, names)
}

/** With a failure policy only failed pods are replaced. */
export function replacementPolicy(spec: Spot): void {
  const some = spec.at('podFailurePolicy').isSet
  spec.at('podReplacementPolicy').oneOfIfSet(some ? ['Failed'] : ['Failed', 'TerminatingOrFailed'])
}

const INTEGER = /^[-+]?[0-9]+$/

function intervalOf(text: string, completions: number): [number, number] | string {
  const limits = text.split('-')
  if (limits.length > 2) {
    return `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`
  }
  for (const limit of limits) {
    if (!INTEGER.test(limit)) return `cannot convert string to integer for index: ${JSON.stringify(limit)}`
    if (Number(limit) >= completions) return `too large index: ${JSON.stringify(limit)}`
  }
  const [first, last] = [Number(limits[0]), Number(limits.at(-1))]
  if (limits.length > 1 && first >= last) return `non-increasing order, previous: ${first}, current: ${last}`
  return [first, last]
}

/** How many indexes "1,3-5" names; a text says what is wrong with it. */
export function countIndexes(text: string, completions: number): number | string {
  let [total, before] = [0, -1]
  if (!text) return total
  for (const part of text.split(',')) {
    const interval = intervalOf(part, completions)
    if (typeof interval === 'string') return interval
    if (before >= interval[0]) return `non-increasing order, previous: ${before}, current: ${interval[0]}`
    total += interval[1] - interval[0] + 1
    before = interval[1]
  }
  return total
}

function successRule(rule: Spot, completions: number): void {
  const [count, indexes] = [rule.at('succeededCount'), rule.at('succeededIndexes')]
  if (!count.isSet && !indexes.isSet) {
    rule.required('at least one of succeededCount or succeededIndexes must be specified')
  }
  if (Buffer.byteLength(indexes.text) > MAX_INDEXES_TEXT) indexes.tooLong(MAX_INDEXES_TEXT)
  const total = countIndexes(indexes.text, completions)
  if (typeof total === 'string') indexes.invalid(`error parsing succeededIndexes: ${total}`)
  if (!count.isSet) return
  count.atLeast(0)
  const most = 'must be less than or equal to'
  if (count.number > completions) {
    count.invalid(`${most} ${completions} (the number of specified completions)`)
  }
  const named = typeof total === 'string' ? 0 : total
  if (indexes.isSet && count.number > named) {
    count.invalid(`${most} ${named} (the number of indexes in the specified succeededIndexes field)`)
  }
}

/** successPolicy, of indexed jobs only. */
export function successPolicy(spec: Spot): void {
  const policy = spec.at('successPolicy')
  if (!policy.isSet) return
  const rules = policy.at('rules')
  if (spec.at('completionMode').text !== 'Indexed') {
    const shown = rules.items().map((rule) => ({
      SucceededIndexes: rule.at('succeededIndexes').value ?? null,
      SucceededCount: rule.at('succeededCount').value ?? null,
    }))
    return policy.invalid('requires indexed completion mode', { Rules: rules.isSet ? shown : null })
  }
  rules.needed('at least one rules must be specified when the successPolicy is specified')
  if (rules.items().length > MAX_RULES) rules.tooMany(MAX_RULES)
  for (const rule of rules.items()) successRule(rule, spec.at('completions').number)
}

const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"
const PATH = new RegExp(`^${HTTP_PATH}$`)

/** managedBy: a path below a domain. */
export function managedBy(spot: Spot): void {
  if (!spot.isSet) return
  if (spot.needed()) {
    const slash = spot.text.indexOf('/')
    const [host, path] = [spot.text.slice(0, Math.max(0, slash)), spot.text.slice(slash + 1)]
    if (!host || !path) spot.invalid('must be a domain-prefixed path (such as "acme.io/foo")')
    else {
      for (const fault of dns1123SubdomainErrors(host)) spot.invalid(fault, host)
      if (!PATH.test(path)) spot.invalid(regexError('Invalid path', HTTP_PATH), path)
    }
  }
  if (Buffer.byteLength(spot.text) > MAX_MANAGER) spot.tooLong(MAX_MANAGER)
}
