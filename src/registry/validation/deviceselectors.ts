// Expressions that select devices: whether they compile, and whether a yes or no comes of them. CEL is loaded before the
// first write of a kind that has some, and by no other write.
// Used by devicenames.ts. Follows k8s.io/dynamic-resource-allocation/cel.
import type { Environment } from '../../cel/compile.ts'
import type { Spot } from './spot.ts'

/** What is wrong with an expression; undefined: nothing. */
type Check = (expression: string) => string | undefined

let check: Check | undefined

/** Loads what `isSelector` asks. Called again, it does nothing. */
export async function loadSelectors(): Promise<void> {
  if (check) return
  const [{ compile }, types] = await Promise.all([
    import('../../cel/compile.ts'),
    import('../../cel/types.ts'),
  ])
  const { BOOL, DYN, STRING, mapOf, objectOf, opaque, typeName } = types
  const device = objectOf('kubernetes.DRADevice', {
    driver: STRING,
    allowMultipleAllocations: BOOL,
    // The value of an attribute is of a type that only the device knows.
    attributes: mapOf(STRING, mapOf(STRING, DYN)),
    capacity: mapOf(STRING, mapOf(STRING, opaque('kubernetes.Quantity'))),
  })
  const environment: Environment = { variables: new Map([['device', device]]) }
  check = (expression) => {
    const { program, errors } = compile(expression, environment)
    if (!program) return `compilation failed: ${errors}`
    const type = typeName(program.type)
    if (type === 'bool' || type === 'dyn') return undefined
    return `must evaluate to bool or the unknown type, not ${type}`
  }
}

/** A macro that only these expressions may use, and that our CEL does not know. */
const BINDS = /\bcel\s*\.\s*bind\s*\(/

/**
 * DEVIATION: what an expression may cost at worst is not estimated; its evaluation is bounded all the same. What binds
 * names by `cel.bind` is taken as it is.
 */
export function isSelector(expression: Spot): void {
  if (BINDS.test(expression.text)) return
  const fault = check?.(expression.text)
  if (fault !== undefined) expression.invalid(fault, expression.text)
}
