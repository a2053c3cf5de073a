// Short names for the contents of pod templates and revisions: the same contents always give the same name, and names of
// other contents that collide are told apart by a count. Follows ComputeHash of k8s.io/kubernetes/pkg/controller,
// HashControllerRevision of its history and SafeEncodeString of k8s.io/apimachinery/pkg/util/rand.
import type { PodTemplateSpec } from './kinds/core.v1.gen.ts'

/** No vowels and nothing that looks like one: names shall not read as words. */
const SAFE = 'bcdfghjklmnpqrstvwxz2456789'
const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

/**
 * DEVIATION: upstream hashes a dump of its in-memory structs, which another language cannot rebuild; the numbers differ,
 * the form and the use of them do not. Existing revisions are found by comparing templates, never by their hash.
 */
export const templateHash = (template: PodTemplateSpec, collisions?: number): string => {
  const counted = Buffer.alloc(collisions === undefined ? 0 : 8)
  if (collisions !== undefined) counted.writeUInt32LE(collisions)
  return safe(fnv1a(Buffer.concat([Buffer.from(canonical(template)), counted])))
}

/** Of a ControllerRevision's data, as upstream: fnv-1 of the bytes and the count in digits. */
export const revisionHash = (data: string, collisions?: number): string =>
  safe(fnv1(Buffer.from(collisions === undefined ? data : `${data}${collisions}`)))

function fnv1a(bytes: Buffer): number {
  let hash = FNV_OFFSET
  for (const byte of bytes) hash = Math.imul(hash ^ byte, FNV_PRIME)
  return hash >>> 0
}

function fnv1(bytes: Buffer): number {
  let hash = FNV_OFFSET
  for (const byte of bytes) hash = Math.imul(hash, FNV_PRIME) ^ byte
  return hash >>> 0
}

/** Each digit as one of the safe characters. */
const safe = (hash: number): string =>
  [...String(hash)].map((digit) => SAFE[digit.charCodeAt(0) % SAFE.length]).join('')

/** JSON with sorted keys and without what is absent: equal exactly for equal values. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const fields = Object.entries(value).filter(([, field]) => field !== undefined && field !== null)
  fields.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonical(field)}`).join(',')}}`
}
