// The question that a webhook is sent, and what may be its answer.
// Follows k8s.io/apiserver/pkg/admission/plugin/webhook/request/admissionreview.go.
import type { GroupVersionKind } from '../../machinery/gvk.ts'
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { jsonText } from '../../machinery/jsontext.ts'
import { newUid } from '../../machinery/names.ts'
import type { UserInfo } from '../../machinery/user.ts'
import type { AdmissionAttributes } from '../plugin.ts'
import { type Invocation, kindOf, namespaceOf } from './match.ts'
import { checkShape, RESPONSE } from './shape.ts'

const GROUP = 'admission.k8s.io'
const KIND = 'AdmissionReview'
const KNOWN_VERSIONS = ['v1', 'v1beta1']

export interface Review {
  readonly uid: string
  readonly version: string
  readonly body: Buffer
}

/** JSON texts of the objects, in the version of the invocation; "null" where there is none. */
export interface ReviewedTexts {
  readonly object: string
  readonly old: string
}

/** The first version that both sides know; throws an Error with upstream's text where there is none. */
export function reviewOf(
  invocation: Invocation,
  attributes: AdmissionAttributes,
  texts: ReviewedTexts,
): Review {
  const version = invocation.hook.reviewVersions.find((each) => KNOWN_VERSIONS.includes(each))
  if (version === undefined) {
    throw new Error('webhook does not accept known AdmissionReview versions (v1, v1beta1)')
  }
  const uid = newUid()
  const { before, after } = described(invocation, attributes, uid)
  const head = JSON.stringify({ kind: KIND, apiVersion: `${GROUP}/${version}` })
  const body = Buffer.from(
    `${head.slice(0, -1)},"request":${before.slice(0, -1)},"object":${texts.object},"oldObject":${texts.old},${after.slice(1)}}\n`,
  )
  return { uid, version, body }
}

/** What stands before and after the objects, in the order of the Go struct. */
function described(
  { kind, resource }: Invocation,
  attributes: AdmissionAttributes,
  uid: string,
): { before: string; after: string } {
  const { subresource, operation, dryRun, user, name, options } = attributes
  const namespace = namespaceOf(attributes)
  const before = {
    uid,
    kind: shownKind(kind),
    resource: { group: resource.group, version: resource.version, resource: resource.name },
    ...(subresource && { subResource: subresource }),
    requestKind: shownKind(kindOf(attributes.resource, subresource)),
    requestResource: {
      group: attributes.resource.group,
      version: attributes.resource.version,
      resource: attributes.resource.name,
    },
    ...(subresource && { requestSubResource: subresource }),
    ...(name && { name }),
    ...(namespace && { namespace }),
    operation,
    userInfo: shownUser(user),
  }
  const after = { dryRun, options: operation === 'CONNECT' ? null : options }
  return { before: JSON.stringify(before), after: jsonText(after) }
}

export const shownKind = ({ group, version, kind }: GroupVersionKind): JsonObject => ({
  group,
  version,
  kind,
})

/** UserInfo of authentication.k8s.io. */
export function shownUser({ name, uid, groups, extra }: UserInfo): JsonObject {
  return {
    ...(name && { username: name }),
    ...(uid && { uid }),
    ...(groups.length > 0 && { groups: [...groups] }),
    ...(extra &&
      Object.keys(extra).length > 0 && {
        extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])),
      }),
  }
}

/** An answer that holds what it must. */
export interface Verdict {
  readonly allowed: boolean
  readonly auditAnnotations: readonly [string, string][]
  readonly warnings: readonly string[]
  /** As the webhook sent it, decoded from base64; undefined: none. */
  readonly patch: Buffer | undefined
  /** "" in the older version of the review. */
  readonly patchType: string
  /** A Status. */
  readonly result: JsonObject | undefined
}

/** Throws an Error with upstream's text for what cannot be decoded as an answer to the review. */
export function checkKind(answer: JsonObject, { version }: Review): void {
  const kind = textOf(answer['kind']) || KIND
  const apiVersion = textOf(answer['apiVersion']) || `${GROUP}/${version}`
  const known = KNOWN_VERSIONS.find((each) => apiVersion === `${GROUP}/${each}`)
  if (kind !== KIND || known === undefined) {
    throw new Error(
      `no kind ${quoted(kind)} is registered for version ${quoted(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`,
    )
  }
  if (known !== version) {
    throw new Error(`converting (${known}.${KIND}) to (${version}.${KIND}): unknown conversion`)
  }
  const response = answer['response'] ?? null
  if (response !== null) checkShape(response, RESPONSE, 'AdmissionReview.response')
}

/** Reads the answer to a review. Throws an Error with upstream's text where it is none. */
export function verdictOf(answer: JsonObject, review: Review, mutating: boolean): Verdict {
  const response = answer['response']
  if (!isObject(response)) throw new Error('webhook response was absent')
  if (review.version === 'v1') checkAnswer(answer, response, review, mutating)
  const patch = mutating ? patchOf(response) : undefined
  return {
    allowed: response['allowed'] === true,
    auditAnnotations: entriesOf(response['auditAnnotations']),
    warnings: textsOf(response['warnings']),
    patch,
    patchType: review.version === 'v1' ? textOf(response['patchType']) : 'JSONPatch',
    result: isObject(response['status']) ? response['status'] : undefined,
  }
}

function checkAnswer(answer: JsonObject, response: JsonObject, { uid }: Review, mutating: boolean): void {
  const given = textOf(response['uid'])
  if (given !== uid) throw new Error(`expected response.uid=${quoted(uid)}, got ${quoted(given)}`)
  const [apiVersion, kind] = [textOf(answer['apiVersion']), textOf(answer['kind'])]
  const wanted = `${GROUP}/v1`
  if (apiVersion !== wanted || kind !== KIND) {
    throw new Error(
      `expected webhook response of ${wanted}, Kind=${KIND}, got ${apiVersion || '/'}, Kind=${kind}`,
    )
  }
  const hasPatch = textOf(response['patch']) !== ''
  const type = response['patchType'] ?? undefined
  if (!mutating) {
    if (hasPatch) throw new Error('validating webhook may not return response.patch')
    if (type !== undefined) throw new Error('validating webhook may not return response.patchType')
    return
  }
  if (hasPatch && type === undefined) {
    throw new Error('webhook returned response.patch but not response.patchType')
  }
  if (!hasPatch && type !== undefined) {
    throw new Error('webhook returned response.patchType but not response.patch')
  }
  if (type === '') throw new Error('webhook returned invalid response.patchType of ""')
}

function patchOf(response: JsonObject): Buffer | undefined {
  const text = textOf(response['patch'])
  return text === '' ? undefined : Buffer.from(text, 'base64')
}

const quoted = (text: string): string => JSON.stringify(text)
const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
const textsOf = (value: Json | undefined): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
const entriesOf = (value: Json | undefined): [string, string][] =>
  isObject(value)
    ? Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    : []
