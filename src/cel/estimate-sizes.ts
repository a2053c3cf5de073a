// Sizes of texts, lists and maps, as far as they are known before anything runs. Follows cel-go checker/cost.go.

export interface Size {
  readonly min: number
  /** Infinity: nothing bounds it. */
  readonly max: number
}

export const UNKNOWN_SIZE: Size = { min: 0, max: Infinity }

export const fixed = (size: number): Size => ({ min: size, max: size })

export const either = (a: Size, b: Size): Size => ({
  min: Math.min(a.min, b.min),
  max: Math.max(a.max, b.max),
})

export const plus = (a: Size, b: Size): Size => ({ min: a.min + b.min, max: a.max + b.max })

/** Nothing, however often, is nothing. */
export const times = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : a * b)

export const product = (a: Size, b: Size): Size => ({ min: times(a.min, b.min), max: times(a.max, b.max) })

/** What it costs at most to go through all of it, rounded up as cel-go does. */
export const walked = ({ max }: Size, factor: number): number => Math.ceil(times(max, factor))
