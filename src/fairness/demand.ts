// How many seats a level could have used since one last looked: average, deviation and highest, weighted by time.
// Pure. Follows k8s.io/apiserver/pkg/util/flowcontrol/fairqueuing/integrator.go and seatDemandStats beside it.

/** Decays by half in five minutes of looks that are ten seconds apart. */
const SMOOTHING = 0.977

export interface DemandPeriod {
  /** In ms. */
  readonly duration: number
  readonly average: number
  readonly deviation: number
  readonly max: number
}

export class DemandIntegrator {
  #since: number
  #value = 0
  #max = 0
  #elapsed = 0
  #first = 0
  #second = 0

  constructor(now: number) {
    this.#since = now
  }

  set(value: number, now: number): void {
    if (value === this.#value) return
    this.#close(now)
    this.#value = value
    if (value > this.#max) this.#max = value
  }

  /** What was since the last reset; begins anew. */
  reset(now: number): DemandPeriod {
    this.#close(now)
    const duration = this.#elapsed
    const average = duration > 0 ? this.#first / duration : 0
    const variance = duration > 0 ? this.#second / duration - average * average : 0
    const period = { duration, average, deviation: Math.sqrt(Math.max(0, variance)), max: this.#max }
    this.#elapsed = this.#first = this.#second = 0
    this.#max = this.#value
    return period
  }

  #close(now: number): void {
    const elapsed = now - this.#since
    if (elapsed <= 0) return
    this.#since = now
    this.#elapsed += elapsed
    this.#first += this.#value * elapsed
    this.#second += this.#value * this.#value * elapsed
  }
}

/** What is known of a level's demand over all periods. */
export interface DemandStats {
  readonly average: number
  readonly deviation: number
  readonly highWatermark: number
  /** Follows a rise at once, and a fall slowly. */
  readonly smoothed: number
}

export const NO_DEMAND: DemandStats = { average: 0, deviation: 0, highWatermark: 0, smoothed: 0 }

/** The statistics after one more period. */
export function withPeriod(stats: DemandStats, period: DemandPeriod): DemandStats {
  const { average, deviation, duration } = period
  const highWatermark = Math.round(period.max)
  if (duration <= 0) return { ...stats, highWatermark }
  const envelope = average + deviation
  const smoothed = Math.max(envelope, SMOOTHING * stats.smoothed + (1 - SMOOTHING) * envelope)
  return { average, deviation, highWatermark, smoothed }
}
