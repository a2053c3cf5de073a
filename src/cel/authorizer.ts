// authorizer.group("apps").resource("deployments").check("create").allowed(): questions to the authorizer.
// An answer may have to be waited for; how, see Authorizations. Follows k8s.io/apiserver/pkg/cel/library/authz.go.
import type { Decision } from '../machinery/attributes.ts'
import { CelError } from './fault.ts'
import type { Define, Library } from './overload.ts'
import { opaque } from './types.ts'
import { OpaqueValue, type Value } from './values.ts'
import { inTurns } from '../schema/turns.ts'

const AUTHORIZER = 'kubernetes.authorization.Authorizer'
const PATH = 'kubernetes.authorization.PathCheck'
const GROUP = 'kubernetes.authorization.GroupCheck'
const RESOURCE = 'kubernetes.authorization.ResourceCheck'
const DECISION = 'kubernetes.authorization.Decision'

export const AUTHORIZER_TYPE = opaque(AUTHORIZER)
export const RESOURCE_CHECK_TYPE = opaque(RESOURCE)

/** A question, as far as it was put. */
export interface Question {
  /** Asks for this service account instead of the request's user. */
  readonly serviceAccount?: { readonly namespace: string; readonly name: string }
  readonly path?: string
  readonly group?: string
  readonly resource?: string
  readonly subresource?: string
  readonly namespace?: string
  readonly name?: string
  readonly fieldSelector?: string
  readonly labelSelector?: string
  readonly verb?: string
}

/** The variable `authorizer`. */
export const authorizerValue = (): OpaqueValue => value(AUTHORIZER, {})
/** The variable `authorizer.requestResource`. */
export const resourceCheckValue = (question: Question): OpaqueValue => value(RESOURCE, question)

const value = (type: string, question: Question): OpaqueValue =>
  new OpaqueValue(type, question, JSON.stringify(question))
const questionOf = (from: Value | undefined): Question => (from as OpaqueValue).data as Question

/** A check costs so much that two fit into one expression. */
const CHECK_COST = 350_000

export const authorizers: Library = (define) => {
  const step = (signature: string, type: string, change: (args: readonly string[]) => Question): void =>
    define(`${signature} ${type}`, ([from, ...args]) =>
      value(type, { ...questionOf(from), ...change(args as string[]) }),
    )
  step(`${AUTHORIZER}->path(string)`, PATH, ([path = '']) => {
    if (path === '') throw new CelError('path must not be empty')
    return { path }
  })
  step(`${AUTHORIZER}->group(string)`, GROUP, ([group = '']) => ({ group }))
  step(`${AUTHORIZER}->serviceAccount(string, string)`, AUTHORIZER, ([namespace = '', name = '']) => ({
    serviceAccount: { namespace, name },
  }))
  step(`${GROUP}->resource(string)`, RESOURCE, ([resource = '']) => ({ resource }))
  for (const part of ['subresource', 'namespace', 'name', 'fieldSelector', 'labelSelector']) {
    step(`${RESOURCE}->${part}(string)`, RESOURCE, ([given = '']) => ({ [part]: given }))
  }
  for (const type of [PATH, RESOURCE]) {
    define(
      `${type}->check(string) ${DECISION}`,
      ([from, verb], evaluation) => {
        if (!evaluation.authorize) throw new CelError('no authorizer')
        return evaluation.authorize({ ...questionOf(from), verb: verb as string })
      },
      () => CHECK_COST,
    )
  }
  decisions(define)
}

function decisions(define: Define): void {
  const of = (given: Value | undefined): Decision => (given as OpaqueValue).data as Decision
  define(`${DECISION}->errored() bool`, ([given]) => of(given).error !== undefined)
  define(`${DECISION}->error() string`, ([given]) => of(given).error ?? '')
  define(`${DECISION}->allowed() bool`, ([given]) => of(given).decision === 'allow')
  define(`${DECISION}->reason() string`, ([given]) => of(given).reason)
}

/** Thrown where an answer is not there yet: wait for it, then evaluate again. */
export class Waiting extends Error {
  readonly answer: Promise<unknown>
  constructor(answer: Promise<unknown>) {
    super('an authorization is being waited for')
    this.answer = answer
  }
}

/** The authorizer of one request: each question is asked once. */
export class Authorizations {
  readonly #ask: (question: Question) => Decision | Promise<Decision>
  readonly #answers = new Map<string, OpaqueValue>()
  constructor(ask: (question: Question) => Decision | Promise<Decision>) {
    this.#ask = ask
  }

  /** For Program.run. */
  readonly authorize = (attributes: unknown): Value => {
    const question = attributes as Question
    const key = JSON.stringify(question)
    const known = this.#answers.get(key)
    if (known) return known
    const answer = this.#ask(question)
    if (!(answer instanceof Promise)) return this.#keep(key, answer)
    throw new Waiting(
      answer.then(
        (decision) => this.#keep(key, decision),
        (error: unknown) => this.#keep(key, { decision: 'noOpinion', reason: '', error: String(error) }),
      ),
    )
  }

  #keep(key: string, decision: Decision): OpaqueValue {
    const kept = new OpaqueValue(DECISION, decision, key)
    this.#answers.set(key, kept)
    return kept
  }

  /** Evaluates, in turns with other requests, and again after each answer that had to be waited for. */
  async settle<T>(evaluate: () => T): Promise<T> {
    for (;;) {
      try {
        return await inTurns(evaluate)
      } catch (error) {
        if (!(error instanceof Waiting)) throw error
        await error.answer
      }
    }
  }
}
