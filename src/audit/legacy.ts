// An event as one line of text for people: less than the JSON has, and nothing of what was sent and answered.
// Follows k8s.io/apiserver/pkg/audit/format.go.
import { goQuote } from '../machinery/quote.ts'
import { type AuditEvent, microTime, shownAgent } from './event.ts'
import type { Stage } from './policy.ts'

export function legacyLine(event: AuditEvent, stage: Stage): string {
  const { id, uri, sourceIps, userAgent, attributes, at } = event.received
  const { user } = attributes
  const { impersonated } = event
  const isNamed = user !== undefined && user.name !== ''
  const namespace = attributes.isResourceRequest ? attributes.namespace || event.named?.namespace : ''
  const code = event.responseStatus?.['code']
  const pairs: readonly (readonly [string, string])[] = [
    ['id', id],
    ['stage', stage],
    ['ip', sourceIps[0] ?? '<unknown>'],
    ['method', attributes.verb],
    ['user', isNamed ? user.name : '<none>'],
    ['groups', isNamed && user.groups.length > 0 ? listOf(user.groups) : '<none>'],
    ['as', impersonated ? impersonated.name : '<self>'],
    ['asgroups', impersonated ? listOf(impersonated.groups) : '<lookup>'],
    ['user-agent', shownAgent(userAgent)],
    ['namespace', namespace || '<none>'],
    ['uri', uri],
  ]
  const shown = pairs.map(([name, value]) => `${name}=${goQuote(value)}`).join(' ')
  const response = event.responseStatus ? String(typeof code === 'number' ? code : 0) : '<deferred>'
  return `${trimmed(microTime(at))} AUDIT: ${shown} response="${response}"`
}

const listOf = (names: readonly string[]): string => names.map(goQuote).join(',')

/** Go leaves zeros at the end of a fraction out. */
const trimmed = (time: string): string => time.replace(/\.?0+Z$/, 'Z')
