// LimitPodHardAntiAffinityTopology: a pod keeps others off its node, and off nothing larger.
// Follows plugin/pkg/admission/antiaffinity.
import { forbidden } from '../../machinery/status.ts'
import { type AdmissionAttributes, type AdmissionPlugin, type AdmissionTarget, isFor } from '../plugin.ts'
import { type Pod, PODS } from '../shapes.ts'

const HOSTNAME = 'kubernetes.io/hostname'

interface Affinity {
  podAntiAffinity?: { requiredDuringSchedulingIgnoredDuringExecution?: { topologyKey?: string }[] }
}

export class LimitPodHardAntiAffinityTopology implements AdmissionPlugin {
  readonly name = 'LimitPodHardAntiAffinityTopology'

  handles(target: AdmissionTarget): boolean {
    return (target.operation === 'CREATE' || target.operation === 'UPDATE') && isFor(target, PODS)
  }

  validate({ object }: AdmissionAttributes): void {
    const { spec, metadata } = object as Pod
    const { podAntiAffinity } = (spec['affinity'] ?? {}) as Affinity
    for (const { topologyKey = '' } of podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ??
      []) {
      if (topologyKey === HOSTNAME) continue
      const what = `affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey ${topologyKey}`
      throw forbidden(PODS, metadata.name ?? '', `${what} but only key ${HOSTNAME} is allowed`)
    }
  }
}
