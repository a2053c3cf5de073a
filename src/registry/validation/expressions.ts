// Expressions in objects that are stored: they must compile, and be of a type that their field can use.
// CEL is loaded by the first write of a kind that has expressions (`loadExpressions`, before its validation).
// Follows pkg/apis/admissionregistration/validation (validateCELCondition).
import type * as admission from '../../cel/admission.ts'
import type { Declared, Wanted } from '../../cel/admission.ts'
import type { CelType } from '../../cel/types.ts'
import type { Spot } from './spot.ts'

type Cel = typeof admission

let cel: Cel | undefined

/** For Strategy.load. */
export async function loadExpressions(): Promise<void> {
  cel ??= await import('../../cel/admission.ts')
}

/** The type of the expression; undefined where it has a fault, which is added. `loadExpressions` was awaited before. */
export function expression(spot: Spot, declared: Declared, wanted: Wanted): CelType | undefined {
  if (!cel) throw new Error('expressions are validated before CEL is loaded')
  const { admissionEnvironment, compileFor, WANTED } = cel
  const compiled = compileFor(spot.text, admissionEnvironment(declared), WANTED[wanted])
  if (compiled.program) return compiled.program.type
  spot.invalid(compiled.fault, spot.text)
  return undefined
}
