// The annotation in which client-side `kubectl apply` keeps what it last applied, as server-side apply minds it: for the
// manager "kubectl" its fields are no conflicts, and it is kept up to date.
// Follows k8s.io/apimachinery/pkg/util/managedfields/internal (lastappliedmanager.go, lastappliedupdater.go).
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { jsonText, readJson } from '../../machinery/jsontext.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { compareObjects } from './fieldset-compare.ts'
import { FieldSetError } from './fieldset-items.ts'
import { difference, type FieldSet, LEAF } from './fieldset.ts'
import { escapeHtml } from '../json/json.ts'
import { fieldsOf } from '../merge/fieldsof.ts'
import { faultsOf } from '../merge/validate.ts'
import type { StructType } from '../type.ts'

/** The one manager for whom the annotation counts. */
export const LAST_APPLIED_MANAGER = 'kubectl'
const ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration'
/** As many bytes as all annotations of an object may have. */
const MAX_ANNOTATION_BYTES = 256 * 1024

/** The fields that the annotation says and the object still has as it says them; none where it cannot be read. */
export function fieldsOfLastApplied(live: KubeObject, type: StructType): FieldSet {
  const text = live.metadata.annotations?.[ANNOTATION]
  const applied = text ? parsed(text) : undefined
  if (!applied || applied['apiVersion'] !== live.apiVersion || typeof applied['kind'] !== 'string')
    return LEAF
  if (faultsOf(type, applied).length > 0 || faultsOf(type, live).length > 0) return LEAF
  try {
    const { changed, removed } = compareObjects(type, applied, live)
    return difference(difference(fieldsOf(type, applied), changed), removed)
  } catch (error) {
    if (error instanceof FieldSetError) return LEAF
    throw error
  }
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value = readJson(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Puts the applied configuration into the annotation of `object` (changed in place) where it has one; drops it where it is too large. */
export function updateLastApplied(object: KubeObject, applied: JsonObject): void {
  const annotations = object.metadata.annotations
  if (!annotations?.[ANNOTATION]) return
  const updated = { ...annotations, [ANNOTATION]: textOf(applied) }
  let bytes = 0
  for (const [key, value] of Object.entries(updated))
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value)
  const { [ANNOTATION]: _tooLarge, ...others } = updated
  object.metadata.annotations = bytes > MAX_ANNOTATION_BYTES ? others : updated
}

/** The configuration without the annotation itself, as Go's encoder writes it: keys in order, a newline at the end. */
function textOf(applied: JsonObject): string {
  const metadata = applied['metadata']
  if (!isObject(metadata)) return `${escapeHtml(jsonText(inOrder(applied)))}\n`
  const { annotations, ...rest } = metadata
  if (isObject(annotations)) {
    const { [ANNOTATION]: _itself, ...kept } = annotations
    rest['annotations'] = kept
  }
  return `${escapeHtml(jsonText(inOrder({ ...applied, metadata: rest })))}\n`
}

function inOrder(value: Json): Json {
  if (Array.isArray(value)) return value.map(inOrder)
  if (!isObject(value)) return value
  const entries = Object.keys(value)
    .sort()
    .map((key): [string, Json] => [key, inOrder(value[key] as Json)])
  return Object.fromEntries(entries)
}
