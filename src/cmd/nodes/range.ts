// How many simulated nodes there may be: apart from what makes them, which is loaded late.

/** As many as upstream is made for. */
export const MAX_NODES = 5000
/** A letter for each. */
export const MAX_ZONES = 26
