// What is wrong with an expression: at compile time, with its place, and at run time. Follows cel-go common/error.go.

/** A fault of the source. */
export interface Fault {
  readonly pos: number
  readonly message: string
}

/** The parser's way out. */
export class SyntaxFault extends Error {
  readonly pos: number
  constructor(pos: number, message: string) {
    super(message)
    this.pos = pos
  }
}

/** An evaluation that failed. `limit`: it was stopped because it cost too much. */
export class CelError extends Error {
  readonly limit: boolean
  constructor(message: string, limit = false) {
    super(message)
    this.limit = limit
  }
}

/** The fault in cel-go's words: "ERROR: <input>:1:5: …", the line, and a caret below. */
export function showFault(source: string, { pos, message }: Fault): string {
  // Of nothing there is no line to show, and no first column.
  if (source === '') return `ERROR: <input>:1:0: ${message}`
  const before = source.slice(0, pos).split('\n')
  const column = [...(before.at(-1) ?? '')].length
  const line = source.split('\n')[before.length - 1] ?? ''
  return `ERROR: <input>:${before.length}:${column + 1}: ${message}\n | ${line}\n | ${'.'.repeat(column)}^`
}

/** All faults, in the order of their places. */
export function showFaults(source: string, faults: readonly Fault[]): string {
  return [...faults]
    .sort((a, b) => a.pos - b.pos)
    .map((fault) => showFault(source, fault))
    .join('\n')
}
