// Tokens of service accounts: what a TokenRequest asks for, and the answer with the signed token.
// An action for subresources.ts; the signing key stays with whoever gives `tokenIssuer`.
// Follows pkg/registry/core/serviceaccount/storage/token.go and apis/authentication/validation.
import type { GroupResource } from '../machinery/gvk.ts'
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { badRequest, cause, conflict, invalid, notFound, type StatusCause } from '../machinery/status.ts'
import { timeText } from './generic.ts'
import { requirePathSegment } from './metadata.ts'
import { childOf, exactAt, numberAt, objectAt, present, textAt, textsAt } from './reading.ts'
import type { Action, ActionContext, TokenIssuer } from './subresource.ts'
import { type Bound, tokenClaims } from './tokenclaims.ts'

const KIND = { group: 'authentication.k8s.io', kind: 'TokenRequest' } as const
const MIN_SECONDS = 10 * 60
const MAX_SECONDS = 2 ** 32
const DEFAULT_SECONDS = 3600
/** What admission asks for in pods' volumes: by this number upstream knows that nobody chose it. */
const ADMISSION_SECONDS = 3607
/** Such a token is good for a year and warned of after its hour, for clients that never read it again. */
const EXTENDED_SECONDS = 365 * 24 * 60 * 60

/** What the audit log tells two tokens apart by. */
const ISSUED = 'authentication.kubernetes.io/issued-credential-id'

const NODES: GroupResource = { group: '', resource: 'nodes' }
const BOUND: ReadonlyMap<string, GroupResource> = new Map([
  ['Pod', { group: '', resource: 'pods' }],
  ['Node', NODES],
  ['Secret', { group: '', resource: 'secrets' }],
])

/** Whether there is such an account comes after this. */
function checkName(wanted: string | undefined, name: string): void {
  if (!wanted || wanted === name) return
  const fault = cause.invalid('metadata.name', wanted, 'must match the service account name if specified')
  throw invalid(KIND, name, [fault])
}

function checkUid(account: KubeObject, request: KubeObject): void {
  const { uid } = request.metadata
  if (uid && uid !== account.metadata.uid) {
    const why = `the UID in the token request (${uid}) does not match the UID of the service account (${account.metadata.uid})`
    throw conflict({ group: KIND.group, resource: KIND.kind }, textAt(account.metadata.name), why)
  }
}

function expirationCauses(seconds: number | bigint): StatusCause[] {
  const field = 'spec.expirationSeconds'
  if (seconds < MIN_SECONDS) {
    return [cause.invalid(field, seconds, 'may not specify a duration less than 10 minutes')]
  }
  if (seconds > MAX_SECONDS) {
    return [cause.invalid(field, seconds, 'may not specify a duration larger than 2^32 seconds')]
  }
  return []
}

/** The object whose end ends the token. Rejects with notFound, badRequest or conflict. */
async function boundObject(account: KubeObject, ref: JsonObject, issuer: TokenIssuer): Promise<Bound> {
  const kind = textAt(ref['kind'])
  const resource = boundResource(kind, textAt(ref['apiVersion']))
  const name = textAt(ref['name'])
  if (name === '') throw badRequest('Name parameter required.')
  requirePathSegment(name)
  const object = await issuer.find(resource, kind === 'Node' ? '' : textAt(account.metadata.namespace), name)
  if (!object) throw notFound(resource, name)
  const spec = objectAt(object['spec'])
  if (kind === 'Pod' && spec['serviceAccountName'] !== account.metadata.name) {
    const shown = JSON.stringify(account.metadata.name ?? '')
    throw badRequest(
      `cannot bind token for serviceaccount ${shown} to pod running with different serviceaccount name.`,
    )
  }
  const uid = textAt(ref['uid'])
  if (uid && uid !== object.metadata.uid) {
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`
    throw conflict({ group: '', resource: kind }, name, why)
  }
  const node = kind === 'Pod' ? await nodeOf(textAt(spec['nodeName']), issuer) : undefined
  return { kind: kind as Bound['kind'], object, ...(node ? { node } : {}) }
}

function boundResource(kind: string, apiVersion: string): GroupResource {
  const slash = apiVersion.indexOf('/')
  const group = apiVersion.slice(0, Math.max(slash, 0))
  const resource = group === '' ? BOUND.get(kind) : undefined
  if (resource) return resource
  throw badRequest(
    `cannot bind token to object of type ${group}/${apiVersion.slice(slash + 1)}, Kind=${kind}`,
  )
}

/** A node that is not there is still named. */
async function nodeOf(name: string, issuer: TokenIssuer): Promise<KubeObject | undefined> {
  if (name === '') return undefined
  return (await issuer.find(NODES, '', name)) ?? { metadata: { name } }
}

export const token: Action = {
  mode: 'action',
  check: (name, request) => checkName(request.metadata.name, name),
  complete(request) {
    const spec = childOf(request, 'spec')
    if (!present(spec['expirationSeconds'])) spec['expirationSeconds'] = DEFAULT_SECONDS
  },
  async plan(account, request, context) {
    checkUid(account, request)
    const issuer = context.tokenIssuer
    const spec = objectAt(request['spec'])
    const wanted = numberAt(spec['expirationSeconds'])
    const causes = expirationCauses(exactAt(spec['expirationSeconds']))
    if (causes.length) throw invalid(KIND, '', causes)
    const ref = spec['boundObjectRef']
    const bound = present(ref) ? await boundObject(account, objectAt(ref), issuer) : undefined
    const audiences = textsAt(spec['audiences']).length ? textsAt(spec['audiences']) : issuer.audiences
    const seconds = bounded(wanted, context)
    const extended =
      issuer.extendExpiration &&
      bound?.kind === 'Pod' &&
      seconds === ADMISSION_SECONDS &&
      audiences.every((audience) => issuer.audiences.includes(audience))
    const claims = tokenClaims({
      account,
      audiences,
      bound,
      now: context.now,
      expirationSeconds: extended ? EXTENDED_SECONDS : seconds,
      warnAfterSeconds: extended ? seconds : undefined,
    })
    context.annotate(ISSUED, `JTI=${textAt(claims['jti'])}`)
    const issued = { audiences, seconds, signed: await issuer.sign(claims), now: context.now }
    return { result: answer(account, request, issued), writes: [] }
  },
}

function bounded(
  seconds: number,
  { tokenIssuer: { maxExpirationSeconds: max }, warn }: ActionContext,
): number {
  if (max === undefined || seconds <= max) return seconds
  warn(`requested expiration of ${seconds} seconds shortened to ${max} seconds`)
  return max
}

interface Issued {
  readonly audiences: readonly string[]
  readonly seconds: number
  readonly signed: string
  readonly now: Date
}

function answer(
  account: KubeObject,
  request: KubeObject,
  { audiences, seconds, signed, now }: Issued,
): JsonObject {
  const { name, namespace, uid } = account.metadata
  const expires = new Date(now.getTime() + seconds * 1000)
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
      audiences: [...audiences],
      boundObjectRef: objectAt(request['spec'])['boundObjectRef'] ?? null,
      expirationSeconds: seconds,
    },
    status: { expirationTimestamp: timeText(expires), token: signed },
  }
}
