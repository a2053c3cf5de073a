// Numbers that may be given as a share: "25%". Follows k8s.io/apimachinery/pkg/util/intstr.

/** The value, or its share of `total`, rounded up or down. Absent and unreadable values are 0. */
export function scaled(value: number | string | undefined, total: number, round: 'up' | 'down'): number {
  if (value === undefined) return 0
  if (typeof value === 'number') return value
  const percent = /^(\d+)%$/.exec(value)?.[1]
  if (percent === undefined) return 0
  const share = (Number(percent) * total) / 100
  return round === 'up' ? Math.ceil(share) : Math.floor(share)
}
