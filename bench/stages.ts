// Which stage of a request's way a moment of a profile belongs to: the innermost frame that tells.
import type { Frame, Sample } from './cpuprofile.ts'

/** Files by their beginnings, the more special first. */
const STAGES: readonly (readonly [prefix: string, stage: string])[] = [
  ['src/schema/json', 'parse'],
  ['src/schema/protobuf/decode', 'parse'],
  ['src/schema/protobuf/reader', 'parse'],
  ['src/schema/yaml', 'parse'],
  ['src/handlers/body', 'parse'],
  ['src/schema/decode', 'decode'],
  ['src/registry/defaults', 'defaults'],
  ['src/admission/', 'admission'],
  ['src/registry/validation', 'validate'],
  ['src/machinery/validation', 'validate'],
  ['src/registry/', 'prepare'],
  ['src/schema/managedfields', 'managed fields'],
  ['src/schema/fieldset', 'managed fields'],
  ['src/schema/strategicmerge', 'patch'],
  ['src/schema/mergepatch', 'patch'],
  ['src/schema/jsonpatch', 'patch'],
  ['src/handlers/patch', 'patch'],
  ['src/schema/stringify', 'serialise'],
  ['src/schema/protobuf/', 'serialise'],
  ['src/storage/cache/', 'watch cache'],
  ['src/storage/', 'store'],
  ['node_modules/lmdb', 'store'],
  ['src/handlers/hub', 'watch'],
  ['src/handlers/watch', 'watch'],
  ['src/handlers/view', 'answer’s bytes'],
  ['src/handlers/list', 'list'],
  ['src/handlers/', 'verb'],
  ['src/authn/', 'who, and may they'],
  ['src/authz/', 'who, and may they'],
  ['src/server/http', 'HTTP/2: exchange'],
  ['src/server/body', 'HTTP/2: exchange'],
  ['src/server/sink', 'HTTP/2: exchange'],
  ['src/server/listen', 'HTTP/2: exchange'],
  ['src/server/compress', 'answer’s bytes'],
  ['src/server/', 'server chain'],
  ['node:internal/http2', 'HTTP/2: node'],
  ['node:', 'node: streams, timers, sockets'],
]

const NATIVE: ReadonlyMap<string, string> = new Map([
  ['(garbage collector)', 'garbage collector'],
  ['(program)', 'native: TLS, nghttp2, system calls'],
])

/** Nobody worked: not a stage. */
export const isIdle = ({ stack }: Sample): boolean => stack[0]?.name === '(idle)'

export function stageOf({ stack }: Sample): string {
  const native = NATIVE.get(stack[0]?.name ?? '')
  if (native !== undefined) return native
  // Work that node does for one of our files is that file's: sending an answer is the exchange's.
  const ours = stack.find(({ file }) => !file.startsWith('node:') && stageOfFile(file) !== undefined)
  const frame = ours ?? stack.find(({ file }) => stageOfFile(file) !== undefined)
  return (frame && stageOfFile(frame.file)) ?? 'other'
}

const stageOfFile = (file: string): string | undefined =>
  STAGES.find(([prefix]) => file.startsWith(prefix))?.[1]

export interface Share {
  readonly name: string
  readonly microseconds: number
}

/** Adds up the samples by what `nameOf` says of them, the largest first. */
export function shares(samples: readonly Sample[], nameOf: (sample: Sample) => string): Share[] {
  const sums = new Map<string, number>()
  for (const sample of samples) {
    const name = nameOf(sample)
    sums.set(name, (sums.get(name) ?? 0) + sample.microseconds)
  }
  return [...sums]
    .map(([name, microseconds]) => ({ name, microseconds }))
    .sort((a, b) => b.microseconds - a.microseconds)
}

/** The function that was running. */
export function functionOf({ stack }: Sample): string {
  const [frame] = stack
  return frame ? place(frame) : '(nothing)'
}

/** The few frames around a function wherever it is on the stack; "" where it is not. */
export function callersOf({ stack }: Sample, name: string): string {
  const at = stack.findLastIndex((frame) => frame.name === name)
  return at < 0
    ? ''
    : stack
        .slice(at, at + CALLERS)
        .map(({ name, file }) => `${name} ${file}`)
        .join(' ← ')
}

const CALLERS = 5

const place = ({ name, file }: Frame): string => (file === '' ? name : `${name}  ${file}`)
