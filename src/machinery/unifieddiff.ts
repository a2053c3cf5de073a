// How two texts differ, line by line, as Go's programs tell it: @@ -1,7 +1,7 @@, lines that went, lines that came, three
// lines around them. Used by refusals that show what was changed. Follows github.com/pmezard/go-difflib, a port of
// Python's difflib: the longest block of lines that both have is the same, and so on to its left and to its right. Of
// several answers that are right this one is upstream's; the shortest, which other libraries look for, is another.

/** Lines around a change. */
const CONTEXT = 3
/** From so many lines on, those that stand more than once in a hundred begin no block. */
const MANY_LINES = 200
const ONE_IN = 100
/**
 * DEVIATION: upstream compares to the end, which takes the square of the lines and more. Ten million steps are a tenth of
 * a second, and enough for specs of hundreds of containers; what is not compared by then counts as changed.
 */
const MOST_STEPS = 10_000_000

interface Block {
  readonly a: number
  readonly b: number
  readonly size: number
}

/** Lines a1..a2 become b1..b2; `same` where they are the same lines. */
interface Change {
  readonly same: boolean
  readonly a1: number
  readonly a2: number
  readonly b1: number
  readonly b2: number
}

/** Lines from–to of both texts. */
type Range = readonly [a1: number, a2: number, b1: number, b2: number]

class Matcher {
  readonly #a: readonly string[]
  readonly #b: readonly string[]
  /** Where each line stands in b, without those that stand everywhere. */
  readonly #places = new Map<string, number[]>()
  readonly #before: Int32Array
  readonly #here: Int32Array
  #steps = 0

  constructor(a: readonly string[], b: readonly string[]) {
    this.#a = a
    this.#b = b
    this.#before = new Int32Array(b.length + 1)
    this.#here = new Int32Array(b.length + 1)
    b.forEach((line, j) => {
      const places = this.#places.get(line)
      if (places) places.push(j)
      else this.#places.set(line, [j])
    })
    if (b.length < MANY_LINES) return
    const most = Math.floor(b.length / ONE_IN) + 1
    for (const [line, places] of this.#places) if (places.length > most) this.#places.delete(line)
  }

  /** The longest block that both have in the range; of several the first in a, then in b. */
  #longest([a1, a2, b1, b2]: Range): Block {
    let [a, b, size] = [a1, b1, 0]
    // At j + 1, how long the block is that ends with this line of a, and line j of b; zeros but for one line's places.
    let [before, here] = [this.#before, this.#here]
    let last: readonly number[] = []
    for (let i = a1; i < a2 && this.#steps < MOST_STEPS; i++) {
      const places = this.#places.get(this.#a[i] as string) ?? []
      this.#steps += places.length + last.length
      for (const j of places) {
        if (j < b1) continue
        if (j >= b2) break
        const length = (before[j] as number) + 1
        here[j + 1] = length
        if (length > size) [a, b, size] = [i - length + 1, j - length + 1, length]
      }
      for (const j of last) before[j + 1] = 0
      ;[before, here, last] = [here, before, places]
    }
    for (const j of last) before[j + 1] = 0
    // What stands everywhere begins no block, and may lengthen one.
    for (; a > a1 && b > b1 && this.#a[a - 1] === this.#b[b - 1]; size++) [a, b] = [a - 1, b - 1]
    while (a + size < a2 && b + size < b2 && this.#a[a + size] === this.#b[b + size]) size++
    return { a, b, size }
  }

  /** The blocks that both have, in order, none next to another; the last is empty and stands at the end. */
  blocks(): Block[] {
    const found: Block[] = []
    const ranges: Range[] = [[0, this.#a.length, 0, this.#b.length]]
    for (let range = ranges.pop(); range; range = ranges.pop()) {
      const block = this.#longest(range)
      if (block.size === 0) continue
      const { a, b, size } = block
      const [a1, a2, b1, b2] = range
      found.push(block)
      if (a1 < a && b1 < b) ranges.push([a1, a, b1, b])
      if (a + size < a2 && b + size < b2) ranges.push([a + size, a2, b + size, b2])
    }
    found.sort((x, y) => x.a - y.a)
    return [...joined(found), { a: this.#a.length, b: this.#b.length, size: 0 }]
  }
}

function joined(blocks: readonly Block[]): Block[] {
  const out: Block[] = []
  for (const block of blocks) {
    const last = out.at(-1)
    if (last && last.a + last.size === block.a && last.b + last.size === block.b) {
      out[out.length - 1] = { ...last, size: last.size + block.size }
    } else out.push(block)
  }
  return out
}

function changesOf(blocks: readonly Block[]): Change[] {
  const changes: Change[] = []
  let [i, j] = [0, 0]
  for (const { a, b, size } of blocks) {
    if (i < a || j < b) changes.push({ same: false, a1: i, a2: a, b1: j, b2: b })
    ;[i, j] = [a + size, b + size]
    if (size > 0) changes.push({ same: true, a1: a, a2: i, b1: b, b2: j })
  }
  return changes
}

const lastLines = ({ a1, a2, b1, b2 }: Change): Change => ({
  same: true,
  a1: Math.max(a1, a2 - CONTEXT),
  a2,
  b1: Math.max(b1, b2 - CONTEXT),
  b2,
})
const firstLines = ({ a1, a2, b1, b2 }: Change): Change => ({
  same: true,
  a1,
  a2: Math.min(a2, a1 + CONTEXT),
  b1,
  b2: Math.min(b2, b1 + CONTEXT),
})

/** Changes that stand close together, each group with the lines around it. */
function groupsOf(changes: readonly Change[]): Change[][] {
  const groups: Change[][] = []
  let group: Change[] = []
  changes.forEach((change, i) => {
    const isEnd = i === changes.length - 1
    if (!change.same) group.push(change)
    else if (i === 0) group.push(lastLines(change))
    else if (isEnd) group.push(firstLines(change))
    else if (change.a2 - change.a1 <= 2 * CONTEXT) group.push(change)
    else {
      groups.push([...group, firstLines(change)])
      group = [lastLines(change)]
    }
  })
  if (group.some(({ same }) => !same)) groups.push(group)
  return groups
}

function rangeText(from: number, to: number): string {
  if (to - from === 1) return String(from + 1)
  // An empty range stands behind the line before it.
  return to === from ? `${from},0` : `${from + 1},${to - from}`
}

/** How the lines of `b` differ from those of `a`, each line with its end; "" where they do not. */
export function unifiedDiff(a: readonly string[], b: readonly string[]): string {
  let out = ''
  for (const group of groupsOf(changesOf(new Matcher(a, b).blocks()))) {
    const [first, last] = [group[0] as Change, group.at(-1) as Change]
    out += `@@ -${rangeText(first.a1, last.a2)} +${rangeText(first.b1, last.b2)} @@\n`
    for (const { same, a1, a2, b1, b2 } of group) {
      for (const line of a.slice(a1, a2)) out += `${same ? ' ' : '-'}${line}\n`
      if (!same) for (const line of b.slice(b1, b2)) out += `+${line}\n`
    }
  }
  return out
}
