// What a conversion webhook may answer: as many objects as it was given, each of the wanted version and else the same
// object, whose metadata it changes in labels and annotations only.
// Follows k8s.io/apiextensions-apiserver/pkg/apiserver/conversion/webhook_converter.go.
import { aggregate } from '../../machinery/aggregate.ts'
import { apiVersionOf, parseGroupVersion } from '../../machinery/gvk.ts'
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { jsonText } from '../../machinery/jsontext.ts'
import { labelsCauses } from '../../machinery/labels.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { StatusCause } from '../../machinery/status.ts'
import { annotationCauses } from '../metadata.ts'
import { goTypeOf } from './scale.ts'

const GROUP = 'apiextensions.k8s.io'
const KIND = 'ConversionReview'
/** Of ConversionReview. */
const REVIEW_VERSIONS = ['v1', 'v1beta1']

/** What was asked. */
export interface Asked {
  readonly objects: readonly KubeObject[]
  /** Of the review. */
  readonly version: string
  readonly uid: string
  /** That the objects should have. */
  readonly apiVersion: string
}

/** The first version that both sides know; undefined where there is none. */
export function reviewVersion(accepted: readonly string[]): string | undefined {
  return accepted.find((each) => REVIEW_VERSIONS.includes(each))
}

/** What upstream sends beside the question. */
const NO_RESPONSE = { uid: '', convertedObjects: null, result: { metadata: {} } }

/** The review as it is sent; `texts` are the JSON of its objects. */
export function reviewText({ version, uid, apiVersion }: Asked, texts: readonly string[]): string {
  const head = JSON.stringify({ kind: KIND, apiVersion: `${GROUP}/${version}` })
  const request = JSON.stringify({ uid, desiredAPIVersion: apiVersion })
  const response = JSON.stringify(NO_RESPONSE)
  return `${head.slice(0, -1)},"request":${request.slice(0, -1)},"objects":[${texts.join(',')}]},"response":${response}}\n`
}

/** The objects of an answer; `of` names the kind that was asked about. Throws an Error with upstream's text. */
export function convertedOf(answer: JsonObject, asked: Asked): KubeObject[] {
  const [first] = asked.objects
  const of = first ? kindText(first) : ''
  const found = prefixed(`conversion webhook for ${of} failed: `, () => objectsIn(answer, asked))
  const { length } = asked.objects
  if (found.length !== length)
    throw new Error(`conversion webhook for ${of} returned ${found.length} objects, expected ${length}`)
  return asked.objects.map((object, i) => checked(object, found[i] ?? null, asked.apiVersion))
}

function objectsIn(answer: JsonObject, { version, uid }: Asked): readonly Json[] {
  const { kind = KIND, apiVersion = `${GROUP}/${version}`, response } = answer
  if (kind !== KIND || !REVIEW_VERSIONS.some((each) => apiVersion === `${GROUP}/${each}`))
    throw new Error(
      `no kind ${jsonText(kind)} is registered for version ${jsonText(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`,
    )
  if (apiVersion !== `${GROUP}/${version}`) {
    const given = String(apiVersion).slice(GROUP.length + 1)
    throw new Error(`converting (${given}.${KIND}) to (${version}.${KIND}): unknown conversion`)
  }
  if (response === undefined || response === null) throw new Error('no response provided')
  if (!isObject(response)) throw new Error(mismatch(response, 'response', `${version}.ConversionResponse`))
  const { uid: given = '', result, convertedObjects } = response
  if (version === 'v1' && given !== uid)
    throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${jsonText(given)}`)
  checkResult(isObject(result) ? result : {})
  if (convertedObjects === undefined || convertedObjects === null) return []
  if (Array.isArray(convertedObjects)) return convertedObjects
  throw new Error(mismatch(convertedObjects, 'response.convertedObjects', '[]runtime.RawExtension'))
}

function checkResult({ status = '', message = '' }: JsonObject): void {
  if (status === 'Success') return
  if (typeof message === 'string' && message !== '') throw new Error(message)
  throw new Error(`response.result.status was '${String(status)}', not 'Success'`)
}

const mismatch = (value: Json, field: string, type: string): string =>
  `json: cannot unmarshal ${jsonKind(value)} into Go struct field ConversionReview.${field} of type ${type}`

const jsonKind = (value: Json): string =>
  Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value

/** `stable.example.com/v1, Kind=CronTab`. */
export const kindText = ({ apiVersion = '', kind = '' }: KubeObject): string => `${apiVersion}, Kind=${kind}`

function checked(original: KubeObject, value: Json, apiVersion: string): KubeObject {
  const about = `conversion webhook for ${kindText(original)} returned invalid`
  if (value === null) throw new Error('unexpected end of JSON input')
  if (!isObject(value))
    throw new Error(`json: cannot unmarshal ${jsonKind(value)} into Go value of type map[string]interface {}`)
  if (typeof value['kind'] !== 'string' || value['kind'] === '')
    throw new Error(`Object 'Kind' is missing in '${jsonText(value)}'`)
  const given = groupVersionText(value['apiVersion'])
  if (given !== apiVersion) {
    const why = `invalid groupVersion (expected ${apiVersion}, received ${given})`
    throw new Error(`${about} object at index 0: ${why}`)
  }
  if (value['kind'] !== original.kind) {
    const why = `invalid kind (expected ${original.kind ?? ''}, received ${value['kind']})`
    throw new Error(`${about} object at index 0: ${why}`)
  }
  prefixed(`${about} object: `, () => checkIdentity(original, value))
  return prefixed(`${about} metadata: `, () => withMetadata(original, value))
}

function groupVersionText(value: Json | undefined): string {
  const gv = typeof value === 'string' && value !== '' ? parseGroupVersion(value) : undefined
  return gv ? apiVersionOf(gv) : ''
}

function checkIdentity({ metadata }: KubeObject, value: JsonObject): void {
  const given = isObject(value['metadata']) ? value['metadata'] : {}
  for (const [key, shown] of [
    ['name', 'name'],
    ['namespace', 'namespace'],
    ['uid', 'UID'],
  ] as const) {
    const [before = '', after] = [metadata[key], textOf(given[key])]
    if (before !== after) throw new Error(`must have the same ${shown}: ${before} != ${after}`)
  }
}

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')

/** The metadata of the original with the labels and annotations of the answer. */
function withMetadata(original: KubeObject, value: JsonObject): KubeObject {
  const given = value['metadata']
  if (given === undefined) throw new Error('missing metadata in converted object')
  if (!isObject(given)) throw new Error(`invalid metadata of type ${goTypeOf(given)} in converted object`)
  const { labels: _labels, annotations: _annotations, ...metadata } = original.metadata
  for (const key of ['labels', 'annotations'] as const) {
    const texts = textsIn(given[key], key)
    if (!texts) continue
    if (!isSameTexts(original.metadata[key] ?? {}, texts)) checkTexts(key, texts)
    metadata[key as keyof typeof metadata] = texts as never
  }
  return { ...value, metadata } as KubeObject
}

function textsIn(value: Json | undefined, key: string): Record<string, string> | undefined {
  if (value === undefined || value === null) return undefined
  if (!isObject(value))
    throw new Error(`invalid metadata.${key} of type ${goTypeOf(value)} in converted object`)
  for (const [name, text] of Object.entries(value)) {
    if (typeof text === 'string') continue
    throw new Error(
      `metadata.${key}[${name}] must be a string, but is ${goTypeOf(text ?? null)} in converted object`,
    )
  }
  return value as Record<string, string>
}

function isSameTexts(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(b)
  return (
    keys.length === Object.keys(a).length && keys.every((key) => Object.hasOwn(a, key) && a[key] === b[key])
  )
}

function checkTexts(key: 'labels' | 'annotations', texts: Record<string, string>): void {
  const causes: StatusCause[] = []
  if (key === 'labels') causes.push(...labelsCauses(texts, 'metadata.labels'))
  // Upstream says it in the singular.
  else annotationCauses(texts, 'metadata.annotation', causes)
  if (causes.length) throw new Error(aggregate(causes.map(({ field, message }) => `${field}: ${message}`)))
}

function prefixed<T>(prefix: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw new Error(prefix + (error as Error).message)
  }
}
