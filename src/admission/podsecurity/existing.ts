// What a namespace that asks for more is told of the pods that it has.
// Follows EvaluatePodsInNamespace in k8s.io/pod-security-admission/admission.
import { type Json, isObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { findingsOf, reasons } from './checks.ts'
import type { CheckedSpec } from './pod.ts'
import { type LevelVersion, shown } from './policy.ts'

/** Pods looked at; a namespace may have many more. */
const MAX_PODS = 3000
/** How long a change of labels waits for it. */
const MAX_MS = 1000

interface Count {
  first: string
  pods: number
}

/** In order: how much was not looked at, then the faults with a pod for each. */
export function existingPodsWarnings(
  namespace: string,
  pods: readonly KubeObject[],
  enforce: LevelVersion,
): string[] {
  const { counts, looked } = count(distinctFirst(pods).slice(0, MAX_PODS), enforce)
  const warnings: string[] = []
  if (looked < pods.length) {
    const part = `the first ${looked} of ${pods.length} existing pods`
    warnings.push(`new PodSecurity enforce level only checked against ${part}`)
  }
  if (counts.size > 0) {
    const level = `the new PodSecurity enforce level "${shown(enforce)}"`
    warnings.push(`existing pods in namespace "${namespace}" violate ${level}`)
  }
  return [...warnings, ...[...counts].map(([reason, whose]) => `${describe(whose)}: ${reason}`).sort()]
}

function count(
  pods: readonly KubeObject[],
  enforce: LevelVersion,
): { counts: ReadonlyMap<string, Count>; looked: number } {
  const counts = new Map<string, Count>()
  const deadline = performance.now() + MAX_MS
  let looked = 0
  for (const { metadata, spec } of pods) {
    const pod = { annotations: metadata.annotations ?? {}, spec: (spec ?? {}) as CheckedSpec }
    const findings = findingsOf(pod, enforce)
    if (findings.length > 0) note(counts, reasons(findings), metadata.name ?? '')
    looked++
    if (performance.now() > deadline) break
  }
  return { counts, looked }
}

function note(counts: Map<string, Count>, reason: string, name: string): void {
  const known = counts.get(reason)
  if (!known) return void counts.set(reason, { first: name, pods: 1 })
  known.pods++
  if (name < known.first) known.first = name
}

function describe({ first, pods }: Count): string {
  if (pods === 1) return first
  return `${first} (and ${pods === 2 ? '1 other pod' : `${pods - 1} other pods`})`
}

/** One pod of each controller before the others like it. */
function distinctFirst(pods: readonly KubeObject[]): KubeObject[] {
  const seen = new Set<Json>()
  const first: KubeObject[] = []
  const others: KubeObject[] = []
  for (const pod of pods) {
    const owners = pod.metadata['ownerReferences']
    const controller = Array.isArray(owners)
      ? owners.filter(isObject).find((owner) => owner['controller'] === true)
      : undefined
    const uid = controller?.['uid']
    const isNew = uid === undefined || !seen.has(uid)
    if (uid !== undefined) seen.add(uid)
    ;(isNew ? first : others).push(pod)
  }
  return [...first, ...others]
}
