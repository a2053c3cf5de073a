// PodTopologyLabels: a pod that gets a node carries the node's zone and region as labels.
// Follows plugin/pkg/admission/podtopologylabels.
import type { Lister } from '../machinery/lister.ts'
import type { KubeObject } from '../machinery/object.ts'
import { type AdmissionAttributes, type AdmissionPlugin, type AdmissionTarget, isFor } from './plugin.ts'
import { NODES, type Pod, PODS } from './shapes.ts'

const COPIED = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region']

interface Binding extends KubeObject {
  target?: { kind?: string; name?: string }
}

export class PodTopologyLabels implements AdmissionPlugin {
  readonly name = 'PodTopologyLabels'
  readonly reads = [NODES]

  handles(target: AdmissionTarget): boolean {
    return target.operation === 'CREATE' && (isFor(target, PODS) || isFor(target, PODS, 'binding'))
  }

  /** A binding's labels go over to its pod when the binding is carried out. */
  admit(attributes: AdmissionAttributes, lister: Lister): void {
    const nodeName = attributes.subresource === '' ? assigned(attributes) : bound(attributes)
    const labels = nodeName ? lister.get(NODES, '', nodeName)?.metadata.labels : undefined
    const metadata = attributes.object?.metadata
    if (!labels || !metadata) return
    for (const key of COPIED) {
      const value = labels[key]
      if (value !== undefined) (metadata.labels ??= {})[key] = value
    }
  }
}

const assigned = (attributes: AdmissionAttributes): string | undefined =>
  (attributes.object as Pod).spec.nodeName

function bound(attributes: AdmissionAttributes): string | undefined {
  const { target } = attributes.object as Binding
  return target?.kind === 'Node' ? target.name : undefined
}
