// Lists that stand as JSON in annotations, from before they were fields: tolerations of pods, taints of nodes, and the
// pods that a node would rather not have. They are checked, and mean nothing any more.
// Follows pkg/apis/core/validation (ValidateTolerationsInPodAnnotations, ValidateNodeSpecificAnnotations).
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { syntaxErrorOf } from '../../schema/json/syntax.ts'
import { objectAt, objectsAt } from '../reading.ts'
import { taints, tolerations } from './scheduling.ts'
import type { Spot } from './spot.ts'

const TOLERATIONS = 'scheduler.alpha.kubernetes.io/tolerations'
const TAINTS = 'scheduler.alpha.kubernetes.io/taints'
const AVOID = 'scheduler.alpha.kubernetes.io/preferAvoidPods'

/** A struct of upstream's without versions: its fields by their names in JSON, and what Go wants there. */
interface Shape {
  readonly name: string
  readonly fields: Readonly<Record<string, 'string' | 'int64' | 'time'>>
}

const TOLERATION: Shape = {
  name: 'Toleration',
  fields: {
    key: 'string',
    operator: 'string',
    value: 'string',
    effect: 'string',
    tolerationSeconds: 'int64',
  },
}
const TAINT: Shape = {
  name: 'Taint',
  fields: { key: 'string', value: 'string', effect: 'string', timeAdded: 'time' },
}

function kindOf(value: Json): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

/** What the field is called here; Go takes any case. */
const fieldNamed = (shape: Shape, key: string): string | undefined =>
  Object.keys(shape.fields).find((name) => name.toLowerCase() === key.toLowerCase())

function itemOf(value: Json, shape: Shape, faults: string[]): JsonObject {
  if (value === null) return {}
  if (!isObject(value)) {
    faults.push(`json: cannot unmarshal ${kindOf(value)} into Go value of type core.${shape.name}`)
    return {}
  }
  const item: JsonObject = {}
  for (const key of Object.keys(value)) {
    const [name, given] = [fieldNamed(shape, key), value[key] as Json]
    if (name === undefined || given === null) continue
    const type = shape.fields[name]
    const fits = type === 'int64' ? Number.isInteger(given) : typeof given === 'string'
    const go = name.charAt(0).toUpperCase() + name.slice(1)
    if (fits) item[name] = given
    else if (type !== 'time') {
      const shown = typeof given === 'number' && type === 'int64' ? `number ${given}` : kindOf(given)
      faults.push(`json: cannot unmarshal ${shown} into Go struct field ${shape.name}.${go} of type ${type}`)
    }
  }
  return item
}

/** The annotation's JSON; undefined where it is none, which `told` hears. */
function parsed(annotation: Spot, told: (fault: string) => void): Json | undefined {
  const fault = syntaxErrorOf(Buffer.from(annotation.text))
  if (fault === undefined) return JSON.parse(annotation.text) as Json
  told(fault)
  return undefined
}

/** The list in the annotation of this key, at the path that upstream gives it; absent where its JSON is none of a list. */
function listIn(annotations: Spot, key: string, shape: Shape): Spot | undefined {
  const told = (fault: string): void => annotations.invalid(fault, key)
  const value = parsed(annotations.key(key), told)
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value)) {
    told(`json: cannot unmarshal ${kindOf(value)} into Go value of type []core.${shape.name}`)
    return undefined
  }
  const faults: string[] = []
  const items = value.map((item) => itemOf(item, shape, faults))
  if (faults[0] !== undefined) told(faults[0])
  return faults.length ? undefined : annotations.at(key).with(items)
}

/** Of a pod's annotations, or of a template's. */
export function annotatedTolerations(annotations: Spot): void {
  if (!annotations.key(TOLERATIONS).text) return
  const list = listIn(annotations, TOLERATIONS, TOLERATION)
  if (list) tolerations(list)
}

/** Of a node's annotations. */
export function nodeAnnotations(annotations: Spot): void {
  if (annotations.key(TAINTS).text) {
    const list = listIn(annotations, TAINTS, TAINT)
    if (list) taints(list)
  }
  if (annotations.key(AVOID).text) avoidedPods(annotations)
}

function avoidedPods(annotations: Spot): void {
  const told = (fault: string): void => annotations.at('AvoidPods').invalid(fault, AVOID)
  const value = parsed(annotations.key(AVOID), told)
  if (value === undefined || value === null) return
  if (!isObject(value))
    return told(`json: cannot unmarshal ${kindOf(value)} into Go value of type v1.AvoidPods`)
  const list = annotations.at(AVOID).with([...objectsAt(value['preferAvoidPods'])])
  for (const item of list.items()) {
    const owner = objectAt(item.object['podSignature'])['podController']
    const signature = item.at('PodSignature')
    if (!isObject(owner)) signature.required()
    else if (owner['controller'] !== true)
      signature.at('PodController').at('Controller').invalid('must point to a controller', false)
  }
}
