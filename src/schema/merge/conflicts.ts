// The conflicts of an apply, and the 409 that they become. Follows
// k8s.io/apimachinery/pkg/util/managedfields/internal (conflict.go) and api/errors (NewApplyConflict).
import { StatusError } from '../../machinery/status.ts'
import type { ManagedEntry } from '../ownership/managedfields-entries.ts'
import { type FieldPath, pathText } from './words.ts'
import { goQuote } from '../../machinery/quote.ts'

/** One field that the apply would change and somebody else owns. */
export interface Conflict {
  /** The owner's identity: see identify. */
  readonly id: string
  readonly entry: ManagedEntry
  readonly path: FieldPath
}

/** 409 with a cause for each conflict, by manager. `conflicts` has at least one. */
export function applyConflict(conflicts: readonly Conflict[]): StatusError {
  const sorted = conflicts.toSorted((a, b) => (a.id === b.id ? 0 : a.id < b.id ? -1 : 1))
  const causes = sorted.map(({ entry, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${managerText(entry)}`,
    field: pathText(path),
  }))
  return new StatusError({ code: 409, reason: 'Conflict', message: messageOf(sorted), details: { causes } })
}

function messageOf(conflicts: readonly Conflict[]): string {
  const [first] = conflicts
  if (first && conflicts.length === 1) {
    return `Apply failed with 1 conflict: conflict with ${managerText(first.entry)}: ${pathText(first.path)}`
  }
  const lines: string[] = []
  let owner = ''
  for (const { id, entry, path } of conflicts) {
    if (id !== owner) lines.push(`conflicts with ${managerText(entry)}:`)
    owner = id
    lines.push(`- ${pathText(path)}`)
  }
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`
}

/** `"kubectl" with subresource "status" using apps/v1`; appliers have no version, for they may change it. */
function managerText({ manager, subresource, operation, apiVersion }: ManagedEntry): string {
  const name = subresource ? `${goQuote(manager)} with subresource ${goQuote(subresource)}` : goQuote(manager)
  return operation === 'Update' ? `${name} using ${apiVersion}` : name
}
