// What the rules of a definition may cost: each of them, and all together, before any of them has run.
// Follows k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation (cel_validation.go, validation.go).
import type { Program } from '../../cel/compile.ts'
import { estimateCost } from '../../cel/estimate.ts'
import { times } from '../../cel/estimate-sizes.ts'
import { cause, type StatusCause } from '../../machinery/status.ts'
import type { SchemaNode } from '../../schema/custom/structural.ts'
import { remembered } from '../../schema/turns.ts'
import { MAX_REQUEST_BYTES, type Sized, sizeAt } from './celsizes.ts'

/** What one rule may cost, for all the data that it may be asked about. */
const RULE_LIMIT = 10_000_000
/** What all rules of a schema may. */
const SCHEMA_LIMIT = 100_000_000
/** Rules that have a hundredth of it are named where the whole is too much, but only the costliest. */
const MOST_NAMED = 4
/** Beyond so many times the limit nobody needs to know how much it is. */
const MUCH = 100
/** Below, one digit would say that nothing is wrong. */
const LITTLE = 1.5

/** How often the data of a child can occur, by what its parents bound; undefined: they bound nothing. */
export type Often = number | undefined

export function oftenBelow(node: SchemaNode, often: Often): Often {
  const most = mostBelow(node)
  return often === undefined || most === undefined ? undefined : times(often, most)
}

function mostBelow({ type, props }: SchemaNode): Often {
  const bound = (key: string): Often => {
    const value = props[key]
    return typeof value === 'number' ? Math.max(0, value) : undefined
  }
  if (type === 'array') return bound('maxItems')
  return type === 'object' && props['additionalProperties'] !== undefined ? bound('maxProperties') : 1
}

/** The costs of one schema. */
export class Costs {
  readonly #causes: StatusCause[]
  /** The schema is stored as it is: no rule of it alone is refused. */
  readonly #isKnown: boolean
  #total = 0
  readonly #expensive: { readonly field: string; readonly cost: number }[] = []

  constructor(causes: StatusCause[], isKnown: boolean) {
    this.#causes = causes
    this.#isKnown = isKnown
  }

  /** A rule about data of these sizes, which occurs so often. */
  rule(program: Program, field: string, sized: Sized, often: Often): void {
    const occurs = often ?? Math.floor(MAX_REQUEST_BYTES / (sized.minBytes + 1))
    this.#add('estimated rule cost', field, times(estimate(program, sized), occurs))
  }

  /** A message is made once. */
  message(program: Program, field: string, sized: Sized): void {
    this.#add('estimated messageExpression cost', field, estimate(program, sized))
  }

  #add(name: string, field: string, cost: number): void {
    if (cost > RULE_LIMIT && !this.#isKnown)
      this.#causes.push(cause.forbidden(field, tooMuch(name, cost, RULE_LIMIT)))
    this.#total += cost
    if (cost >= SCHEMA_LIMIT / 100) this.#expensive.push({ field, cost })
  }

  /** What all of them cost together; `path` is the schema's. */
  finish(path: string): void {
    if (this.#total <= SCHEMA_LIMIT) return
    const why = 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema'
    const named = this.#expensive.toSorted((a, b) => (a.cost === b.cost ? 0 : b.cost - a.cost))
    for (const { field } of named.slice(0, MOST_NAMED)) this.#causes.push(cause.forbidden(field, why))
    const name = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema'
    this.#causes.push(cause.forbidden(path, tooMuch(name, this.#total, SCHEMA_LIMIT)))
  }
}

const estimate = (program: Program, sized: Sized): number =>
  remembered(program, 'cost', () =>
    estimateCost(program.expr, program.checked, (path) => sizeAt(sized, path)),
  )

function tooMuch(name: string, cost: number, limit: number): string {
  const factor = cost / limit
  const shown =
    factor > MUCH ? `more than ${MUCH}x` : factor < LITTLE ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`
  return `${name} exceeds budget by factor of ${shown} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`
}
