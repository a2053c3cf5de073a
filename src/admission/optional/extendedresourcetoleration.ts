// ExtendedResourceToleration: who asks for a device may run on the nodes that are kept for it.
// Follows plugin/pkg/admission/extendedresourcetoleration.
import { qualifiedNameErrors } from '../../machinery/validation.ts'
import { type AdmissionAttributes, type AdmissionPlugin, type AdmissionTarget, isFor } from '../plugin.ts'
import { type Pod, PODS } from '../shapes.ts'

export class ExtendedResourceToleration implements AdmissionPlugin {
  readonly name = 'ExtendedResourceToleration'

  handles(target: AdmissionTarget): boolean {
    return (target.operation === 'CREATE' || target.operation === 'UPDATE') && isFor(target, PODS)
  }

  admit({ object }: AdmissionAttributes): void {
    const { spec } = object as Pod
    const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
    const names = containers.flatMap(({ resources }) => Object.keys(resources?.requests ?? {}))
    for (const key of [...new Set(names)].filter(isExtended).sort()) {
      const own = spec.tolerations ?? []
      const added = { key, operator: 'Exists', effect: 'NoSchedule' }
      // One that says the same in other words, or for some time only, is replaced.
      const others = own.filter(
        (one) => one.key !== key || one.effect !== added.effect || one.operator !== 'Exists' || one.value,
      )
      spec.tolerations = others.length === own.length ? [...own, added] : own
    }
  }
}

const isExtended = (name: string): boolean =>
  name.includes('/') &&
  !name.includes('kubernetes.io/') &&
  !name.startsWith('requests.') &&
  qualifiedNameErrors(`requests.${name}`).length === 0
