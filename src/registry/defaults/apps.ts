// Defaults of apps and batch. Follows k8s.io/kubernetes/pkg/apis/{apps,batch}/v1/defaults.go.
import type { JsonObject } from '../../machinery/json.ts'
import { CLAIM, isEmpty } from './core.ts'
import { POD_TEMPLATE } from './pods.ts'
import { type GroupDefaults, type Rules, structAt, structIn } from './rules.ts'

/** What a Job without limit per index, and one with it, retries by default. */
const BACKOFF_LIMIT = 6
const NO_BACKOFF_LIMIT = 2_147_483_647

/** The annotation of a rollback that no version of the API has any more: empty, it says nothing. */
const ROLLBACK_ANNOTATION = 'deprecated.deployment.rollback.to'

const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'

export const APPS: GroupDefaults = {
  'v1/Deployment': () => ({
    first: dropEmptyRollback,
    embedded: {
      spec: {
        first: rollingUpdate('strategy', { maxUnavailable: '25%', maxSurge: '25%' }),
        absent: { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 },
        embedded: { template: POD_TEMPLATE },
      },
    },
  }),
  'v1/DaemonSet': () => ({
    first: writeTemplateGeneration,
    embedded: {
      spec: {
        first: rollingUpdate('updateStrategy', { maxUnavailable: 1, maxSurge: 0 }),
        absent: { revisionHistoryLimit: 10 },
        embedded: { template: POD_TEMPLATE },
      },
    },
  }),
  'v1/StatefulSet': () => ({
    embedded: {
      spec: {
        first: defaultStatefulSet,
        absent: { replicas: 1, revisionHistoryLimit: 10 },
        empty: { podManagementPolicy: 'OrderedReady' },
        embedded: {
          template: POD_TEMPLATE,
          // A pointer, but one that is always made.
          persistentVolumeClaimRetentionPolicy: { empty: { whenDeleted: 'Retain', whenScaled: 'Retain' } },
        },
        items: { volumeClaimTemplates: CLAIM_TEMPLATE },
      },
    },
  }),
  'v1/ReplicaSet': () => ({
    embedded: { spec: { absent: { replicas: 1 }, embedded: { template: POD_TEMPLATE } } },
  }),
}

/** Claims inside StatefulSets name their type, whatever the client wrote. */
const CLAIM_TEMPLATE: Rules = {
  ...CLAIM,
  last: (claim) => {
    claim.apiVersion = 'v1'
    claim.kind = 'PersistentVolumeClaim'
  },
}

const FAILURE_RULE: Rules = { items: { onPodConditions: { empty: { status: 'True' } } } }
const FAILURE_POLICY: Rules = { present: { podFailurePolicy: { items: { rules: FAILURE_RULE } } } }

export const BATCH: GroupDefaults = {
  'v1/Job': () => ({
    first: defaultJob,
    embedded: {
      spec: {
        absent: { completionMode: 'NonIndexed', suspend: false, manualSelector: false },
        embedded: { template: POD_TEMPLATE },
        ...FAILURE_POLICY,
      },
    },
  }),
  'v1/CronJob': () => ({
    embedded: {
      spec: {
        absent: { suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 },
        empty: { concurrencyPolicy: 'Allow' },
        // The Job inside gets its own defaults when it is made.
        embedded: {
          jobTemplate: { embedded: { spec: { embedded: { template: POD_TEMPLATE }, ...FAILURE_POLICY } } },
        },
      },
    },
  }),
}

function rollingUpdate(
  key: string,
  values: Readonly<Record<string, string | number>>,
): (spec: JsonObject) => void {
  return (spec) => {
    const strategy = structIn(spec, key)
    strategy.type ||= 'RollingUpdate'
    if (strategy.type !== 'RollingUpdate') return
    const update = structIn(strategy, 'rollingUpdate')
    for (const [name, value] of Object.entries(values)) update[name] ??= value
  }
}

/** The count of template changes, which is a field in upstream's own form of the object: it is always written. */
function writeTemplateGeneration(set: JsonObject): void {
  const metadata = structIn(set, 'metadata')
  structIn(metadata, 'annotations')[TEMPLATE_GENERATION] ??= '0'
}

function dropEmptyRollback(deployment: JsonObject): void {
  const metadata = structIn(deployment, 'metadata')
  const annotations = structAt(metadata, 'annotations')
  if (annotations?.[ROLLBACK_ANNOTATION] !== '') return
  delete annotations[ROLLBACK_ANNOTATION]
  if (isEmpty(annotations)) delete metadata.annotations
}

/** A type that the user names gets no rollingUpdate of its own; where the user wrote one its partition is filled. */
function defaultStatefulSet(spec: JsonObject): void {
  const strategy = structIn(spec, 'updateStrategy')
  if (!strategy.type) {
    strategy.type = 'RollingUpdate'
    structIn(strategy, 'rollingUpdate')
  }
  const update = structAt(strategy, 'rollingUpdate')
  if (strategy.type === 'RollingUpdate' && update) update.partition ??= 0
}

function defaultJob(job: JsonObject): void {
  const spec = structIn(job, 'spec')
  if (absent(spec.completions) && absent(spec.parallelism)) spec.completions = 1
  spec.parallelism ??= 1
  spec.backoffLimit ??= absent(spec.backoffLimitPerIndex) ? BACKOFF_LIMIT : NO_BACKOFF_LIMIT
  spec.podReplacementPolicy ??= absent(spec.podFailurePolicy) ? 'TerminatingOrFailed' : 'Failed'
  const labels = structAt(structIn(structIn(spec, 'template'), 'metadata'), 'labels')
  const metadata = structIn(job, 'metadata')
  // One map in both places, as upstream has it: the labels that the strategy gives the template show in the job too.
  if (labels && isEmpty(metadata.labels)) metadata.labels = labels
}

const absent = (value: unknown): boolean => value === undefined || value === null
