// A walk over the text of a JSON document, for what is lost when it is parsed: keys given twice, and digits.
// Beside json.ts, which walks few texts so.

/** Called in the order of the text. Paths are as strict decoding names them: spec.containers[0].name. */
export interface Visitor {
  /** `again`: the object has had this key before. */
  key(path: string, again: boolean): void
  number?(token: string, path: string): void
}

interface Frame {
  /** Keys seen so far; undefined in an array. */
  readonly seen: Set<string> | undefined
  /** Undefined at the root: a key of the empty name has a path, too. */
  readonly path: string | undefined
  index: number
  key: string
}

const TOKEN = /"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|[[\]{},]|true|false|null/gy
const BETWEEN = /[\s:]*/y

/** Walks a text that is known to be valid. */
export function walkJson(text: string, visitor: Visitor): void {
  const stack: Frame[] = []
  let expectKey = false
  let position = 0
  for (;;) {
    BETWEEN.lastIndex = position
    BETWEEN.test(text)
    TOKEN.lastIndex = BETWEEN.lastIndex
    const token = TOKEN.exec(text)?.[0]
    if (token === undefined) return
    position = TOKEN.lastIndex
    const top = stack[stack.length - 1]
    const first = token[0] as string
    if (first === '{' || first === '[') {
      stack.push({ seen: first === '{' ? new Set() : undefined, path: pathOf(top), index: 0, key: '' })
      expectKey = first === '{'
    } else if (first === '}' || first === ']') {
      stack.pop()
      expectKey = false
    } else if (first === ',' && top) {
      top.index++
      expectKey = top.seen !== undefined
    } else if (expectKey && top?.seen) {
      expectKey = false
      top.key = JSON.parse(token) as string
      visitor.key(pathOf(top) ?? '', top.seen.has(top.key))
      top.seen.add(top.key)
    } else if (visitor.number && first !== '"') {
      visitor.number(token, pathOf(top) ?? '')
    }
  }
}

function pathOf(frame: Frame | undefined): string | undefined {
  if (!frame) return undefined
  if (!frame.seen) return `${frame.path ?? ''}[${frame.index}]`
  return frame.path === undefined ? frame.key : `${frame.path}.${frame.key}`
}
