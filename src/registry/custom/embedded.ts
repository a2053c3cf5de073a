// What objects inside of custom objects must have to be objects (x-kubernetes-embedded-resource).
// Follows k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta (validation.go).
import { parseGroupVersion } from '../../machinery/gvk.ts'
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { nameIsPathSegment } from '../../machinery/names.ts'
import type { ObjectMeta } from '../../machinery/object.ts'
import { cause, type StatusCause } from '../../machinery/status.ts'
import { dns1035LabelErrors } from '../../machinery/validation.ts'
import { hasEmbedded } from '../../schema/custom/embedded.ts'
import { nodeAt, type SchemaNode } from '../../schema/custom/structural.ts'
import { metadataCauses } from '../metadata.ts'

/** Causes for embedded objects without kind or apiVersion, or with wrong ones. */
export function embeddedCauses(schema: SchemaNode, object: JsonObject): StatusCause[] {
  const causes: StatusCause[] = []
  walk(schema, object, '', causes)
  return causes
}

function walk(node: SchemaNode, value: Json, path: string, causes: StatusCause[]): void {
  if (typeof value !== 'object' || value === null || !hasEmbedded(node)) return
  if (Array.isArray(value)) {
    const { items } = node
    if (items) value.forEach((item, i) => walk(items, item, `${path}[${i}]`, causes))
    return
  }
  const at = (key: string): string => (path === '' ? key : `${path}.${key}`)
  if (node.embedded) check(value, at, causes)
  for (const key of Object.keys(value)) {
    const below = nodeAt(node, key)
    const place = node.properties.has(key) ? at(key) : `${path}[${key}]`
    if (typeof below === 'object') walk(below, value[key] as Json, place, causes)
  }
}

function check(value: JsonObject, at: (key: string) => string, causes: StatusCause[]): void {
  for (const key of ['apiVersion', 'kind'])
    if (!Object.hasOwn(value, key)) causes.push(cause.required(at(key)))
  for (const key of ['apiVersion', 'kind']) {
    const given = value[key]
    if (given === undefined) continue
    if (typeof given !== 'string') causes.push(cause.invalid(at(key), given, 'must be a string'))
    else if (given === '') causes.push(cause.invalid(at(key), given, 'must not be empty'))
    else if (key === 'apiVersion') versionCauses(given, at(key), causes)
    else kindCauses(given, at(key), causes)
  }
  if (isObject(value['metadata'])) metaCauses(value['metadata'], at('metadata'), causes)
}

function versionCauses(apiVersion: string, field: string, causes: StatusCause[]): void {
  if (parseGroupVersion(apiVersion)) return
  causes.push(cause.invalid(field, apiVersion, `unexpected GroupVersion string: ${apiVersion}`))
}

function kindCauses(kind: string, field: string, causes: StatusCause[]): void {
  const faults = dns1035LabelErrors(kind.toLowerCase())
  if (faults.length === 0) return
  const why = `may have mixed case, but should otherwise match: ${faults.join(',')}`
  causes.push(cause.invalid(field, kind, why))
}

/** The rules of every object's metadata; a name is not asked for. */
function metaCauses(metadata: JsonObject, field: string, causes: StatusCause[]): void {
  const meta = metadata as unknown as ObjectMeta
  const named = { metadata: { ...meta, name: meta.name || 'fakename' } }
  for (const one of metadataCauses(named, Boolean(meta.namespace), nameIsPathSegment)) {
    causes.push({ ...one, field: `${field}${(one.field ?? '').slice('metadata'.length)}` })
  }
}
