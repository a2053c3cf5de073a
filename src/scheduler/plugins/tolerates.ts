// Which taints a pod tolerates. Follows k8s.io/component-helpers/scheduling/corev1 (ToleratesTaint).
import type { Taint, Toleration } from '../../client/kinds/core.v1.gen.ts'

function tolerates(
  { key = '', operator = 'Equal', value = '', effect = '' }: Toleration,
  taint: Taint,
): boolean {
  if (effect !== '' && effect !== taint.effect) return false
  if (key !== '' && key !== taint.key) return false
  if (operator === 'Exists') return true
  const theirs = taint.value ?? ''
  if (operator === 'Lt' || operator === 'Gt') return compares(operator, value, theirs)
  return key !== '' && value === theirs
}

function compares(operator: 'Lt' | 'Gt', bound: string, value: string): boolean {
  if (!/^-?\d+$/.test(bound) || !/^-?\d+$/.test(value)) return false
  return operator === 'Lt' ? BigInt(value) < BigInt(bound) : BigInt(value) > BigInt(bound)
}

/** The first taint of these effects that none of the tolerations covers. */
export function untolerated(
  taints: readonly Taint[],
  tolerations: readonly Toleration[],
  effects: readonly string[],
): Taint | undefined {
  return taints.find(
    (taint) => effects.includes(taint.effect) && !tolerations.some((one) => tolerates(one, taint)),
  )
}

export const SCHEDULING_EFFECTS = ['NoSchedule', 'NoExecute'] as const
