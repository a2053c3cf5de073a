// JSON of custom objects as they are stored and answered: kind, apiVersion and metadata first, as of every kind, then the
// other keys by the alphabet, as Go writes maps. Follows encoding/json over unstructured objects.
import type { Json, JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { escapeHtml } from '../json/json.ts'
import { typedJson } from '../stringify.ts'
import { objectMeta } from './types.ts'

const PLAIN = /^[\w .,:;()=+/@#-]*$/

const text = (value: string): string => (PLAIN.test(value) ? `"${value}"` : escapeHtml(JSON.stringify(value)))

function write(value: Json): string {
  if (typeof value === 'string') return text(value)
  if (typeof value !== 'object' || value === null)
    return typeof value === 'bigint' ? String(value) : JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`
  return `{${membersOf(value, NONE).join(',')}}`
}

const NONE: ReadonlySet<string> = new Set()
const HEAD: ReadonlySet<string> = new Set(['kind', 'apiVersion', 'metadata'])

function membersOf(object: JsonObject, without: ReadonlySet<string>): string[] {
  const keys = Object.keys(object)
  if (keys.length > 1) keys.sort()
  const members: string[] = []
  for (const key of keys) {
    const value = object[key]
    if (value !== undefined && !without.has(key)) members.push(`${text(key)}:${write(value)}`)
  }
  return members
}

/** Without metadata.resourceVersion, which the watch cache puts in. */
export function customJson(object: KubeObject): Buffer {
  const { resourceVersion: _, ...metadata } = object.metadata
  const head = `{"kind":${text(object.kind ?? '')},"apiVersion":${text(object.apiVersion ?? '')}`
  const members = membersOf(object, HEAD)
  const rest = members.length ? `,${members.join(',')}` : ''
  return Buffer.from(`${head},"metadata":${typedJson(metadata, objectMeta())}${rest}}`)
}
