// The 403 of a request that is not allowed. Follows k8s.io/apiserver/pkg/endpoints/handlers/responsewriters.
import type { AuthorizationAttributes, Decision } from '../machinery/attributes.ts'
import { goQuote } from '../machinery/quote.ts'
import { forbidden, internalError, type StatusError } from '../machinery/status.ts'

/** `pods is forbidden: User "u" cannot list resource "pods" in API group "" in the namespace "n": reason`. */
export function forbiddenFor(attributes: AuthorizationAttributes, reason: string): StatusError {
  const what = sanitized(messageOf(attributes))
  const { group, resource, name } = attributes
  return forbidden({ group, resource }, name, reason === '' ? what : `${what}: ${reason}`)
}

/** Throws what a request gets that the decision does not allow: 403, or 500 where no decision could be made. */
export function requireAllowed(attributes: AuthorizationAttributes, decision: Decision): void {
  if (decision.decision === 'allow') return
  if (decision.error !== undefined) throw internalError(decision.error)
  throw forbiddenFor(attributes, decision.reason)
}

function messageOf(attributes: AuthorizationAttributes): string {
  const { user, verb, group, namespace, subresource } = attributes
  const who = `User ${goQuote(user.name)} cannot ${verb}`
  if (!attributes.isResourceRequest) return `${who} path ${goQuote(attributes.path)}`
  const resource = subresource === '' ? attributes.resource : `${attributes.resource}/${subresource}`
  const what = `${who} resource ${goQuote(resource)} in API group ${goQuote(group)}`
  return namespace === '' ? `${what} at the cluster scope` : `${what} in the namespace ${goQuote(namespace)}`
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/** A name in a path must not come back as markup. */
export const sanitized = (text: string): string =>
  text.replace(/[&<>]/g, (character) => ENTITIES[character] as string)
