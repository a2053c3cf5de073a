// Which taints a node ought to have by its conditions, and how two lists of them differ.
// Follows k8s.io/kubernetes/pkg/controller/nodelifecycle and pkg/util/taints.
import type { Node, Taint } from '../../client/kinds/core.v1.gen.ts'

export const NOT_READY: Taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' }
export const UNREACHABLE: Taint = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable'

/** Keys of taints by type of condition and its status. */
const BY_CONDITION: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map([
  [
    'Ready',
    new Map([
      ['False', NOT_READY.key],
      ['Unknown', UNREACHABLE.key],
    ]),
  ],
  ['MemoryPressure', new Map([['True', 'node.kubernetes.io/memory-pressure']])],
  ['DiskPressure', new Map([['True', 'node.kubernetes.io/disk-pressure']])],
  ['NetworkUnavailable', new Map([['True', 'node.kubernetes.io/network-unavailable']])],
  ['PIDPressure', new Map([['True', 'node.kubernetes.io/pid-pressure']])],
])
const OURS: ReadonlySet<string> = new Set([
  UNSCHEDULABLE,
  ...[...BY_CONDITION.values()].flatMap((byStatus) => [...byStatus.values()]),
])

export interface TaintChange {
  readonly add: readonly Taint[]
  readonly remove: readonly Taint[]
}

export const isSameTaint = (a: Taint, b: Taint): boolean => a.key === b.key && a.effect === b.effect

export const hasTaint = (node: Node, taint: Taint): boolean =>
  (node.spec.taints ?? []).some((one) => isSameTaint(one, taint))

/** What is to change of the taints NoSchedule that conditions and `unschedulable` lead to. */
export function noScheduleChange({ spec, status }: Node): TaintChange {
  const wanted: Taint[] = []
  for (const condition of status.conditions ?? []) {
    const key = BY_CONDITION.get(condition.type)?.get(condition.status)
    if (key !== undefined) wanted.push({ key, effect: 'NoSchedule' })
  }
  if (spec.unschedulable) wanted.push({ key: UNSCHEDULABLE, effect: 'NoSchedule' })
  const present = (spec.taints ?? []).filter(({ key, effect }) => effect === 'NoSchedule' && OURS.has(key))
  return {
    add: wanted.filter((taint) => !present.some((one) => isSameTaint(one, taint))),
    remove: present.filter((taint) => !wanted.some((one) => isSameTaint(one, taint))),
  }
}

/** The taints after the change; undefined where it changes nothing. `time` is when those that are added came. */
export function changedTaints(
  taints: readonly Taint[] = [],
  { add, remove }: TaintChange,
  time: string,
): Taint[] | undefined {
  const kept = taints.filter((one) => !remove.some((taint) => isSameTaint(one, taint)))
  const missing = add.filter((taint) => !kept.some((one) => isSameTaint(one, taint)))
  if (kept.length === taints.length && missing.length === 0) return undefined
  return [...kept, ...missing.map((taint) => ({ ...taint, timeAdded: time }))]
}

/** What the condition Ready asks for of the two taints NoExecute, which exclude each other; undefined where it is True. */
export function noExecuteChange(ready: string): TaintChange | undefined {
  if (ready === 'False') return { add: [NOT_READY], remove: [UNREACHABLE] }
  if (ready === 'Unknown') return { add: [UNREACHABLE], remove: [NOT_READY] }
  return undefined
}

/** Older labels of a node and the newer ones whose values they are to have. */
const LABELS = [
  ['kubernetes.io/os', 'beta.kubernetes.io/os'],
  ['kubernetes.io/arch', 'beta.kubernetes.io/arch'],
] as const

/** Labels that are to be written; undefined where they are right. */
export function labelChange({ labels = {} }: Node['metadata']): Record<string, string> | undefined {
  const change: Record<string, string> = {}
  for (const [primary, secondary] of LABELS) {
    const value = labels[primary]
    if (value !== undefined && labels[secondary] !== value) change[secondary] = value
  }
  return Object.keys(change).length === 0 ? undefined : change
}
