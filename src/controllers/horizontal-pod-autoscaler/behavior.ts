// From the number that metrics ask for to the one that is set: limits, rates of change, and what was asked for of late.
// Follows the normalisation in k8s.io/kubernetes/pkg/controller/podautoscaler/horizontal.go.
import type {
  HPAScalingRules,
  HorizontalPodAutoscalerBehavior,
} from '../../client/kinds/autoscaling.v2.gen.ts'

/** Without rules, replicas may double, or grow to this many. */
const UP_FACTOR = 2
const UP_LEAST = 4
const MAX_INT32 = 2 ** 31 - 1

interface Recommendation {
  readonly replicas: number
  /** ms since 1970 */
  readonly at: number
}

interface Change {
  /** Not negative. */
  readonly by: number
  readonly at: number
}

/** What is remembered of one autoscaler. */
export interface History {
  recommendations: Recommendation[]
  up: Change[]
  down: Change[]
}

/** The first recommendation is what there was when the autoscaler was seen first. */
export const historyFrom = (replicas: number, now: number): History => ({
  recommendations: [{ replicas, at: now }],
  up: [],
  down: [],
})

export interface Wish {
  readonly current: number
  readonly desired: number
  readonly min: number
  readonly max: number
  readonly behavior: HorizontalPodAutoscalerBehavior | undefined
  /** How long a higher recommendation holds where the rules do not say. */
  readonly downWindowMs: number
  /** ms since 1970 */
  readonly now: number
}

/** Reason and message of a condition. */
type Why = readonly [reason: string, message: string]

export interface Settled {
  readonly replicas: number
  readonly stabilized: Why
  readonly limited: { readonly by: boolean; readonly why: Why }
}

const READY: Why = ['ReadyForNewScale', 'recommended size matches current size']
const WITHIN: Why = ['DesiredWithinRange', 'the desired count is within the acceptable range']
const UP_STABILIZED: Why = [
  'ScaleUpStabilized',
  'recent recommendations were lower than current one, applying the lowest recent recommendation',
]
const DOWN_STABILIZED: Why = [
  'ScaleDownStabilized',
  'recent recommendations were higher than current one, applying the highest recent recommendation',
]
const UP_LIMIT: Why = [
  'ScaleUpLimit',
  'the desired replica count is increasing faster than the maximum scale rate',
]
const DOWN_LIMIT: Why = [
  'ScaleDownLimit',
  'the desired replica count is decreasing faster than the maximum scale rate',
]
const TOO_MANY: Why = ['TooManyReplicas', 'the desired replica count is more than the maximum replica count']
const TOO_FEW: Why = ['TooFewReplicas', 'the desired replica count is less than the minimum replica count']

/** Notes the wish in the history. */
export function settle(wish: Wish, history: History): Settled {
  const { behavior, desired, current } = wish
  const stable = behavior ? stabilizedByRules(wish, behavior, history) : stabilized(wish, history)
  const isStable = stable === desired
  const direction = behavior && desired >= current ? UP_STABILIZED : DOWN_STABILIZED
  const [replicas, why] = behavior
    ? limitedByRules({ ...wish, desired: stable }, behavior, history)
    : limited({ ...wish, desired: stable })
  return { replicas, stabilized: isStable ? READY : direction, limited: { by: replicas !== stable, why } }
}

/** The highest that was asked for within the window. */
function stabilized({ desired, now, downWindowMs }: Wish, history: History): number {
  const young = history.recommendations.filter(({ at }) => at >= now - downWindowMs)
  history.recommendations = [...young, { replicas: desired, at: now }]
  return Math.max(desired, ...young.map(({ replicas }) => replicas))
}

/** Up as far as was always asked for within its window, down as far as was always asked for within the other. */
function stabilizedByRules(wish: Wish, behavior: HorizontalPodAutoscalerBehavior, history: History): number {
  const { current, desired, now, downWindowMs } = wish
  const upMs = (behavior.scaleUp?.stabilizationWindowSeconds ?? 0) * 1000
  const downSeconds = behavior.scaleDown?.stabilizationWindowSeconds
  const downMs = downSeconds === undefined ? downWindowMs : downSeconds * 1000
  const since = (ms: number): number[] =>
    history.recommendations.filter(({ at }) => at > now - ms).map(({ replicas }) => replicas)
  const lowest = Math.min(desired, ...since(upMs))
  const highest = Math.max(desired, ...since(downMs))
  const kept = history.recommendations.filter(({ at }) => at >= now - Math.max(upMs, downMs))
  history.recommendations = [...kept, { replicas: desired, at: now }]
  return Math.min(Math.max(current, lowest), highest)
}

function limited({ current, desired, min, max }: Wish): readonly [number, Why] {
  const fastest = Math.max(UP_FACTOR * current, UP_LEAST)
  if (desired < min) return [min, TOO_FEW]
  if (desired > Math.min(max, fastest)) return max > fastest ? [fastest, UP_LIMIT] : [max, TOO_MANY]
  return [desired, WITHIN]
}

function limitedByRules(
  { current, desired, min, max, now }: Wish,
  { scaleUp = {}, scaleDown = {} }: HorizontalPodAutoscalerBehavior,
  history: History,
): readonly [number, Why] {
  if (desired > current) {
    const fastest = Math.max(upLimit(current, scaleUp, history, now), current)
    if (desired > Math.min(max, fastest)) return max > fastest ? [fastest, UP_LIMIT] : [max, TOO_MANY]
  } else if (desired < current) {
    const fastest = Math.min(downLimit(current, scaleDown, history, now), current)
    if (desired < Math.max(min, fastest)) return min < fastest ? [fastest, DOWN_LIMIT] : [min, TOO_FEW]
  }
  return [desired, WITHIN]
}

/** How many there were when the period of a policy began. */
function before(current: number, seconds: number, { up, down }: History, now: number): number {
  const changed = (changes: readonly Change[]): number =>
    changes.filter(({ at }) => at > now - seconds * 1000).reduce((sum, { by }) => sum + by, 0)
  return current - changed(up) + changed(down)
}

function upLimit(current: number, rules: HPAScalingRules, history: History, now: number): number {
  if (rules.selectPolicy === 'Disabled') return current
  const limits = (rules.policies ?? []).map(({ type, value, periodSeconds }) => {
    const start = before(current, periodSeconds, history, now)
    // Rounded up: a share of few must not be none.
    return type === 'Pods' ? start + value : Math.ceil(start * (1 + value / 100))
  })
  return rules.selectPolicy === 'Min' ? Math.min(MAX_INT32, ...limits) : Math.max(-MAX_INT32, ...limits)
}

function downLimit(current: number, rules: HPAScalingRules, history: History, now: number): number {
  if (rules.selectPolicy === 'Disabled') return current
  const limits = (rules.policies ?? []).map(({ type, value, periodSeconds }) => {
    const start = before(current, periodSeconds, history, now)
    return type === 'Pods' ? start - value : Math.trunc(start * (1 - value / 100))
  })
  return rules.selectPolicy === 'Min' ? Math.max(-MAX_INT32, ...limits) : Math.min(MAX_INT32, ...limits)
}

/** Notes that the replicas were changed, where rules will ask for it. */
export function noteChange(
  history: History,
  behavior: HorizontalPodAutoscalerBehavior | undefined,
  { from, to, now }: { from: number; to: number; now: number },
): void {
  if (!behavior) return
  const way = to > from ? 'up' : 'down'
  const rules = to > from ? behavior.scaleUp : behavior.scaleDown
  const longest = Math.max(0, ...(rules?.policies ?? []).map(({ periodSeconds }) => periodSeconds))
  const kept = history[way].filter(({ at }) => at >= now - longest * 1000)
  history[way] = [...kept, { by: Math.abs(to - from), at: now }]
}
