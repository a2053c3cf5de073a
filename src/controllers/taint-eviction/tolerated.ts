// How long a pod may stay on a node with these taints. Follows k8s.io/kubernetes/pkg/controller/tainteviction and
// GetMatchingTolerations of pkg/apis/core/v1/helper.
import type { Taint, Toleration } from '../../client/kinds/core.v1.gen.ts'

export const evicting = (taints: readonly Taint[] = []): Taint[] =>
  taints.filter(({ effect }) => effect === 'NoExecute')

const tolerates = (
  { key = '', operator = 'Equal', value = '', effect = '' }: Toleration,
  taint: Taint,
): boolean => {
  if (effect !== '' && effect !== taint.effect) return false
  if (key !== '' && key !== taint.key) return false
  if (operator === 'Exists') return true
  return key !== '' && operator === 'Equal' && value === (taint.value ?? '')
}

/** In ms: 0 where it has to go at once, undefined where it may stay for ever. */
export function toleratedMs(
  taints: readonly Taint[],
  tolerations: readonly Toleration[] = [],
): number | undefined {
  if (taints.length === 0) return undefined
  let least: number | undefined
  for (const taint of taints) {
    const match = tolerations.find((one) => tolerates(one, taint))
    if (!match) return 0
    if (match.tolerationSeconds === undefined) continue
    const ms = Math.max(0, match.tolerationSeconds) * 1000
    least = Math.min(least ?? ms, ms)
  }
  return least
}
