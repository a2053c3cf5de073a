// Divides seats among levels: each gets the same multiple of its target, as far as its bounds let it.
// Pure. Follows k8s.io/apiserver/pkg/util/flowcontrol/conc_alloc.go.

export interface Claim {
  readonly target: number
  readonly lower: number
  readonly upper: number
}

export interface Allocation {
  /** In the order of the claims; they add up to the sum that was to divide. */
  readonly shares: readonly number[]
  /** The multiple. */
  readonly fraction: number
}

/** A level that asks for nothing counts as one that asks for this much. */
const MIN_TARGET = 0.001
const EPSILON = 1e-7

/** undefined where it cannot be: bounds that contradict each other, the targets, or the sum. */
export function allocate(sum: number, claims: readonly Claim[]): Allocation | undefined {
  if (sum < 0 || claims.some(({ lower, upper, target }) => lower < 0 || target < lower || upper < lower))
    return undefined
  const items = claims.map((claim) => ({ ...claim, target: Math.max(claim.target, MIN_TARGET) }))
  const total = (value: (claim: Claim) => number): number => items.reduce((all, one) => all + value(one), 0)
  const low = total(({ lower }) => lower)
  const high = total(({ upper }) => upper)
  if (low - sum > EPSILON || sum - high > EPSILON) return undefined
  if (sum === 0) return { shares: items.map(() => 0), fraction: 0 }
  const lowest = Math.min(...items.map(({ lower, target }) => lower / target))
  if (low - sum > -EPSILON) return { shares: items.map(({ lower }) => lower), fraction: lowest }
  const highest = Math.max(...items.map(({ upper, target }) => upper / target))
  if (sum - high > -EPSILON) return { shares: items.map(({ upper }) => upper), fraction: highest }
  const fraction = fractionFor(sum, items)
  return { shares: items.map((claim) => share(claim, fraction)), fraction }
}

const share = ({ target, lower, upper }: Claim, fraction: number): number =>
  Math.max(lower, Math.min(upper, fraction * target))

/**
 * The multiple at which the shares add up to `sum`. Their total grows with it, along straight lines between the points at
 * which a claim leaves its lower bound or meets its upper one.
 */
function fractionFor(sum: number, items: readonly Claim[]): number {
  const totalAt = (fraction: number): number => items.reduce((all, one) => all + share(one, fraction), 0)
  const points = items
    .flatMap(({ lower, upper, target }) => [lower / target, upper / target])
    .sort((a, b) => a - b)
  let from = points[0] ?? 0
  let below = totalAt(from)
  for (const to of points) {
    if (to <= from) continue
    const above = totalAt(to)
    if (above >= sum) return above === below ? to : from + ((sum - below) * (to - from)) / (above - below)
    from = to
    below = above
  }
  return from
}
