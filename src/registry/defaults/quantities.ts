// Defaults that reckon with resource quantities: rounding to thousandths.
// Follows SetDefaults_ResourceList of k8s.io/kubernetes/pkg/apis/core/v1.
import { isObject } from '../../machinery/json.ts'
import type { Apply } from './rules.ts'

/** Quantities finer than a thousandth, in canonical form: "100u", "5n", "5e-9". */
const FINE = /^(-?)(\d+)(u|n|e-6|e-9)$/
const DECIMAL_SUFFIXES = ['m', '', 'k', 'M', 'G', 'T', 'P', 'E']
const EXPONENT_SUFFIXES = ['e-3', '', 'e3', 'e6', 'e9', 'e12', 'e15', 'e18']

/** Rounds every quantity of these resource lists away from zero, to thousandths. */
export function roundedIn(...keys: readonly string[]): Apply {
  return (object) => {
    for (let i = 0; i < keys.length; i++) {
      const list = object[keys[i] as string]
      if (isObject(list)) roundList(list)
    }
  }
}

function roundList(list: Record<string, unknown>): void {
  for (const name of Object.keys(list)) {
    const value = list[name]
    if (typeof value === 'string' && FINE.test(value)) list[name] = roundUp(value)
  }
}

function roundUp(quantity: string): string {
  const [, sign, digits, suffix] = FINE.exec(quantity) as unknown as [string, string, string, string]
  const divisor = suffix === 'u' || suffix === 'e-6' ? 1_000n : 1_000_000n
  let value = (BigInt(digits) + divisor - 1n) / divisor
  const suffixes = suffix.startsWith('e') ? EXPONENT_SUFFIXES : DECIMAL_SUFFIXES
  let step = 0
  while (value !== 0n && value % 1_000n === 0n && step < suffixes.length - 1) {
    value /= 1_000n
    step++
  }
  return value === 0n ? '0' : `${sign}${value}${suffixes[step]}`
}
