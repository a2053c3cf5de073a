// What becomes of the flow schemas and levels that every cluster starts with, when clients or a newer release change
// them: the mandatory ones are put right, the suggested ones only while their annotation lets the server do so.
// Pure. Follows k8s.io/kubernetes/pkg/registry/flowcontrol/ensurer.
import { isDeepStrictEqual } from 'node:util'
import { isObject, type JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { isMandatory } from './bootstrap.ts'
import { EXEMPT } from './spec.ts'

const ANNOTATION = 'apf.kubernetes.io/autoupdate-spec'

/** The object as it is to be; undefined: it is right. `wanted` has its defaults filled in. */
export function revised(current: KubeObject, wanted: KubeObject): KubeObject | undefined {
  const annotated = annotationOf(current)
  const ours = isMandatory(wanted) || (annotated ?? current.metadata.generation === 1)
  const spec = ours && !isSame(current, wanted) ? wanted['spec'] : current['spec']
  if (annotated === ours && spec === current['spec']) return undefined
  const annotations = { ...current.metadata.annotations, [ANNOTATION]: String(ours) }
  return {
    ...current,
    metadata: { ...current.metadata, annotations },
    ...(spec === undefined ? {} : { spec }),
  }
}

/** Whether the server made it once, may change it still, and does not know it any more. `known`: of its kind. */
export function isForgotten(object: KubeObject, known: readonly KubeObject[]): boolean {
  const { name } = object.metadata
  return annotationOf(object) === true && !known.some(({ metadata }) => metadata.name === name)
}

const TRUE = /^(1|t|T|TRUE|true|True)$/
const FALSE = /^(0|f|F|FALSE|false|False)$/

/** undefined: it says nothing, or nothing sensible. */
function annotationOf({ metadata }: KubeObject): boolean | undefined {
  const value = metadata.annotations?.[ANNOTATION] ?? ''
  return TRUE.test(value) ? true : FALSE.test(value) ? false : undefined
}

/** The seats of the exempt level are the operator's to set. */
function isSame(current: KubeObject, wanted: KubeObject): boolean {
  if (wanted.kind !== 'PriorityLevelConfiguration' || wanted.metadata.name !== EXEMPT)
    return isDeepStrictEqual(current['spec'], wanted['spec'])
  const own = objectOf(current['spec'])['exempt']
  if (!isObject(own)) return false
  const seats = Object.fromEntries(
    ['nominalConcurrencyShares', 'lendablePercent'].flatMap((key) => (key in own ? [[key, own[key]]] : [])),
  )
  return isDeepStrictEqual(current['spec'], { ...objectOf(wanted['spec']), exempt: seats })
}

const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : {})
