// Answers to applies, made comparable: who owns what, and what conflicts, in one order. Used by applies.ts and
// definition-versions.ts.
import type { Json } from '../../src/machinery/json.ts'
import { type Answer, mapOf } from './answers.ts'

export const APPLY = 'application/apply-patch+yaml'
export const MERGE = 'application/merge-patch+json'

/** Upstream tells of one of the fields that are not there, in the order of Go's maps, of one of the versions that lack them. */
const UNDECLARED = /(errors:\n)?( *\.[^\n]*: expected [^\n]*\n)* *[^ ]+: field not declared in schema[^]*/

/** What tells entries of owners apart, and causes. */
const NAMES = ['operation', 'manager', 'apiVersion', 'subresource', 'field', 'message'] as const
const identity = (value: Json): string => NAMES.map((key) => mapOf(value)[key]).join()
const byText = (a: Json, b: Json): number => (identity(a) < identity(b) ? -1 : 1)

/** Entries and conflicts in an order that neither the clock nor Go's maps decide. */
export function inOrder(answer: Answer, warnings: readonly string[] = []): Answer {
  const body = structuredClone(answer.body)
  const metadata = mapOf(mapOf(body)['metadata'])
  const owners = metadata['managedFields']
  if (Array.isArray(owners)) metadata['managedFields'] = owners.sort(byText)
  const status = mapOf(body)
  const causes = mapOf(status['details'])['causes']
  if (Array.isArray(causes)) causes.sort(byText)
  if (status['kind'] !== 'Status') return { ...answer, body, warnings }
  for (const place of [status, ...(Array.isArray(causes) ? causes.map(mapOf) : [])]) {
    const message = String(place['message'] ?? '').replace(UNDECLARED, '<faults>')
    place['message'] = message.split('\n').sort().join('\n')
  }
  return { ...answer, body, warnings }
}
