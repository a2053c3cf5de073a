// Reads a V8 CPU profile: which function was running when, and which file of src/ it was bundled from.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

interface CallFrame {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
}

interface ProfileNode {
  readonly id: number
  readonly callFrame: CallFrame
  readonly children?: readonly number[]
}

interface RawProfile {
  readonly nodes: readonly ProfileNode[]
  readonly startTime: number
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** A function on the stack. */
export interface Frame {
  readonly name: string
  /** "src/server/chain.ts", "node_modules/lmdb", "node:internal/…", or "" for what is no JavaScript. */
  readonly file: string
}

/** One moment: the stack, innermost first, and how long it stands for. */
export interface Sample {
  readonly stack: readonly Frame[]
  readonly microseconds: number
}

/** The samples between two times of the monotonic clock (µs, as process.hrtime has them). */
export function samplesOf(profileFile: string, from: number, to: number): Sample[] {
  const profile = JSON.parse(readFileSync(profileFile, 'utf8')) as RawProfile
  const stacks = stacksOf(profile.nodes)
  const samples: Sample[] = []
  let time = profile.startTime
  for (const [i, node] of profile.samples.entries()) {
    const microseconds = profile.timeDeltas[i + 1] ?? 0
    time += profile.timeDeltas[i] ?? 0
    if (time >= from && time < to) samples.push({ stack: stacks.get(node) ?? [], microseconds })
  }
  return samples
}

function stacksOf(nodes: readonly ProfileNode[]): Map<number, readonly Frame[]> {
  const parents = new Map<number, number>()
  for (const { id, children = [] } of nodes) for (const child of children) parents.set(child, id)
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, frameOf(callFrame)]))
  const stacks = new Map<number, readonly Frame[]>()
  for (const { id } of nodes) {
    const stack: Frame[] = []
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const frame = frames.get(at)
      if (frame) stack.push(frame)
    }
    stacks.set(id, stack)
  }
  return stacks
}

function frameOf({ functionName, url, lineNumber }: CallFrame): Frame {
  const name = functionName || '(anonymous)'
  const path = url.startsWith('file:') ? fileURLToPath(url) : url
  if (!path.startsWith('/')) return { name, file: url }
  const at = path.lastIndexOf('node_modules/')
  if (at >= 0) return { name, file: packageOf(path.slice(at)) }
  return { name, file: origins(path)[lineNumber] ?? path }
}

const packageOf = (path: string): string => path.split('/').slice(0, 2).join('/')

const originsByBundle = new Map<string, string[]>()

/** The source file of each line of a bundle: esbuild names it in a comment before its part. */
function origins(bundle: string): string[] {
  let lines = originsByBundle.get(bundle)
  if (!lines) {
    let current = ''
    lines = readFileSync(bundle, 'utf8')
      .split('\n')
      .map((line) => {
        const origin = /^\s*\/\/!? ((?:src|api|node_modules)\/\S+)$/.exec(line)?.[1]
        if (origin) current = origin.startsWith('node_modules') ? packageOf(origin) : origin
        return current
      })
    originsByBundle.set(bundle, lines)
  }
  return lines
}
