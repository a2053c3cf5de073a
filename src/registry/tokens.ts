// Tokens of service accounts: what a TokenRequest asks for, and the answer with the signed token.
// An action for subresources.ts; the signing key stays with whoever gives `issueToken`.
// Follows pkg/registry/core/serviceaccount/storage/token.go and apis/authentication/validation.
import type { GroupResource } from '../machinery/gvk.ts'
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import {
  badRequest,
  cause,
  conflict,
  internalError,
  invalid,
  notFound,
  type StatusCause,
} from '../machinery/status.ts'
import { timeText } from './generic.ts'
import { numberAt, objectAt, present, textAt, textsAt } from './reading.ts'
import type { Action, ActionContext, TokenClaims } from './subresource.ts'

const KIND = { group: 'authentication.k8s.io', kind: 'TokenRequest' } as const
const MIN_SECONDS = 10 * 60
const MAX_SECONDS = 2 ** 32
const DEFAULT_SECONDS = 3600
const BOUND: Readonly<Record<string, GroupResource>> = {
  Pod: { group: '', resource: 'pods' },
  Node: { group: '', resource: 'nodes' },
  Secret: { group: '', resource: 'secrets' },
}

function checkMetadata(account: KubeObject, request: KubeObject): void {
  const { name, namespace, uid } = request.metadata
  const refuse = (key: string, value: string): never => {
    const fault = cause.invalid(
      `metadata.${key}`,
      value,
      `must match the service account ${key} if specified`,
    )
    throw invalid(KIND, textAt(account.metadata.name), [fault])
  }
  if (name && name !== account.metadata.name) refuse('name', name)
  if (namespace && namespace !== account.metadata.namespace) refuse('namespace', namespace)
  if (uid && uid !== account.metadata.uid) {
    const why = `the UID in the token request (${uid}) does not match the UID of the service account (${account.metadata.uid})`
    throw conflict({ group: KIND.group, resource: KIND.kind }, textAt(account.metadata.name), why)
  }
}

function expirationCauses(seconds: number): StatusCause[] {
  const field = 'spec.expirationSeconds'
  if (seconds < MIN_SECONDS) {
    return [cause.invalid(field, seconds, 'may not specify a duration less than 10 minutes')]
  }
  if (seconds > MAX_SECONDS) {
    return [cause.invalid(field, seconds, 'may not specify a duration larger than 2^32 seconds')]
  }
  return []
}

/** The object whose end ends the token. Throws notFound, badRequest or conflict. */
function boundObject(account: KubeObject, ref: JsonObject, context: ActionContext): TokenClaims['bound'] {
  const kind = textAt(ref['kind'])
  const apiVersion = textAt(ref['apiVersion'])
  const resource = apiVersion === 'v1' || apiVersion === '' ? BOUND[kind] : undefined
  if (!resource) {
    const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
    throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`)
  }
  const name = textAt(ref['name'])
  const namespace = kind === 'Node' ? '' : textAt(account.metadata.namespace)
  const object = context.lister.get(resource, namespace, name)
  if (!object) throw notFound(resource, name)
  const uid = textAt(ref['uid'])
  if (kind === 'Pod' && objectAt(object['spec'])['serviceAccountName'] !== account.metadata.name) {
    const shown = JSON.stringify(account.metadata.name ?? '')
    throw badRequest(
      `cannot bind token for serviceaccount ${shown} to pod running with different serviceaccount name.`,
    )
  }
  if (uid && uid !== object.metadata.uid) {
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`
    throw conflict({ group: '', resource: kind }, name, why)
  }
  const nodeName = kind === 'Pod' ? textAt(objectAt(object['spec'])['nodeName']) : ''
  const node = nodeName
    ? (context.lister.get({ group: '', resource: 'nodes' }, '', nodeName) ?? nameOnly(nodeName))
    : undefined
  return { kind: kind as 'Pod' | 'Node' | 'Secret', object, ...(node ? { node } : {}) }
}

const nameOnly = (name: string): KubeObject => ({ metadata: { name } })

export const token: Action = {
  mode: 'action',
  reads: [...Object.values(BOUND)],
  async plan(account, request, context) {
    checkMetadata(account, request)
    const spec = objectAt(request['spec'])
    const audiences = textsAt(spec['audiences']).length
      ? textsAt(spec['audiences'])
      : (context.audiences ?? [])
    const seconds = present(spec['expirationSeconds']) ? numberAt(spec['expirationSeconds']) : DEFAULT_SECONDS
    const causes = expirationCauses(seconds)
    if (causes.length) throw invalid(KIND, '', causes)
    const ref = spec['boundObjectRef']
    const bound = present(ref) ? boundObject(account, objectAt(ref), context) : undefined
    if (!context.issueToken) throw internalError('failed to generate token: no signing key is configured')
    const claims: TokenClaims = {
      serviceAccount: account,
      audiences,
      expirationSeconds: seconds,
      ...(bound ? { bound } : {}),
    }
    const signed = await context.issueToken(claims)
    return { result: answer(account, request, { claims, signed, now: context.now }), writes: [] }
  },
}

interface Issued {
  readonly claims: TokenClaims
  readonly signed: string
  readonly now: Date
}

function answer(account: KubeObject, request: KubeObject, { claims, signed, now }: Issued): JsonObject {
  const { name, namespace, uid } = account.metadata
  const expires = new Date(now.getTime() + claims.expirationSeconds * 1000)
  return {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: {
      ...request.metadata,
      creationTimestamp: timeText(now),
      ...(name ? { name } : {}),
      ...(namespace ? { namespace } : {}),
      ...(uid ? { uid } : {}),
    },
    spec: {
      ...objectAt(request['spec']),
      audiences: [...claims.audiences],
      boundObjectRef: objectAt(request['spec'])['boundObjectRef'] ?? null,
      expirationSeconds: claims.expirationSeconds,
    },
    status: { expirationTimestamp: timeText(expires), token: signed },
  }
}
