// Kinds that run pods, and those that size or guard them.
// Rows of strategies.ts. Follows pkg/registry/apps, batch, autoscaling, policy and core/replicationcontroller.
import type { KubeObject } from '../machinery/object.ts'
import { nameIsDnsLabel, nameIsDnsSubdomainOfBytes } from '../machinery/names.ts'
import { badRequest } from '../machinery/status.ts'
import { labelValueErrors } from '../machinery/validation.ts'
import { sameAt, semanticEqual } from './equality.ts'
import { dropTemplateFeatures } from './podfeatures.ts'
import { childOf, objectAt, present, textAt } from './reading.ts'
import { changesOf, COUNTED, held, STATUS_APART } from './rows.ts'
import type { Strategy, WriteContext } from './strategy.ts'
import {
  validateAutoscaler,
  validateAutoscalerUpdate,
  validateBudget,
  validateBudgetUpdate,
} from './validation/autoscaling.ts'
import {
  validatePodTemplate,
  validatePodTemplateUpdate,
  validateRevision,
  validateRevisionUpdate,
} from './validation/classes.ts'
import { validateCronJob, validateCronJobUpdate, validateJob, validateJobUpdate } from './validation/jobs.ts'
import {
  validateDaemonSet,
  validateDaemonSetUpdate,
  validateDeployment,
  validateDeploymentUpdate,
  validateReplicaSet,
  validateReplicaSetUpdate,
  validateReplicationController,
  validateReplicationControllerUpdate,
  validateStatefulSet,
  validateStatefulSetUpdate,
} from './validation/replicas.ts'
import {
  controllerWarnings,
  cronJobWarnings,
  jobWarnings,
  statefulSetWarnings,
  templateWarnings,
} from './warnings/pods.ts'

const TEMPLATE = ['spec', 'template']
const inTemplate = dropTemplateFeatures(TEMPLATE)
const NAME_LABELS = ['job-name', 'batch.kubernetes.io/job-name'] as const
const UID_LABELS = ['controller-uid', 'batch.kubernetes.io/controller-uid'] as const

/**
 * The labels by which a job knows its pods, unless the user chose a selector. A job without labels of its own gets its
 * template's; upstream does that by a default, each time when it reads the stored object.
 */
function generateSelector(job: KubeObject): void {
  const spec = childOf(job, 'spec')
  if (spec['manualSelector'] === true) return
  const uid = textAt(job.metadata.uid)
  const labels = childOf(childOf(childOf(spec, 'template'), 'metadata'), 'labels')
  for (const label of NAME_LABELS) labels[label] ??= textAt(job.metadata.name)
  for (const label of UID_LABELS) labels[label] ??= uid
  childOf(childOf(spec, 'selector'), 'matchLabels')[UID_LABELS[1]] ??= uid
  // What is wrong with the labels is told once, of the template.
  const sound = labelValueErrors(textAt(job.metadata.name)).length === 0
  if (sound && Object.keys(job.metadata.labels ?? {}).length === 0)
    job.metadata.labels = labels as Record<string, string>
}

/** extensions/v1beta1 counted the changes of a DaemonSet's template; apps/v1 keeps the number in an annotation. */
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'

const INT64 = 2n ** 63n

/** The number in the annotation; undefined where there is none. Throws badRequest where it is no int64. */
function templateGeneration(object: KubeObject): number | undefined {
  const text = object.metadata.annotations?.[TEMPLATE_GENERATION]
  if (text === undefined) return undefined
  const isNumber = /^[+-]?[0-9]+$/.test(text)
  const value = isNumber ? BigInt(text.replace('+', '')) : 0n
  if (isNumber && value < INT64 && value >= -INT64) return Number(value)
  const why = isNumber ? 'value out of range' : 'invalid syntax'
  throw badRequest(
    `DaemonSet in version "v1" cannot be handled as a DaemonSet: strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`,
  )
}

function setTemplateGeneration(object: KubeObject, value: number): void {
  object.metadata.annotations = { ...object.metadata.annotations, [TEMPLATE_GENERATION]: String(value) }
}

/** The template counted up: what a change of the rest warns of, too, is not told again. */
const templateChanged = (object: KubeObject, old: KubeObject): boolean =>
  object.metadata.annotations?.[TEMPLATE_GENERATION] !== old.metadata.annotations?.[TEMPLATE_GENERATION]

function prepareDaemonSetUpdate(object: KubeObject, old: KubeObject, context: WriteContext): void {
  templateGeneration(object)
  inTemplate.prepareForUpdate(object, old, context)
  const before = templateGeneration(old) ?? 0
  const same = sameAt(context.resource, TEMPLATE, [object, old])
  const counted = same ? before : before + 1
  if (counted) setTemplateGeneration(object, counted)
}

const replicationcontrollers: Strategy = {
  validateName: nameIsDnsSubdomainOfBytes,
  ...COUNTED,
  ...inTemplate,
  initialStatus: () => ({ replicas: 0 }),
  defaultPropagation: 'Orphan',
  warnings: controllerWarnings,
  validateCreate: validateReplicationController,
  validateUpdate: validateReplicationControllerUpdate,
}

const daemonsets: Strategy = {
  ...COUNTED,
  initialStatus: () => ({
    currentNumberScheduled: 0,
    desiredNumberScheduled: 0,
    numberMisscheduled: 0,
    numberReady: 0,
  }),
  prepareForCreate(object) {
    inTemplate.prepareForCreate(object)
    setTemplateGeneration(object, Math.max(1, templateGeneration(object) ?? 0))
  },
  prepareForUpdate: prepareDaemonSetUpdate,
  warnings: templateWarnings(TEMPLATE, false, templateChanged),
  validateCreate: validateDaemonSet,
  validateUpdate: validateDaemonSetUpdate,
}

const deployments: Strategy = {
  ...COUNTED,
  ...inTemplate,
  warnings: templateWarnings(TEMPLATE),
  validateCreate: validateDeployment,
  validateUpdate: validateDeploymentUpdate,
  resetFields: { '': ['status'], status: ['spec', 'metadata.labels'] },
  changesGeneration: (object, old, context) =>
    changesOf('spec')(object, old, context) ||
    !semanticEqual(object.metadata.annotations, old.metadata.annotations),
}

/** What the feature MaxUnavailableStatefulSet, off by default in 1.36, would allow is dropped. */
function dropMaxUnavailable(set: KubeObject, old?: KubeObject): void {
  const strategyOf = (object: KubeObject) => objectAt(objectAt(object['spec'])['updateStrategy'])
  if (present(objectAt(old && strategyOf(old)['rollingUpdate'])['maxUnavailable'])) return
  delete objectAt(strategyOf(set)['rollingUpdate'])['maxUnavailable']
}

const statefulsets: Strategy = {
  ...COUNTED,
  validateName: nameIsDnsLabel,
  prepareForCreate(set) {
    inTemplate.prepareForCreate(set)
    dropMaxUnavailable(set)
  },
  prepareForUpdate(set, old, context) {
    inTemplate.prepareForUpdate(set, old, context)
    dropMaxUnavailable(set, old)
  },
  warnings: statefulSetWarnings,
  initialStatus: () => ({ availableReplicas: 0, replicas: 0 }),
  validateCreate: validateStatefulSet,
  validateUpdate: validateStatefulSetUpdate,
}

const jobs: Strategy = {
  ...COUNTED,
  prepareForCreate(job) {
    inTemplate.prepareForCreate(job)
    generateSelector(job)
  },
  prepareForUpdate: inTemplate.prepareForUpdate,
  validateCreate: validateJob,
  validateUpdate: validateJobUpdate,
  metadataOnUpdate: ['create', 'rules', 'update'],
  defaultPropagation: 'Orphan',
  warnings: jobWarnings(['spec']),
  deletionWarning:
    'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
}

const poddisruptionbudgets: Strategy = {
  ...COUNTED,
  allowUnconditionalUpdate: false,
  plainMetadata: true,
  metadataOnUpdate: [],
  ...held(validateBudget, validateBudgetUpdate),
  initialStatus: () => ({ currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 }),
}

export const workloads: Readonly<Record<string, Strategy>> = {
  replicationcontrollers,
  podtemplates: {
    hasGeneration: true,
    changesGeneration: changesOf('template'),
    returnsDeleted: true,
    ...dropTemplateFeatures(['template']),
    warnings: templateWarnings(['template'], false),
    ...held(validatePodTemplate, validatePodTemplateUpdate),
  },
  'controllerrevisions.apps': {
    metadataOnUpdate: ['update', 'create'],
    ...held(validateRevision, validateRevisionUpdate),
  },
  'daemonsets.apps': daemonsets,
  'deployments.apps': deployments,
  'replicasets.apps': {
    ...COUNTED,
    ...inTemplate,
    initialStatus: () => ({ replicas: 0 }),
    warnings: templateWarnings(TEMPLATE),
    validateCreate: validateReplicaSet,
    validateUpdate: validateReplicaSetUpdate,
  },
  'statefulsets.apps': statefulsets,
  'jobs.batch': jobs,
  'cronjobs.batch': {
    ...COUNTED,
    ...dropTemplateFeatures(['spec', 'jobTemplate', ...TEMPLATE]),
    ...held(validateCronJob, validateCronJobUpdate),
    warnings: cronJobWarnings,
  },
  'horizontalpodautoscalers.autoscaling': {
    resetFields: STATUS_APART,
    ...held(validateAutoscaler, validateAutoscalerUpdate),
    initialStatus: () => ({ currentMetrics: null, desiredReplicas: 0 }),
  },
  'poddisruptionbudgets.policy': poddisruptionbudgets,
}
