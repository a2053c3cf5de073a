// NodeDeclaredFeatureValidator: a pod that runs is changed only in ways that its node says it can follow.
// Follows k8s.io/kubernetes/plugin/pkg/admission/nodedeclaredfeatures and k8s.io/component-helpers/nodedeclaredfeatures.
import { isDeepStrictEqual } from 'node:util'
import type { Lister } from '../machinery/lister.ts'
import { totalsOf } from '../machinery/podresources.ts'
import { compareQuantities } from '../machinery/quantity.ts'
import { forbid } from './forbid.ts'
import { type AdmissionAttributes, type AdmissionPlugin, type AdmissionTarget, isFor } from './plugin.ts'
import { NODES, type Pod, PODS, type ResourceList, type Resources } from './shapes.ts'

/** What a node has to declare for a change, in the order in which it is told; other features ask nothing of changes. */
const FEATURES: readonly (readonly [name: string, isAskedBy: (old: Pod, pod: Pod) => boolean])[] = [
  [
    'InPlacePodLevelResourcesVerticalScaling',
    (old, pod) => !sameResources(old.spec.resources, pod.spec.resources),
  ],
  ['InPlacePodVerticalScalingInitContainers', resizesInitContainers],
]

export class NodeDeclaredFeatureValidator implements AdmissionPlugin {
  readonly name = 'NodeDeclaredFeatureValidator'
  readonly reads = [NODES]

  handles(target: AdmissionTarget): boolean {
    return target.operation === 'UPDATE' && (isFor(target, PODS) || isFor(target, PODS, 'resize'))
  }

  validate(attributes: AdmissionAttributes, lister: Lister): void {
    const pod = attributes.object as Pod
    const old = attributes.old as Pod
    const { nodeName } = pod.spec
    // Whatever the spec asks for, it asked for before.
    if (!nodeName || old.metadata.generation === pod.metadata.generation) return
    const asked = FEATURES.filter(([, isAskedBy]) => isAskedBy(old, pod)).map(([name]) => name)
    if (asked.length === 0) return
    const node = lister.get(NODES, '', nodeName)
    const shown = `node ${JSON.stringify(nodeName)}`
    if (!node) throw forbid(attributes, `${shown} not found`)
    const declared = (node['status'] as { declaredFeatures?: string[] } | undefined)?.declaredFeatures ?? []
    const lacking = asked.filter((name) => !declared.includes(name))
    if (lacking.length === 0) return
    const what = `pod update requires features ${lacking.join(', ')} which are not available on ${shown}`
    throw forbid(attributes, what)
  }
}

/** Sidecars could be resized before. */
function resizesInitContainers(old: Pod, pod: Pod): boolean {
  const containers = pod.spec.initContainers ?? []
  return (old.spec.initContainers ?? []).some(
    (container, i) =>
      container['restartPolicy'] !== 'Always' &&
      !isDeepStrictEqual(container.resources ?? {}, containers[i]?.resources ?? {}),
  )
}

/** The same amounts, however they are written. */
function sameResources(one: Resources | undefined, other: Resources | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return sameAmounts(one.requests, other.requests) && sameAmounts(one.limits, other.limits)
}

function sameAmounts(one: ResourceList | undefined, other: ResourceList | undefined): boolean {
  const [amounts, others] = [totalsOf(one), totalsOf(other)]
  return (
    amounts.size === others.size &&
    [...amounts].every(([name, amount]) => {
      const known = others.get(name)
      return known !== undefined && compareQuantities(amount, known) === 0
    })
  )
}
