// Gives each request its flow schema: the first, by precedence and name, of which a rule fits. Of a user only the rules
// that speak of them are looked at, found once; where one of these fits everything, the search ends there for good.
// Follows startRequest in k8s.io/apiserver/pkg/util/flowcontrol/apf_controller.go.
import type { RequestInfo } from '../machinery/attributes.ts'
import type { UserInfo } from '../machinery/user.ts'
import { matchesEverything, matchesRequest, matchesSubject } from './match.ts'
import type { Rule, SchemaSpec } from './spec.ts'

/** What belongs to one schema. */
export interface Classified {
  readonly schema: SchemaSpec
}

interface Candidate<Flow> {
  readonly flow: Flow
  readonly rule: Rule
  readonly isLast: boolean
}

export class Classifier<Flow extends Classified> {
  readonly #flows: readonly Flow[]
  readonly #fallback: Flow
  /** By the object that the authenticator hands out again and again for the same credential. */
  readonly #byUser = new WeakMap<UserInfo, readonly Candidate<Flow>[]>()

  /** `fallback`: for requests that no schema fits. */
  constructor(flows: readonly Flow[], fallback: Flow) {
    this.#flows = [...flows].sort(({ schema: a }, { schema: b }) => inOrder(a, b))
    this.#fallback = fallback
  }

  /** In the order in which they are looked at. */
  get flows(): readonly Flow[] {
    return this.#flows
  }

  flowOf(info: RequestInfo, user: UserInfo): Flow {
    let candidates = this.#byUser.get(user)
    if (!candidates) this.#byUser.set(user, (candidates = this.#candidatesOf(user)))
    for (const { flow, rule, isLast } of candidates) if (isLast || matchesRequest(rule, info)) return flow
    return this.#fallback
  }

  #candidatesOf(user: UserInfo): Candidate<Flow>[] {
    const candidates: Candidate<Flow>[] = []
    for (const flow of this.#flows) {
      for (const rule of flow.schema.rules) {
        if (!matchesSubject(rule.subjects, user)) continue
        const isLast = matchesEverything(rule)
        candidates.push({ flow, rule, isLast })
        if (isLast) return candidates
      }
    }
    return candidates
  }
}

const inOrder = (a: SchemaSpec, b: SchemaSpec): number =>
  a.precedence - b.precedence || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
