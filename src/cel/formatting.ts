// "%s is %d".format([…]). Follows cel-go ext/formatting.go.
import { CelError } from './fault.ts'
import { text as textOf } from './standard.ts'
import { isKeyed, ListValue, TypeValue, Uint, type Value } from './values.ts'

const CLAUSE = /%(?:%|(?:\.(\d+))?([A-Za-z]))/g
/** As upstream's: more digits than this are nobody's wish. */
const MAX_DIGITS = 100

/** The text with its clauses replaced by the arguments. Throws a CelError. */
export function formatted(format: string, args: readonly Value[]): string {
  let next = 0
  return format.replace(CLAUSE, (_all, digits: string | undefined, verb: string | undefined) => {
    if (verb === undefined) return '%'
    if (next >= args.length) throw new CelError(`index ${next} out of range`)
    const arg = args[next++] as Value
    return clause(verb, digits === undefined ? undefined : Number(digits), arg)
  })
}

function clause(verb: string, digits: number | undefined, arg: Value): string {
  if ((digits ?? 0) > MAX_DIGITS) throw new CelError(`precision ${digits} is too large`)
  switch (verb) {
    case 's':
      return shown(arg)
    case 'd':
      if (typeof arg === 'bigint' || arg instanceof Uint) return textOf(arg)
      throw wrong(verb, arg)
    case 'f':
      return Number(number(verb, arg)).toFixed(digits ?? 6)
    case 'e':
      return Number(number(verb, arg))
        .toExponential(digits ?? 6)
        .replace(/e([-+])(\d)$/, 'e$10$2')
    case 'b':
      return typeof arg === 'boolean' ? (arg ? '1' : '0') : whole(verb, arg).toString(2)
    case 'o':
      return whole(verb, arg).toString(8)
    case 'x':
      return hex(verb, arg)
    case 'X':
      return hex(verb, arg).toUpperCase()
    default:
      throw new CelError(`could not parse formatting clause: unrecognized formatting clause "${verb}"`)
  }
}

const wrong = (verb: string, arg: Value): CelError =>
  new CelError(`error during formatting: %${verb} clause cannot take ${typeof arg}`)

function number(verb: string, arg: Value): number | bigint {
  if (typeof arg === 'number' || typeof arg === 'bigint') return arg
  if (arg instanceof Uint) return arg.value
  throw wrong(verb, arg)
}

function whole(verb: string, arg: Value): bigint {
  if (typeof arg === 'bigint') return arg
  if (arg instanceof Uint) return arg.value
  throw wrong(verb, arg)
}

function hex(verb: string, arg: Value): string {
  if (typeof arg === 'string') return Buffer.from(arg).toString('hex')
  if (arg instanceof Uint8Array) return Buffer.from(arg).toString('hex')
  return whole(verb, arg).toString(16)
}

/** %s takes anything. */
function shown(arg: Value): string {
  if (arg === null) return 'null'
  if (arg instanceof ListValue) return `[${arg.values().map(shown).join(', ')}]`
  if (isKeyed(arg)) {
    const entries = arg.keys().map((key) => `${shown(key)}: ${shown(arg.get(key) ?? null)}`)
    return `{${entries.sort().join(', ')}}`
  }
  if (arg instanceof Uint8Array) return Buffer.from(arg).toString()
  return arg instanceof TypeValue ? arg.name : textOf(arg)
}
