// What a request is reckoned to cost, and how long each seat of it is taken until it tells better.
// Follows k8s.io/apiserver/pkg/util/flowcontrol/request/width.go.

/** What a request is reckoned to cost. */
export interface WorkEstimate {
  /** Occupied while it is worked on. */
  readonly initialSeats: number
  /** Occupied for `additionalMs` after its answer, for what goes on behind it: telling watchers. */
  readonly finalSeats: number
  readonly additionalMs: number
}

/** How long a seat is reckoned to be taken, in s, until the request tells better. */
export const ESTIMATED_SECONDS = 0.003
