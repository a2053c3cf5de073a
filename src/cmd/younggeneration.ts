// How large V8's young generation may grow: small in a small process, for the sake of its memory; larger where the heap is
// large anyway. What is still in use is copied at each collection of it, and counts as old too early: with thousands of
// nodes and pods, a small young generation makes collecting garbage a third of all work. docs/performance.md has figures.
import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from 'node:v8'

const MIB = 1024 * 1024
/** Each of its two halves; beyond the first, V8 goes up to its --max-semi-space-size, which bin/dinghy sets. */
const SMALL_BYTES = 8 * MIB
/** A heap of which the large one is a small part. */
const LARGE_HEAP_BYTES = 128 * MIB
/** A start fills the small one within a moment; later, a second more or less makes no difference. */
const FIRST_LOOK_MS = 25
const LOOK_MS = 1000

/** Both halves. */
const youngBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0

/** Whether the young generation may grow, of a heap of this size. */
export const mayGrow = (heapBytes: number, bothHalvesBytes: number): boolean =>
  heapBytes >= LARGE_HEAP_BYTES || bothHalvesBytes < 2 * SMALL_BYTES

/** Looks after it for as long as the process lives, which it does not keep alive. */
export function boundYoungGeneration(): void {
  let isGrowing = true
  const look = (waitMs: number): void => {
    const grows = mayGrow(getHeapStatistics().used_heap_size, youngBytes())
    // V8 multiplies it by this when much has survived.
    if (grows !== isGrowing) setFlagsFromString(`--semi-space-growth-factor=${grows ? 2 : 1}`)
    isGrowing = grows
    setTimeout(() => look(Math.min(2 * waitMs, LOOK_MS)), waitMs).unref()
  }
  look(FIRST_LOOK_MS)
}
