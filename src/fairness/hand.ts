// Which queues a flow may wait in: a hand of cards dealt from the deck of all queues by the hash of the flow, so that two
// flows rarely share all of theirs. Pure. Follows k8s.io/apiserver/pkg/util/shufflesharding.
import { createHash } from 'node:crypto'

/** The flow's hash: the first eight bytes, little-endian, of SHA-256 over schema, NUL, distinguisher. */
export function hashFlow(schema: string, distinguisher: string): bigint {
  return createHash('sha256').update(`${schema}\0${distinguisher}`).digest().readBigUInt64LE(0)
}

/** `handSize` distinct numbers below `deckSize`, in the order in which they are dealt. */
export function deal(hash: bigint, deckSize: number, handSize: number): number[] {
  const remainders: number[] = []
  let rest = hash
  for (let i = 0; i < handSize; i++) {
    const cards = BigInt(deckSize - i)
    remainders.push(Number(rest % cards))
    rest /= cards
  }
  return remainders.map((remainder, i) => {
    let card = remainder
    for (let j = i - 1; j >= 0; j--) if (card >= (remainders[j] as number)) card++
    return card
  })
}

/** More flows than this at a time are forgotten and dealt again: a bound on memory, at some microseconds a flow. */
const MAX_HANDS = 4096

/** The hands of one schema's flows, each dealt once. */
export class Hands {
  readonly #schema: string
  readonly #deckSize: number
  readonly #handSize: number
  readonly #known = new Map<string, readonly number[]>()

  constructor(schema: string, deckSize: number, handSize: number) {
    this.#schema = schema
    this.#deckSize = deckSize
    this.#handSize = handSize
  }

  of(distinguisher: string): readonly number[] {
    const known = this.#known.get(distinguisher)
    if (known) return known
    if (this.#known.size >= MAX_HANDS) this.#known.clear()
    const hand = deal(hashFlow(this.#schema, distinguisher), this.#deckSize, this.#handSize)
    this.#known.set(distinguisher, hand)
    return hand
  }
}
