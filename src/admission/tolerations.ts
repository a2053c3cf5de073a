// Merging tolerations of two sources. Follows pkg/util/tolerations.
import type { Toleration } from './shapes.ts'

/** Without those that another one covers; of two equal ones the first stays. */
export function mergeTolerations(all: readonly Toleration[]): Toleration[] {
  const merged: Toleration[] = []
  all.forEach((toleration, index) => {
    if (merged.some((kept) => covers(kept, toleration))) return
    const later = all.slice(index + 1)
    if (later.some((other) => !same(toleration, other) && covers(other, toleration))) return
    merged.push({ ...toleration })
  })
  return merged
}

const FIELDS = ['key', 'operator', 'value', 'effect', 'tolerationSeconds'] as const

const same = (a: Toleration, b: Toleration): boolean => FIELDS.every((field) => a[field] === b[field])

/** True where `wide` tolerates all that `narrow` does. */
export function covers(wide: Toleration, narrow: Toleration): boolean {
  if (same(wide, narrow)) return true
  const anyKey = !wide.key && wide.operator === 'Exists'
  if (wide.key !== narrow.key && !anyKey) return false
  if (wide.effect && wide.effect !== narrow.effect) return false
  if (wide.effect === 'NoExecute' && wide.tolerationSeconds !== undefined) {
    if (narrow.tolerationSeconds === undefined || narrow.tolerationSeconds > wide.tolerationSeconds)
      return false
  }
  if (wide.operator === 'Exists') return true
  const equal = !wide.operator || wide.operator === 'Equal'
  return equal && narrow.operator === 'Equal' && narrow.value === wide.value
}
