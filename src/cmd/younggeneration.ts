// How large V8's young generation may grow: bin/dinghy has it start small and stay so, for the sake of memory; where the
// heap is large anyway, it may grow. What is still in use is copied at each collection of it, and counts as old too early:
// with thousands of nodes and pods, a small young generation makes collecting garbage a third of all work.
// docs/performance.md has figures.
import { getHeapStatistics, setFlagsFromString } from 'node:v8'

/** A heap of which the large one, 32 MiB, is a small part. */
const LARGE_HEAP_BYTES = 128 * 1024 * 1024
const LOOK_MS = 1000

/** Whether the young generation may grow, of a heap of this size. */
export const mayGrow = (heapBytes: number): boolean => heapBytes >= LARGE_HEAP_BYTES

/**
 * Looks after it for as long as the process lives, which it does not keep alive. Flags are set only when that changes
 * something: V8 throws away what it compiled in advance under other flags, and a start would take a third longer.
 */
export function boundYoungGeneration(): void {
  let isGrowing = false
  const look = (): void => {
    const grows = mayGrow(getHeapStatistics().used_heap_size)
    // V8 multiplies it by this when much has survived.
    if (grows !== isGrowing) setFlagsFromString(`--semi-space-growth-factor=${grows ? 2 : 1}`)
    isGrowing = grows
  }
  setInterval(look, LOOK_MS).unref()
}
