// Sets of completion indexes as ordered intervals, and their text: "0,2-5". Follows
// k8s.io/kubernetes/pkg/controller/job/indexed_job_utils.go.

/** First and last, both included. */
export type Interval = readonly [first: number, last: number]
/** In order, none touching the next. */
export type Indexes = readonly Interval[]

export const total = (indexes: Indexes): number =>
  indexes.reduce((sum, [first, last]) => sum + last - first + 1, 0)

export const has = (indexes: Indexes, index: number): boolean =>
  indexes.some(([first, last]) => first <= index && index <= last)

export function merge(...lists: readonly Indexes[]): Indexes {
  const sorted = lists.flat().sort(([a], [b]) => a - b)
  const merged: [number, number][] = []
  for (const [first, last] of sorted) {
    const end = merged.at(-1)
    if (end !== undefined && first <= end[1] + 1) end[1] = Math.max(end[1], last)
    else merged.push([first, last])
  }
  return merged
}

export const indexesOf = (numbers: Iterable<number>): Indexes =>
  merge([...numbers].map((one) => [one, one] as const))

export const format = (indexes: Indexes): string =>
  indexes
    .map(([first, last]) =>
      first === last ? `${first}` : `${first}${last === first + 1 ? ',' : '-'}${last}`,
    )
    .join(',')

/** Those below `completions`. What is no number is passed over. */
export function parse(text: string | undefined, completions: number): Indexes {
  const intervals: Interval[] = []
  for (const part of (text ?? '').split(',')) {
    const [, first, last] = /^(\d{1,10})(?:-(\d{1,10}))?$/.exec(part) ?? []
    if (first === undefined || Number(first) >= completions) continue
    intervals.push([Number(first), Math.min(Number(last ?? first), completions - 1)])
  }
  return merge(intervals.filter(([first, last]) => first <= last))
}

/** How many indexes both have. */
export const overlap = (a: Indexes, b: Indexes): number =>
  a.reduce(
    (sum, [first, last]) =>
      sum +
      b.reduce((part, [from, to]) => part + Math.max(0, Math.min(last, to) - Math.max(first, from) + 1), 0),
    0,
  )

/** The first `count` indexes below `completions` that are not taken. */
export function firstFree(taken: Indexes, count: number, completions: number): number[] {
  const free: number[] = []
  let candidate = 0
  for (const [first, last] of [...taken, [completions, completions] as const]) {
    for (; candidate < Math.min(first, completions) && free.length < count; candidate++) free.push(candidate)
    candidate = Math.max(candidate, last + 1)
  }
  return free
}
