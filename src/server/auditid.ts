// The id of a request that its answer carries, and its events in the audit log: the client's, else a new one.
// Follows k8s.io/apiserver/pkg/endpoints/filters/audit_init.go.
import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

const HEADER = 'audit-id'
const PRINTABLE = /^[!-~]+$/
/** Of requests that are recorded: their id must stay the same. By their headers, which both protocols hand on as they are. */
const kept = new WeakMap<IncomingHttpHeaders, string>()

export function auditIdOf(headers: IncomingHttpHeaders): string {
  const given = headers[HEADER]
  if (given === undefined) return kept.get(headers) ?? randomUUID()
  const first = String(given)
  return PRINTABLE.test(first) ? first : (kept.get(headers) ?? randomUUID())
}

export function keepAuditId(headers: IncomingHttpHeaders, id: string): void {
  kept.set(headers, id)
}
