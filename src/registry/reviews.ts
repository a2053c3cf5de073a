// Questions that are asked by creating an object, answered in its status and never stored: who am I, who is this, may I.
// Follows k8s.io/kubernetes/pkg/registry/authorization and pkg/registry/authentication.
import { aggregate } from '../machinery/aggregate.ts'
import type { AuthorizationAttributes, Authorizer } from '../machinery/attributes.ts'
import type { Json, JsonObject } from '../machinery/json.ts'
import type { KubeObject, ObjectMeta } from '../machinery/object.ts'
import { badRequest, cause, invalid, type StatusCause, type StatusError } from '../machinery/status.ts'
import type { UserInfo } from '../machinery/user.ts'
import { timeText } from './generic.ts'
import { objectAt, present, textAt, textsAt } from './reading.ts'
import { readSelectors, selectorCauses } from './reviewselectors.ts'

/** Whom a token stands for, or why it stands for nobody. */
export type TokenVerdict =
  { readonly user: UserInfo; readonly audiences: readonly string[] } | { readonly error: string }

/** What reviews ask of the server. */
export interface ReviewContext {
  /** Who asks. */
  readonly user: UserInfo
  /** Of the request's path. */
  readonly namespace: string
  readonly now: Date
  readonly authorizer: Authorizer
  /** The rules that a user is granted in a namespace, and what could not be found out. */
  rulesFor(
    user: UserInfo,
    namespace: string,
  ): {
    readonly rules: readonly JsonObject[]
    readonly errors: readonly string[]
    readonly incomplete?: boolean
  }
  /** `audiences` is empty where the review names none. */
  reviewToken(token: string, audiences: readonly string[]): Promise<TokenVerdict>
}

/**
 * Answers the decoded object, whose managedFields are tracked as on any create. Rejects with a StatusError for a review
 * that upstream refuses. The object itself is not changed.
 */
export type Review = (object: KubeObject, context: ReviewContext) => Promise<KubeObject>

const AUTHORIZATION = 'authorization.k8s.io'
const AUTHENTICATION = 'authentication.k8s.io'

/** By qualified resource. */
export const REVIEWS: ReadonlyMap<string, Review> = new Map([
  [`subjectaccessreviews.${AUTHORIZATION}`, inNoNamespace(subjectAccessReview)],
  [`localsubjectaccessreviews.${AUTHORIZATION}`, localSubjectAccessReview],
  [`selfsubjectaccessreviews.${AUTHORIZATION}`, inNoNamespace(selfSubjectAccessReview)],
  [`selfsubjectrulesreviews.${AUTHORIZATION}`, selfSubjectRulesReview],
  [`selfsubjectreviews.${AUTHENTICATION}`, selfSubjectReview],
  [`tokenreviews.${AUTHENTICATION}`, inNoNamespace(tokenReview)],
])

/** Outside namespaces, what the object says of one is dropped on every create. */
function inNoNamespace(review: Review): Review {
  return (object, context) => {
    if (object.metadata.namespace === undefined) return review(object, context)
    const { namespace: _, ...metadata } = object.metadata
    return review({ ...object, metadata }, context)
  }
}

async function subjectAccessReview(object: KubeObject, context: ReviewContext): Promise<KubeObject> {
  const spec = objectAt(object['spec'])
  refuse([...specCauses(spec, true), ...metadataCauses(object.metadata, 'must be empty')])
  return { ...object, status: await decide(spec, userOf(spec), context) }
}

async function localSubjectAccessReview(object: KubeObject, context: ReviewContext): Promise<KubeObject> {
  const given = object.metadata.namespace || context.namespace
  if (given !== context.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  // In the order in which a refusal shows them.
  const { name, generateName, ...rest } = object.metadata
  const metadata: ObjectMeta = {
    ...(name === undefined ? {} : { name }),
    ...(generateName === undefined ? {} : { generateName }),
    namespace: given,
    ...rest,
  }
  const spec = objectAt(object['spec'])
  refuse([
    ...specCauses(spec, true),
    ...metadataCauses(metadata, 'must be empty except for namespace'),
    ...localCauses(spec, given),
  ])
  return { ...object, metadata, status: await decide(spec, userOf(spec), context) }
}

async function selfSubjectAccessReview(object: KubeObject, context: ReviewContext): Promise<KubeObject> {
  const spec = objectAt(object['spec'])
  refuse([...specCauses(spec, false), ...metadataCauses(object.metadata, 'must be empty')])
  return { ...object, status: await decide(spec, context.user, context) }
}

async function decide(spec: JsonObject, user: UserInfo, context: ReviewContext): Promise<JsonObject> {
  const { attributes, errors } = attributesOf(spec, user)
  const { decision, reason, error } = await context.authorizer.authorize(attributes)
  const faults = [...(error === undefined ? [] : [error]), ...errors]
  return {
    allowed: decision === 'allow',
    ...(decision === 'deny' ? { denied: true } : {}),
    ...(reason === '' ? {} : { reason }),
    ...(faults.length === 0 ? {} : { evaluationError: faults.join('; ') }),
  }
}

interface Asked {
  readonly attributes: AuthorizationAttributes
  readonly errors: readonly string[]
}

const NOTHING = { path: '', group: '', version: '', resource: '', subresource: '', namespace: '', name: '' }

function attributesOf(spec: JsonObject, user: UserInfo): Asked {
  if (!present(spec['resourceAttributes'])) {
    const { path, verb } = objectAt(spec['nonResourceAttributes'])
    const attributes = { ...NOTHING, user, isResourceRequest: false, path: textAt(path), verb: textAt(verb) }
    return { attributes, errors: [] }
  }
  const asked = objectAt(spec['resourceAttributes'])
  const text = (field: string): string => textAt(asked[field])
  const selectors = readSelectors(asked)
  const attributes = {
    user,
    isResourceRequest: true,
    path: '',
    verb: text('verb'),
    group: text('group'),
    version: text('version') || '*',
    resource: text('resource'),
    subresource: text('subresource'),
    namespace: text('namespace'),
    name: text('name'),
    ...selectors.attributes,
  }
  return { attributes, errors: selectors.errors }
}

function userOf(spec: JsonObject): UserInfo {
  const extra = Object.entries(objectAt(spec['extra'])).map(
    ([key, values]) => [key, textsAt(values)] as const,
  )
  const uid = textAt(spec['uid'])
  return {
    name: textAt(spec['user']),
    ...(uid === '' ? {} : { uid }),
    groups: textsAt(spec['groups']),
    ...(extra.length === 0 ? {} : { extra: Object.fromEntries(extra) }),
  }
}

// ---- what is refused

function specCauses(spec: JsonObject, namesUser: boolean): StatusCause[] {
  const { resourceAttributes, nonResourceAttributes } = spec
  const causes: StatusCause[] = []
  if (present(resourceAttributes) && present(nonResourceAttributes)) {
    const why = 'cannot be specified in combination with resourceAttributes'
    causes.push(cause.invalid('spec.nonResourceAttributes', shownPath(spec), why))
  }
  if (!present(resourceAttributes) && !present(nonResourceAttributes)) {
    const why = 'exactly one of nonResourceAttributes or resourceAttributes must be specified'
    causes.push(cause.invalid('spec.resourceAttributes', null, why))
  }
  if (namesUser && textAt(spec['user']) === '' && textsAt(spec['groups']).length === 0) {
    causes.push(cause.invalid('spec.user', '', 'at least one of user or group must be specified'))
  }
  if (present(resourceAttributes)) causes.push(...selectorCauses(objectAt(resourceAttributes)))
  return causes
}

function localCauses(spec: JsonObject, namespace: string): StatusCause[] {
  const causes: StatusCause[] = []
  const asked = textAt(objectAt(spec['resourceAttributes'])['namespace'])
  if (present(spec['resourceAttributes']) && asked !== namespace) {
    causes.push(cause.invalid('spec.resourceAttributes.namespace', asked, 'must match metadata.namespace'))
  }
  if (present(spec['nonResourceAttributes'])) {
    causes.push(
      cause.invalid('spec.nonResourceAttributes', shownPath(spec), 'disallowed on this kind of request'),
    )
  }
  return causes
}

/** Upstream shows its internal structure, whose fields have capitals. */
function shownPath(spec: JsonObject): JsonObject {
  const { path, verb } = objectAt(spec['nonResourceAttributes'])
  return { Path: textAt(path), Verb: textAt(verb) }
}

function metadataCauses(metadata: ObjectMeta, why: string): StatusCause[] {
  const { managedFields: _, namespace: __, ...rest } = metadata
  return Object.values(rest).every(isEmpty) ? [] : [cause.invalid('metadata', metadata, why)]
}

const isEmpty = (value: Json | undefined): boolean =>
  !value || (typeof value === 'object' && Object.keys(value).length === 0)

/** Upstream names no kind here. */
function refuse(causes: StatusCause[]): void {
  if (causes.length === 0) return
  const error: StatusError = invalid({ group: AUTHORIZATION, kind: '' }, '', causes)
  delete error.status.details?.kind
  throw error
}

// ---- rules, users, tokens

async function selfSubjectRulesReview(object: KubeObject, context: ReviewContext): Promise<KubeObject> {
  const namespace = textAt(objectAt(object['spec'])['namespace'])
  if (namespace === '') throw badRequest('no namespace on request')
  const { rules, errors, incomplete = false } = context.rulesFor(context.user, namespace)
  return {
    apiVersion: `${AUTHORIZATION}/v1`,
    kind: 'SelfSubjectRulesReview',
    metadata: {},
    spec: {},
    status: {
      resourceRules: picked(rules, 'resources', ['verbs', 'apiGroups', 'resources', 'resourceNames']),
      nonResourceRules: picked(rules, 'nonResourceURLs', ['verbs', 'nonResourceURLs']),
      incomplete,
      ...(errors.length === 0 ? {} : { evaluationError: aggregate(errors) }),
    },
  }
}

function picked(rules: readonly JsonObject[], needed: string, fields: readonly string[]): JsonObject[] {
  return rules
    .filter((rule) => textsAt(rule[needed]).length > 0)
    .map((rule) => {
      const kept = fields.filter((field) => textsAt(rule[field]).length > 0)
      return Object.fromEntries(kept.map((field) => [field, [...textsAt(rule[field])]]))
    })
}

async function selfSubjectReview(_: KubeObject, { user, now }: ReviewContext): Promise<KubeObject> {
  return {
    apiVersion: `${AUTHENTICATION}/v1`,
    kind: 'SelfSubjectReview',
    metadata: { creationTimestamp: timeText(now) },
    status: { userInfo: shownUser(user) },
  }
}

async function tokenReview(object: KubeObject, context: ReviewContext): Promise<KubeObject> {
  const spec = objectAt(object['spec'])
  const token = textAt(spec['token'])
  if (token === '') throw badRequest('token is required for TokenReview in authentication')
  const verdict = await context.reviewToken(token, textsAt(spec['audiences']))
  if ('error' in verdict) {
    const { authenticated: _, ...given } = objectAt(object['status'])
    return { ...object, status: { user: {}, ...given, error: verdict.error } }
  }
  const audiences = verdict.audiences.length === 0 ? {} : { audiences: [...verdict.audiences] }
  return { ...object, status: { authenticated: true, user: shownUser(verdict.user), ...audiences } }
}

function shownUser({ name, uid, groups, extra = {} }: UserInfo): JsonObject {
  const entries = Object.entries(extra).map(([key, values]): [string, string[]] => [key, [...values]])
  return {
    username: name,
    ...(uid ? { uid } : {}),
    ...(groups.length === 0 ? {} : { groups: [...groups] }),
    ...(entries.length === 0 ? {} : { extra: Object.fromEntries(entries) }),
  }
}
