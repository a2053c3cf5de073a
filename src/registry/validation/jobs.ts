// Rules of jobs and cron jobs.
// Follows pkg/apis/batch/validation.
import type { Json, JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { StatusCause } from '../../machinery/status.ts'
import { dns1123LabelErrors } from '../../machinery/validation.ts'
import { numberAt, objectAt, objectsAt, present, textAt } from '../reading.ts'
import type { WriteContext } from '../strategy.ts'
import {
  completionMode,
  countIndexes,
  failurePolicy,
  managedBy,
  replacementPolicy,
  successPolicy,
} from './jobpolicies.ts'
import { podTemplate } from './podspec.ts'
import { scheduleFault } from './schedule.ts'
import { Spot } from './spot.ts'
import { selectorAt, templateMatches } from './templates.ts'

const COUNTS = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
]
/** A job's pods add eleven characters to a cron job's name, and are DNS labels. */
const MAX_CRON_NAME = 52

function restartPolicy(spec: Spot): void {
  const policy = spec.at('template').at('spec').at('restartPolicy')
  if (policy.text === 'Always' || !policy.text) policy.required('valid values: "OnFailure", "Never"')
  else if (
    policy.oneOf(['OnFailure', 'Never']) &&
    spec.at('podFailurePolicy').isSet &&
    policy.text !== 'Never'
  ) {
    policy.invalid('only "Never" is supported when podFailurePolicy is specified')
  }
}

function templateSpec(spec: Spot): void {
  for (const name of COUNTS) spec.at(name).atLeast(0)
  if (spec.at('maxFailedIndexes').isSet && !spec.at('backoffLimitPerIndex').isSet) {
    spec.at('backoffLimitPerIndex').required('when maxFailedIndexes is specified')
  }
  managedBy(spec.at('managedBy'))
  completionMode(spec)
  if (spec.at('podFailurePolicy').isSet) failurePolicy(spec)
  successPolicy(spec)
  replacementPolicy(spec)
  podTemplate(spec.at('template'))
  restartPolicy(spec)
}

function jobSpec(spec: Spot): void {
  templateSpec(spec)
  const spot = spec.at('selector')
  if (spot.isSet) spot.isSelector()
  else spot.required()
  const selector = selectorAt(spot)
  if (selector) templateMatches(spec.at('template'), selector)
}

/** Unless the user chose a selector, the job's own labels are in the template and the selector. */
function generatedSelector(job: Spot): void {
  const spec = job.at('spec')
  if (spec.at('manualSelector').value === true || !spec.at('selector').isSet) return
  const [uid, name] = [job.at('metadata').at('uid').text, job.at('metadata').at('name').text]
  const own: Record<string, string> = {
    'controller-uid': uid,
    'job-name': name,
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
  }
  const labels = spec.at('template').at('metadata').at('labels')
  for (const [key, value] of Object.entries(own)) {
    const given = labels.object[key]
    const spot = labels.key(key)
    if (given === undefined) spot.required(`must be '${value}'`)
    else if (given !== value) spot.invalid(`must be '${value}'`, labels.value)
  }
  // One that is none is refused elsewhere.
  const selector = selectorAt(spec.at('selector'))
  if (selector && !selector.matches(own)) {
    spec.at('selector').invalid('`selector` not auto-generated')
  }
}

function wholeJob(job: Spot): void {
  generatedSelector(job)
  const spec = job.at('spec')
  jobSpec(spec)
  const completions = spec.at('completions').number
  if (spec.at('completionMode').text !== 'Indexed' || completions < 1) return
  const name = job.at('metadata').at('name')
  const longest = `${name.text}-${completions - 1}`
  if (dns1123LabelErrors(longest).length) {
    name.invalid(`will not able to create pod with invalid DNS label: ${longest}`, name.text)
  }
}

export function validateJob(job: KubeObject, context: WriteContext): StatusCause[] {
  const causes: StatusCause[] = []
  wholeJob(Spot.of(job, causes, context.settings))
  return causes
}

/** What never changes, by upstream's types. */
const FIXED = [
  ['completionMode', '*string'],
  ['podFailurePolicy', '*batch.PodFailurePolicy'],
  ['backoffLimitPerIndex', '*int32'],
  ['managedBy', '*string'],
  ['successPolicy', '*batch.SuccessPolicy'],
] as const

function completionsUpdate(spec: Spot, old: JsonObject): void {
  const completions = spec.at('completions')
  if (completions.value === old['completions']) return
  if (spec.at('completionMode').text !== 'Indexed') return void completions.unchanged(old['completions'])
  if (completions.isSet && completions.value !== spec.at('parallelism').value) {
    completions.invalid('can only be modified in tandem with spec.parallelism')
  }
}

/** Where a job's pods may run, and how much they get, may be said anew while it is suspended and none of them runs. */
function isAtRest(old: KubeObject): boolean {
  const status = objectAt(old['status'])
  if (objectAt(old['spec'])['suspend'] !== true || numberAt(status['active']) !== 0) return false
  return status['startTime'] === undefined || isTrue(status, 'Suspended')
}

/** What may change while the job is at rest: of the old template as the new one has it. */
const DIRECTIVES = ['nodeSelector', 'tolerations', 'schedulingGates'] as const

function sameAmounts(now: Json | undefined, old: Json | undefined): Json | undefined {
  const [containers, before] = [objectsAt(now), objectsAt(old)]
  if (containers.length !== before.length) return old
  return before.map((container, i) => {
    if (container['name'] !== containers[i]?.['name']) return container
    return { ...container, resources: containers[i]?.['resources'] }
  })
}

function sameAffinity(now: Json | undefined, old: Json | undefined): Json | undefined {
  const { nodeAffinity: _node, ...rest } = objectAt(old)
  if (present(now)) return { ...rest, nodeAffinity: objectAt(now)['nodeAffinity'] }
  return Object.keys(rest).length ? rest : undefined
}

function templateUpdate(job: Spot, old: KubeObject): void {
  const before = objectAt(objectAt(old['spec'])['template'])
  const template = job.at('spec').at('template')
  if (!isAtRest(old)) return void template.unchangedStruct('core.PodTemplateSpec', before)
  const [now, then] = [template.at('spec').object, objectAt(before['spec'])]
  const same: JsonObject = { ...then, affinity: sameAffinity(now['affinity'], then['affinity']) }
  for (const name of DIRECTIVES) same[name] = now[name]
  for (const name of ['containers', 'initContainers']) same[name] = sameAmounts(now[name], then[name])
  template.at('spec').unchangedStruct('core.PodSpec', same)
}

const isTrue = (status: JsonObject, type: string): boolean =>
  objectsAt(status['conditions']).some(
    (condition) => condition['type'] === type && condition['status'] === 'True',
  )

function finishedJob(status: Spot): void {
  const [complete, failed] = [isTrue(status.object, 'Complete'), isTrue(status.object, 'Failed')]
  const conditions = status.at('conditions')
  if (complete && failed) conditions.refused('cannot set Complete=True and Failed=true conditions')
  if (complete && isTrue(status.object, 'FailureTarget')) {
    conditions.refused('cannot set Complete=True and FailureTarget=true conditions')
  }
  const [start, end] = [status.at('startTime'), status.at('completionTime')]
  if (end.isSet && !complete)
    end.invalid('cannot set completionTime when there is no Complete=True condition')
  if (!end.isSet && complete) end.required('completionTime is required for Complete jobs')
  if (start.isSet && end.isSet && end.text < start.text) end.invalid('must be equal to or after `startTime`')
  if (failed && !isTrue(status.object, 'FailureTarget')) {
    conditions.refused('cannot set Failed=True condition without the FailureTarget=true condition')
  }
  if (complete && !isTrue(status.object, 'SuccessCriteriaMet')) {
    conditions.refused('cannot set Complete=True condition without the SuccessCriteriaMet=true condition')
  }
  const finished = complete || failed
  if (finished && status.at('active').number > 0)
    status.at('active').invalid('active>0 is invalid for finished job')
  if (finished && !start.isSet) start.required('startTime is required for finished job')
  if (finished && status.at('terminating').number > 0) {
    status.at('terminating').invalid('terminating>0 is invalid for finished job')
  }
}

function parses(indexes: Spot, completions: Spot): void {
  const count = completions.isSet ? countIndexes(indexes.text, completions.number) : 0
  if (typeof count === 'string')
    indexes.invalid(`error parsing ${indexes.path.slice('status.'.length)}: ${count}`)
}

/** Indexes that are over are indexes of the job; those that were there may stay. */
function indexes(job: Spot, status: Spot, before: JsonObject): void {
  const [completed, failed] = [status.at('completedIndexes'), status.at('failedIndexes')]
  const [completions, limit] = [job.at('spec').at('completions'), job.at('spec').at('backoffLimitPerIndex')]
  const changed = (spot: Spot, name: string): boolean => spot.text !== textAt(before[name])
  if (changed(completed, 'completedIndexes')) parses(completed, completions)
  if (limit.isSet && failed.isSet && changed(failed, 'failedIndexes')) parses(failed, completions)
  if (job.at('spec').at('completionMode').text !== 'Indexed' && completed.text) {
    completed.invalid('cannot set non-empty completedIndexes when non-indexed completion mode')
  }
  if (!limit.isSet && failed.isSet) {
    failed.invalid('cannot set non-null failedIndexes when backoffLimitPerIndex is null')
  }
}

/** Pods that are over and not yet in the numbers, each once. */
function uncounted(pods: Spot): void {
  const seen = new Set<string>()
  for (const uid of ['succeeded', 'failed'].flatMap((list) => pods.itemsOf(list))) {
    if (!uid.text) uid.invalid('must not be empty')
    else if (seen.has(uid.text)) uid.duplicate()
    seen.add(uid.text)
  }
}

function jobStatus(job: Spot, old: KubeObject): void {
  const status = job.at('status')
  for (const name of ['active', 'succeeded', 'failed', 'ready', 'terminating']) status.at(name).atLeast(0)
  uncounted(status.at('uncountedTerminatedPods'))
  finishedJob(status)
  indexes(job, status, objectAt(old['status']))
  if (status.at('ready').isSet && status.at('ready').number > status.at('active').number) {
    status.at('ready').invalid('cannot set more ready pods than active')
  }
  const before = objectAt(old['status'])
  for (const type of ['Failed', 'Complete', 'FailureTarget']) {
    if (isTrue(before, type) && !isTrue(status.object, type)) {
      status.at('conditions').refused(`cannot disable the terminal ${type}=True condition`)
    }
  }
  for (const name of ['failed', 'succeeded']) {
    const was = before[name]
    if (status.at(name).number < (typeof was === 'number' ? was : 0)) {
      status.at(name).invalid(`cannot decrease the ${name} counter`, status.at(name).exact)
    }
  }
}

export function validateJobUpdate(job: KubeObject, old: KubeObject, context: WriteContext): StatusCause[] {
  const causes: StatusCause[] = []
  const spot = Spot.of(job, causes, context.settings)
  const before = objectAt(old['spec'])
  if (context.subresource === 'status') {
    jobStatus(spot, old)
    return causes
  }
  const spec = spot.at('spec')
  jobSpec(spec)
  completionsUpdate(spec, before)
  spec.at('selector').unchanged(before['selector'])
  templateUpdate(spot, old)
  for (const [name, type] of FIXED) spec.at(name).unchangedStruct(type, before[name])
  return causes
}

function timeZone(spot: Spot): void {
  if (!spot.isSet) return
  if (!spot.text) return spot.invalid('timeZone must be nil or non-empty string')
  try {
    new Intl.DateTimeFormat('en', { timeZone: spot.text })
  } catch {
    spot.invalid(`unknown time zone ${spot.text}`)
  }
}

function cronSpec(spec: Spot, old: JsonObject | undefined): void {
  const schedule = spec.at('schedule')
  if (schedule.needed()) {
    const fault = scheduleFault(schedule.text)
    if (fault) schedule.invalid(fault)
    const zoned = schedule.text.includes('TZ')
    const before = textAt(old?.['schedule']).includes('TZ')
    if (zoned && !before) schedule.invalid('cannot use TZ or CRON_TZ in schedule, use timeZone field instead')
    else if (zoned && spec.at('timeZone').isSet) {
      schedule.invalid('cannot use both timeZone field and TZ or CRON_TZ in schedule')
    }
  }
  spec.at('startingDeadlineSeconds').atLeast(0)
  if (!old || old['timeZone'] !== spec.at('timeZone').value) timeZone(spec.at('timeZone'))
  spec.at('concurrencyPolicy').neededOneOf(['Allow', 'Forbid', 'Replace'])
  const job = spec.at('jobTemplate').at('spec')
  templateSpec(job)
  if (job.at('selector').isSet) job.at('selector').invalid('`selector` will be auto-generated')
  const manual = job.at('manualSelector')
  if (manual.value === true) manual.notSupported(['nil', 'false'], true)
  spec.at('successfulJobsHistoryLimit').atLeast(0)
  spec.at('failedJobsHistoryLimit').atLeast(0)
}

export function validateCronJob(job: KubeObject, context: WriteContext): StatusCause[] {
  const causes: StatusCause[] = []
  const spot = Spot.of(job, causes, context.settings)
  cronSpec(spot.at('spec'), undefined)
  const name = spot.at('metadata').at('name')
  if (name.text.length > MAX_CRON_NAME) name.invalid(`must be no more than ${MAX_CRON_NAME} characters`)
  return causes
}

export function validateCronJobUpdate(
  job: KubeObject,
  old: KubeObject,
  context: WriteContext,
): StatusCause[] {
  const causes: StatusCause[] = []
  if (context.subresource !== 'status')
    cronSpec(Spot.of(job, causes, context.settings).at('spec'), objectAt(old['spec']))
  return causes
}
