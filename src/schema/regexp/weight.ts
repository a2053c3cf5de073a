// How large the machine of a regular expression becomes, at most about, before anybody builds it: what is repeated is
// there as often as it may come. Follows Go's regexp/syntax (the size of a program).

const NAMED_CLASS = /\\[pP]\{[^}]*\}?/y
const REPEAT = /\{(\d+)(,(\d*))?\}/y

/** Instructions that a pattern makes, about; Infinity at most. Patterns that are none have some weight, too. */
export function weightOf(pattern: string): number {
  if (!pattern.includes('{')) return pattern.length
  /** Of the groups that are open: what they have in them. */
  const open: number[] = []
  let sum = 0
  let last = 0
  for (let i = 0; i < pattern.length;) {
    const char = pattern[i] as string
    const repeat = char === '{' ? repeatAt(pattern, i) : undefined
    if (repeat) {
      sum += last * (repeat.most - 1)
      last *= repeat.most
      i = repeat.end
      continue
    }
    const end = atomEnd(pattern, i)
    if (char === '(') {
      open.push(sum)
      sum = 0
      last = 0
    } else if (char === ')' && open.length > 0) {
      last = sum + 2
      sum = (open.pop() as number) + last
    } else if (char === '*' || char === '+' || char === '?') sum++
    else sum += last = 1
    i = end
  }
  return open.reduce((all, one) => all + one, sum)
}

function repeatAt(pattern: string, at: number): { readonly most: number; readonly end: number } | undefined {
  REPEAT.lastIndex = at
  const found = REPEAT.exec(pattern)
  if (!found) return undefined
  const [, min = '0', , max = ''] = found
  // One more for what comes without end after it.
  return { most: Math.max(1, Number(min) + 1, Number(max)), end: REPEAT.lastIndex }
}

/** Where the atom that begins there ends: a class and an escape are one. */
function atomEnd(pattern: string, at: number): number {
  const char = pattern[at]
  if (char === '[') return classEnd(pattern, at)
  if (char !== '\\') return at + 1
  NAMED_CLASS.lastIndex = at
  return NAMED_CLASS.test(pattern) ? NAMED_CLASS.lastIndex : at + 2
}

function classEnd(pattern: string, at: number): number {
  let i = pattern[at + 1] === '^' ? at + 2 : at + 1
  // The first bracket is one of the class.
  for (let first = true; i < pattern.length; first = false) {
    if (pattern[i] === ']' && !first) return i + 1
    i += pattern[i] === '\\' ? 2 : 1
  }
  return pattern.length
}
