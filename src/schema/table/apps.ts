// Rows of apps and batch: what runs pods.
// Follows kubernetes/pkg/printers/internalversion/printers.go.
import { humanDuration } from '../../machinery/duration.ts'
import type { Json, JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import {
  age,
  containerCells,
  count,
  whole,
  deleting,
  labelsText,
  nameOf,
  part,
  parts,
  type Printers,
  selectorText,
  since,
  size,
  text,
} from './cells.ts'

const templateOf = (object: JsonObject): JsonObject => part(part(object, 'spec'), 'template')

/** "StatefulSet" of "apps/v1" named "web" as "statefulset.apps/web" */
function controllerName(object: KubeObject): string {
  const owner = object.metadata.ownerReferences?.find((reference) => reference.controller === true)
  if (owner === undefined) return '<none>'
  const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : ''
  return `${`${owner.kind}${group}`.toLowerCase()}/${owner.name}`
}

function daemonSetCells(object: KubeObject, now: number): Json[] {
  const status = part(object, 'status')
  const template = templateOf(object)
  return [
    nameOf(object),
    count(status, 'desiredNumberScheduled'),
    count(status, 'currentNumberScheduled'),
    count(status, 'numberReady'),
    count(status, 'updatedNumberScheduled'),
    count(status, 'numberAvailable'),
    labelsText(part(part(template, 'spec'), 'nodeSelector')),
    age(object, now),
    ...containerCells(template),
    selectorText(part(object, 'spec'), 'selector'),
  ]
}

const readyOfDesired = (object: KubeObject): string =>
  `${count(part(object, 'status'), 'readyReplicas')}/${count(part(object, 'spec'), 'replicas')}`

function deploymentCells(object: KubeObject, now: number): Json[] {
  const status = part(object, 'status')
  return [
    nameOf(object),
    readyOfDesired(object),
    count(status, 'updatedReplicas'),
    count(status, 'availableReplicas'),
    age(object, now),
    ...containerCells(templateOf(object)),
    selectorText(part(object, 'spec'), 'selector', '', '<invalid>'),
  ]
}

function replicaSetCells(object: KubeObject, now: number): Json[] {
  const status = part(object, 'status')
  return [
    nameOf(object),
    count(part(object, 'spec'), 'replicas'),
    count(status, 'replicas'),
    count(status, 'readyReplicas'),
    age(object, now),
    ...containerCells(templateOf(object)),
    selectorText(part(object, 'spec'), 'selector'),
  ]
}

export const apps: Printers = {
  controllerrevisions: {
    cells: (o, now) => [nameOf(o), controllerName(o), whole(o, 'revision'), age(o, now)],
  },
  daemonsets: { cells: daemonSetCells },
  deployments: { cells: deploymentCells },
  replicasets: { cells: replicaSetCells },
  statefulsets: {
    cells: (o, now) => [nameOf(o), readyOfDesired(o), age(o, now), ...containerCells(templateOf(o))],
  },
}

function completions(object: KubeObject): string {
  const spec = part(object, 'spec')
  const succeeded = count(part(object, 'status'), 'succeeded')
  if (typeof spec.completions === 'number') return `${succeeded}/${spec.completions}`
  const parallelism = count(spec, 'parallelism')
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`
}

function jobDuration(object: KubeObject, now: number): string {
  const { startTime, completionTime } = part(object, 'status')
  if (typeof startTime !== 'string') return ''
  const end = typeof completionTime === 'string' ? Date.parse(completionTime) : now
  return humanDuration(end - Date.parse(startTime))
}

function jobStatus(object: KubeObject): string {
  const conditions = parts(part(object, 'status'), 'conditions')
  const holds = (type: string): boolean => conditions.find((c) => c.type === type)?.status === 'True'
  if (holds('Complete')) return 'Complete'
  if (holds('Failed')) return 'Failed'
  if (deleting(object)) return 'Terminating'
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(holds) ?? 'Running'
}

function jobCells(object: KubeObject, now: number): Json[] {
  return [
    nameOf(object),
    jobStatus(object),
    completions(object),
    jobDuration(object, now),
    age(object, now),
    ...containerCells(templateOf(object)),
    selectorText(part(object, 'spec'), 'selector'),
  ]
}

function cronJobCells(object: KubeObject, now: number): Json[] {
  const spec = part(object, 'spec')
  const status = part(object, 'status')
  const jobTemplate = part(spec, 'jobTemplate')
  const last = status.lastScheduleTime
  return [
    nameOf(object),
    text(spec, 'schedule'),
    typeof spec.timeZone === 'string' ? spec.timeZone : '<none>',
    typeof spec.suspend !== 'boolean' ? '<unset>' : spec.suspend ? 'True' : 'False',
    size(status, 'active'),
    typeof last === 'string' ? since(last, now) : '<none>',
    age(object, now),
    ...containerCells(templateOf(jobTemplate)),
    selectorText(part(jobTemplate, 'spec'), 'selector'),
  ]
}

export const batch: Printers = {
  cronjobs: { cells: cronJobCells },
  jobs: { cells: jobCells },
}
