// Requests that another server decides on: it is sent a SubjectAccessReview, and its answer is remembered for a while.
// Follows k8s.io/apiserver/plugin/pkg/authorizer/webhook.
import { askAgain } from '../machinery/askagain.ts'
import type { AuthorizationAttributes, Decision } from '../machinery/attributes.ts'
import { ExpiringMap } from '../machinery/expiringmap.ts'
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import type { RuleAuthorizer } from './chain.ts'
import type { UserRules } from './rbac.ts'
import { betaSpec, reviewSpec } from './reviewspec.ts'

export interface WebhookAuthorizerOptions {
  /** Of the review that is sent and expected. */
  readonly version: 'v1' | 'v1beta1'
  /** How long answers that allow are remembered, and how long the others; 0: they are not. */
  readonly authorizedTtlMs: number
  readonly unauthorizedTtlMs: number
  /** What a webhook that cannot be asked comes to. */
  readonly decisionOnError: 'deny' | 'noOpinion'
  /** Is it asked about this review? Absent: about every one. Throws an Error where that cannot be told. */
  matches?(spec: JsonObject): boolean
  /** POSTs JSON; rejects with an Error, a HookFailure where nobody answered or with a bad status. */
  send(body: Buffer): Promise<JsonObject>
  /** Hears why the webhook could not be asked. */
  warn(why: string): void
  now(): number
  wait(ms: number): Promise<void>
}

const GROUP = 'authorization.k8s.io'
const KIND = 'SubjectAccessReview'
/** Answers that are remembered, as upstream's bound. */
const MAX_ANSWERS = 8192
/** What clients may make as long as they like is not remembered from this length on: it may be an attack. */
const MAX_REMEMBERED_LENGTH = 10_000

const NO_RULES: UserRules = {
  rules: [],
  errors: ['webhook authorizer does not support user rule resolution'],
  incomplete: true,
}

export class WebhookAuthorizer implements RuleAuthorizer {
  readonly #options: WebhookAuthorizerOptions
  readonly #answers: ExpiringMap<Decision>

  constructor(options: WebhookAuthorizerOptions) {
    this.#options = options
    this.#answers = new ExpiringMap(MAX_ANSWERS, () => options.now())
  }

  authorize(attributes: AuthorizationAttributes): Decision | Promise<Decision> {
    const spec = reviewSpec(attributes)
    try {
      if (this.#options.matches?.(spec) === false) return { decision: 'noOpinion', reason: '' }
    } catch (error) {
      return this.#failed(error)
    }
    const key = JSON.stringify(spec)
    return this.#answers.get(key) ?? this.#ask(spec, isShort(attributes) ? key : undefined)
  }

  rulesFor(): UserRules {
    return NO_RULES
  }

  /** `key`: what the answer is remembered by. */
  async #ask(spec: JsonObject, key: string | undefined): Promise<Decision> {
    const { version, send, wait, warn, authorizedTtlMs, unauthorizedTtlMs } = this.#options
    const review = {
      kind: KIND,
      apiVersion: `${GROUP}/${version}`,
      metadata: {},
      spec: version === 'v1' ? spec : betaSpec(spec),
      status: { allowed: false },
    }
    const body = Buffer.from(JSON.stringify(review))
    try {
      const status = statusOf(await askAgain(() => send(body), wait), version)
      const decision = decisionOf(status)
      if (key !== undefined)
        this.#answers.set(key, decision, status['allowed'] === true ? authorizedTtlMs : unauthorizedTtlMs)
      return decision
    } catch (error) {
      warn(error instanceof Error ? error.message : String(error))
      return this.#failed(error)
    }
  }

  #failed(error: unknown): Decision {
    const why = error instanceof Error ? error.message : String(error)
    return { decision: this.#options.decisionOnError, reason: '', error: why }
  }
}

function isShort(attributes: AuthorizationAttributes): boolean {
  const { namespace, verb, group, version, resource, subresource, name, path } = attributes
  const texts = [namespace, verb, group, version, resource, subresource, name, path]
  return texts.reduce((sum, text) => sum + text.length, 0) < MAX_REMEMBERED_LENGTH
}

/** What is missing of kind and version is taken to be what was asked for. Throws an Error for another kind. */
function statusOf(answer: JsonObject, version: string): JsonObject {
  const { kind = KIND, apiVersion = `${GROUP}/${version}`, status } = answer
  if (kind !== KIND || apiVersion !== `${GROUP}/${version}`) {
    throw new Error(`expected a ${KIND} of ${GROUP}/${version}, got ${textOf(kind)} of ${textOf(apiVersion)}`)
  }
  return isObject(status) ? status : {}
}

function decisionOf(status: JsonObject): Decision {
  const reason = textOf(status['reason'])
  const [allowed, denied] = [status['allowed'] === true, status['denied'] === true]
  if (allowed && denied) {
    const error = 'webhook subject access review returned both allow and deny response'
    return { decision: 'deny', reason, error }
  }
  return { decision: denied ? 'deny' : allowed ? 'allow' : 'noOpinion', reason }
}

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
