// Rules of the kinds that others refer to by name: priorities and runtimes; and of leases, revisions and templates.
// Follows pkg/apis/{scheduling,node,coordination,apps}/validation.
import { isObject } from '../../machinery/json.ts'
import { jsonText } from '../../machinery/jsontext.ts'
import { dns1123LabelErrors } from '../../machinery/validation.ts'
import { FIELD_IMMUTABLE } from '../metadata.ts'
import { resourceRequirements } from './resources.ts'
import { onCreate, onUpdate } from './rules.ts'
import { podTemplate } from './podspec.ts'
import { tolerations } from './scheduling.ts'
import type { Spot } from './spot.ts'

// ---- priorities and runtimes

const HIGHEST_USER_PRIORITY = 1_000_000_000
const SYSTEM_PRIORITIES: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
}

/** Whether the class is one that a cluster cannot do without. */
export const isSystemPriority = (name: string): boolean => Object.hasOwn(SYSTEM_PRIORITIES, name)

function systemPriority(object: Spot): void {
  const name = object.at('metadata').at('name')
  const refuse = (why: string): void =>
    name.forbidden(
      `priority class names with 'system-' prefix are reserved for system use only. error: ${why}`,
    )
  const value = SYSTEM_PRIORITIES[name.text]
  if (value === undefined) refuse(`${name.text} is not a known system priority class`)
  else if (value !== object.at('value').number) refuse(`value of ${name.text} PriorityClass must be ${value}`)
  else if (object.at('globalDefault').value === true) refuse(`globalDefault of ${name.text} must be false`)
}

export const validatePriorityClass = onCreate((object) => {
  if (object.at('metadata').at('name').text.startsWith('system-')) systemPriority(object)
  else if (object.at('value').number > HIGHEST_USER_PRIORITY) {
    object
      .at('value')
      .forbidden(`maximum allowed value of a user defined priority is ${HIGHEST_USER_PRIORITY}`)
  }
  const policy = object.at('preemptionPolicy')
  if (policy.isSet) policy.neededOneOf(['PreemptLowerPriority', 'Never'])
})
export const validatePriorityClassUpdate = onUpdate((object, old) => {
  const before = typeof old['value'] === 'number' ? old['value'] : 0
  if (object.at('value').number !== before) object.at('value').forbidden('may not be changed in an update.')
  object.at('preemptionPolicy').unchanged(old['preemptionPolicy'])
})

export const validateRuntimeClass = onCreate((object) => {
  object.at('handler').neededAs(dns1123LabelErrors)
  const overhead = object.at('overhead').at('podFixed')
  if (overhead.isSet) resourceRequirements(object.at('overhead').with({ limits: overhead.value ?? {} }), [])
  object.at('scheduling').at('nodeSelector').isLabels()
  const list = object.at('scheduling').at('tolerations')
  tolerations(list)
  const seen = new Set<string>()
  for (const item of list.items()) {
    const [Key, Operator, Value, Effect] = ['key', 'operator', 'value', 'effect'].map(
      (key) => item.at(key).text,
    )
    const shape = JSON.stringify([Key, Operator, Value, Effect])
    const TolerationSeconds = item.object['tolerationSeconds'] ?? null
    if (seen.has(shape)) item.duplicate({ Key, Operator, Value, Effect, TolerationSeconds })
    seen.add(shape)
  }
})
export const validateRuntimeClassUpdate = onUpdate((object, old) => {
  object.at('handler').unchanged(old['handler'])
})

// ---- leases, revisions, templates

function lease(object: Spot): void {
  const spec = object.at('spec')
  spec.at('leaseDurationSeconds').atLeastIfSet(1, 'must be greater than 0')
  spec.at('leaseTransitions').atLeast(0)
  if (spec.at('preferredHolder').text && !spec.at('strategy').text) {
    spec.at('preferredHolder').forbidden('may only be specified if `strategy` is defined')
  }
}

export const validateLease = onCreate(lease)
export const validateLeaseUpdate = onUpdate(lease)

export const validateRevision = onCreate((object) => {
  object.at('revision').atLeast(0)
  const data = object.at('data')
  if (!data.isSet) data.required('data is mandatory')
  else if (!isObject(data.value)) data.required('data must be a valid JSON object')
})
export const validateRevisionUpdate = onUpdate((object, old) => {
  object.at('revision').atLeast(0)
  // Upstream has it as bytes: keys in another order are other data.
  const data = object.at('data')
  if (jsonText(data.value ?? null) !== jsonText(old['data'] ?? null)) data.invalid(FIELD_IMMUTABLE)
})

export const validatePodTemplate = onCreate((object) => podTemplate(object.at('template')))
export const validatePodTemplateUpdate = onUpdate((object) => podTemplate(object.at('template')))
