// Rules of kinds that keep a number of pods running: deployments, replica sets, stateful sets, daemon sets and
// replication controllers.
// Follows pkg/apis/apps/validation and pkg/apis/core/validation.
import type { JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { StatusCause } from '../../machinery/status.ts'
import { dns1123LabelErrors } from '../../machinery/validation.ts'
import { asStruct } from '../../schema/gostructs.ts'
import { semanticEqual } from '../equality.ts'
import { objectAt } from '../reading.ts'
import type { WriteContext } from '../strategy.ts'
import { claimSpec } from './claims.ts'
import { amountOf, isIntOrPercent, isNotMoreThanAll } from './numbers.ts'
import { podTemplate, templateLabels } from './podspec.ts'
import { Spot } from './spot.ts'
import { neededSelector, plainSelector, restartsAlways, selectorAt, templateMatches } from './templates.ts'

type Check = (object: KubeObject, context: WriteContext) => StatusCause[]
type UpdateCheck = (object: KubeObject, old: KubeObject, context: WriteContext) => StatusCause[]

const specRules =
  (rules: (spec: Spot) => void): Check =>
  (object, context) => {
    const causes: StatusCause[] = []
    rules(Spot.of(object, causes, context.settings).at('spec'))
    return causes
  }

/** Rules of the spec, then what may not change; of a status write, the status alone. */
const updateRules =
  (
    spec: (spec: Spot) => void,
    status: (status: Spot) => void,
    change: (spec: Spot, old: JsonObject) => void,
    changeFirst = false,
  ): UpdateCheck =>
  (object, old, context) => {
    const causes: StatusCause[] = []
    const spot = Spot.of(object, causes, context.settings)
    if (context.subresource === 'status') status(spot.at('status'))
    else {
      const before = objectAt(old['spec'])
      if (changeFirst) change(spot.at('spec'), before)
      spec(spot.at('spec'))
      if (!changeFirst) change(spot.at('spec'), before)
    }
    return causes
  }

const fixedSelector = (spec: Spot, old: JsonObject): void =>
  void spec.at('selector').unchanged(old['selector'])

function notNegative(spot: Spot, names: readonly string[]): void {
  for (const name of names) spot.at(name).atLeast(0)
}

function notAbove(status: Spot, names: readonly string[], most: string, detail: string): void {
  for (const name of names) {
    if (status.at(name).number > status.at(most).number)
      status.at(name).invalid(detail, status.at(name).exact)
  }
}

const ABOVE_REPLICAS = 'cannot be greater than status.replicas'

// ---- deployments

function deploymentStrategy(strategy: Spot): void {
  const rolling = strategy.at('rollingUpdate')
  const type = strategy.at('type').text
  if (type === 'Recreate') {
    return void rolling.absent("may not be specified when strategy `type` is 'Recreate'")
  }
  if (type !== 'RollingUpdate') {
    return strategy.notSupported(
      ['Recreate', 'RollingUpdate'],
      asStruct('apps.DeploymentStrategy', strategy.value),
    )
  }
  if (!rolling.isSet) return rolling.required('this should be defaulted and never be nil')
  const [unavailable, surge] = [rolling.at('maxUnavailable'), rolling.at('maxSurge')]
  isIntOrPercent(unavailable)
  isIntOrPercent(surge)
  if (!amountOf(unavailable) && !amountOf(surge)) unavailable.invalid('may not be 0 when `maxSurge` is 0')
  isNotMoreThanAll(unavailable)
}

/** A replica set's pods, which a deployment's are too. */
function replicaTemplate(spec: Spot): void {
  const selector = selectorAt(spec.at('selector'))
  if (!selector) return spec.at('selector').invalid('invalid label selector')
  const template = spec.at('template')
  if (!selector.empty) templateMatches(template, selector)
  podTemplate(template)
  restartsAlways(template, 'ReplicaSet')
}

function deploymentSpec(spec: Spot): void {
  spec.at('replicas').atLeast(0)
  neededSelector(spec.at('selector'), 'deployment')
  replicaTemplate(spec)
  deploymentStrategy(spec.at('strategy'))
  spec.at('minReadySeconds').atLeast(0)
  spec.at('revisionHistoryLimit').atLeast(0)
  const deadline = spec.at('progressDeadlineSeconds')
  if (!deadline.isSet) return
  deadline.atLeast(0)
  if (deadline.number <= spec.at('minReadySeconds').number)
    deadline.invalid('must be greater than minReadySeconds')
}

function deploymentStatus(status: Spot): void {
  const counts = [
    'updatedReplicas',
    'readyReplicas',
    'availableReplicas',
    'unavailableReplicas',
    'terminatingReplicas',
  ]
  notNegative(status, ['observedGeneration', 'replicas', ...counts, 'collisionCount'])
  notAbove(status, ['updatedReplicas', 'readyReplicas', 'availableReplicas'], 'replicas', ABOVE_REPLICAS)
  notAbove(status, ['availableReplicas'], 'readyReplicas', 'cannot be greater than readyReplicas')
}

export const validateDeployment = specRules(deploymentSpec)
export const validateDeploymentUpdate = updateRules(deploymentSpec, deploymentStatus, fixedSelector)

// ---- replica sets

function replicaSetSpec(spec: Spot): void {
  spec.at('replicas').atLeast(0)
  spec.at('minReadySeconds').atLeast(0)
  neededSelector(spec.at('selector'), 'deployment')
  replicaTemplate(spec)
}

function replicaSetStatus(status: Spot): void {
  const counts = ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas']
  notNegative(status, ['replicas', ...counts, 'terminatingReplicas', 'observedGeneration'])
  notAbove(status, counts, 'replicas', ABOVE_REPLICAS)
  notAbove(status, ['availableReplicas'], 'readyReplicas', 'cannot be greater than readyReplicas')
}

export const validateReplicaSet = specRules(replicaSetSpec)
export const validateReplicaSetUpdate = updateRules(replicaSetSpec, replicaSetStatus, fixedSelector)

// ---- replication controllers

function controllerSpec(spec: Spot): void {
  spec.at('minReadySeconds').atLeast(0)
  spec.at('selector').needed()
  spec.at('replicas').atLeast(0)
  const template = spec.at('template')
  if (!template.isSet) return template.required()
  const selector = plainSelector(spec.at('selector'))
  if (!selector.empty) templateMatches(template, selector)
  podTemplate(template)
  restartsAlways(template, 'ReplicationController')
}

export const validateReplicationController = specRules(controllerSpec)
export const validateReplicationControllerUpdate = updateRules(
  controllerSpec,
  replicaSetStatus,
  () => undefined,
)

// ---- stateful sets

function statefulStrategy(strategy: Spot): void {
  const rolling = strategy.at('rollingUpdate')
  const type = strategy.at('type').text
  if (!type) strategy.required()
  else if (type === 'OnDelete') {
    const shown = asStruct('apps.RollingUpdateStatefulSetStrategy', rolling.value)
    if (rolling.isSet) rolling.invalid("only allowed for updateStrategy 'RollingUpdate'", shown)
  } else if (type === 'RollingUpdate') {
    rolling.at('partition').atLeast(0)
    isIntOrPercent(rolling.at('maxUnavailable'))
    isNotMoreThanAll(rolling.at('maxUnavailable'))
  } else {
    const shown = asStruct('apps.StatefulSetUpdateStrategy', strategy.value)
    strategy.invalid("must be 'RollingUpdate' or 'OnDelete'", shown)
  }
}

/** Volumes that claims bring along are there although the template does not name them. */
function withClaimVolumes(spec: Spot): Spot {
  const template = spec.at('template')
  const templates = spec.itemsOf('volumeClaimTemplates')
  const claims = [...new Set(templates.map((claim) => claim.at('metadata').at('name').text))]
  const { subdomain: _subdomain, hostname: _hostname, ...rest } = template.at('spec').object
  const volumes = template
    .at('spec')
    .at('volumes')
    .items()
    .filter((volume) => !claims.includes(volume.at('name').text))
  const added = claims.map((name) => ({ name, persistentVolumeClaim: { claimName: name } }))
  const all = [...added, ...volumes.map((volume) => volume.object)]
  return template.with({ ...template.object, spec: { ...rest, ...(all.length ? { volumes: all } : {}) } })
}

function statefulSetSpec(spec: Spot, creating: boolean): void {
  const policy = spec.at('podManagementPolicy')
  if (policy.needed() && policy.text !== 'OrderedReady' && policy.text !== 'Parallel') {
    policy.invalid("must be 'OrderedReady' or 'Parallel'")
  }
  statefulStrategy(spec.at('updateStrategy'))
  const retention = spec.at('persistentVolumeClaimRetentionPolicy')
  if (retention.isSet) {
    for (const name of ['whenDeleted', 'whenScaled']) retention.at(name).oneOf(['Retain', 'Delete'])
  }
  if (creating) for (const claim of spec.itemsOf('volumeClaimTemplates')) claimSpec(claim.at('spec'))
  spec.at('replicas').atLeast(0)
  spec.at('minReadySeconds').atLeast(0)
  spec.at('ordinals').at('start').atLeast(0)
  if (creating) spec.at('serviceName').ifSet(dns1123LabelErrors)
  neededSelector(spec.at('selector'), 'statefulset')
  const template = withClaimVolumes(spec)
  const selector = selectorAt(spec.at('selector'))
  if (!selector) spec.at('selector').invalid('')
  else {
    if (!selector.empty) templateMatches(template, selector)
    podTemplate(template)
    // Upstream looks at them a second time.
    templateLabels(template)
  }
  restartsAlways(spec.at('template'), 'StatefulSet')
}

const FREE = [
  'replicas',
  'template',
  'updateStrategy',
  'minReadySeconds',
  'ordinals',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
]
const STATEFUL_IMMUTABLE =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"

function statefulSetStatus(status: Spot): void {
  const counts = ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas']
  notNegative(status, ['replicas', ...counts, 'observedGeneration', 'collisionCount'])
  notAbove(status, counts, 'replicas', ABOVE_REPLICAS)
  notAbove(status, ['availableReplicas'], 'readyReplicas', 'cannot be greater than status.readyReplicas')
}

export const validateStatefulSet = specRules((spec) => statefulSetSpec(spec, true))
export const validateStatefulSetUpdate = updateRules(
  (spec) => statefulSetSpec(spec, false),
  statefulSetStatus,
  (spec, old) => {
    const same: JsonObject = { ...spec.object }
    for (const name of FREE) same[name] = old[name]
    if (!semanticEqual(same, old)) spec.forbidden(STATEFUL_IMMUTABLE)
  },
)

// ---- daemon sets

function daemonStrategy(strategy: Spot): void {
  const type = strategy.at('type').text
  const rolling = strategy.at('rollingUpdate')
  if (type === 'OnDelete') return
  if (type !== 'RollingUpdate') {
    const shown = asStruct('apps.DaemonSetUpdateStrategy', strategy.value)
    return strategy.notSupported(['RollingUpdate', 'OnDelete'], shown)
  }
  if (!rolling.isSet) return rolling.required()
  const [unavailable, surge] = [rolling.at('maxUnavailable'), rolling.at('maxSurge')]
  for (const check of [isIntOrPercent, isNotMoreThanAll]) for (const spot of [unavailable, surge]) check(spot)
  if (amountOf(unavailable) && amountOf(surge))
    surge.invalid('may not be set when maxUnavailable is non-zero')
  if (!amountOf(unavailable) && !amountOf(surge)) unavailable.required('cannot be 0 when maxSurge is 0')
}

function daemonSetSpec(spec: Spot): void {
  const [spot, template] = [spec.at('selector'), spec.at('template')]
  spot.isSelector()
  const selector = selectorAt(spot)
  if (selector) templateMatches(template, selector)
  if (spot.isSet) neededSelector(spot.with(spot.isEmpty ? {} : { matchLabels: { a: 'b' } }), 'daemonset')
  podTemplate(template)
  restartsAlways(template, 'DaemonSet')
  spec.at('minReadySeconds').atLeast(0)
  daemonStrategy(spec.at('updateStrategy'))
  spec.at('revisionHistoryLimit').atLeast(0)
}

const DAEMON_COUNTS = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
  'collisionCount',
]

export const validateDaemonSet = specRules(daemonSetSpec)
export const validateDaemonSetUpdate = updateRules(
  daemonSetSpec,
  (status) => notNegative(status, DAEMON_COUNTS),
  fixedSelector,
  true,
)
