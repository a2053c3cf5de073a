// AlwaysPullImages: nobody runs an image that happens to be on the node without being allowed to pull it.
// Follows plugin/pkg/admission/alwayspullimages.
import { aggregate } from '../../machinery/aggregate.ts'
import { isObject, type JsonObject } from '../../machinery/json.ts'
import { cause, plainError } from '../../machinery/status.ts'
import { forbid } from '../forbid.ts'
import { type AdmissionAttributes, type AdmissionPlugin, type AdmissionTarget, isFor } from '../plugin.ts'
import { type Pod, PODS } from '../shapes.ts'

const ALWAYS = 'Always'
const LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const

/** Something that names an image, and where it says when that is pulled. */
interface Pulled {
  readonly holder: JsonObject
  readonly field: 'imagePullPolicy' | 'pullPolicy'
  readonly path: string
}

export class AlwaysPullImages implements AdmissionPlugin {
  readonly name = 'AlwaysPullImages'

  handles(target: AdmissionTarget): boolean {
    return (target.operation === 'CREATE' || target.operation === 'UPDATE') && isFor(target, PODS)
  }

  admit(attributes: AdmissionAttributes): void {
    if (hasOldImagesOnly(attributes)) return
    for (const { holder, field } of pulledBy(attributes.object as Pod)) holder[field] = ALWAYS
  }

  /** Another plugin may have come between. */
  validate(attributes: AdmissionAttributes): void {
    if (hasOldImagesOnly(attributes)) return
    const faults = pulledBy(attributes.object as Pod)
      .filter(({ holder, field }) => holder[field] !== ALWAYS)
      .map(({ holder, field, path }) => {
        const { message } = cause.notSupported('', holder[field] ?? '', [ALWAYS])
        return forbid(attributes, `${path}.${field}: ${message}`).message
      })
    if (faults.length > 0) throw plainError(aggregate(faults))
  }
}

function pulledBy({ spec }: Pod): Pulled[] {
  const containers = LISTS.flatMap((list) =>
    (spec[list] ?? []).map((holder, i): Pulled => {
      return { holder, field: 'imagePullPolicy', path: `spec.${list}[${i}]` }
    }),
  )
  const volumes = (spec.volumes ?? []).flatMap((volume, i): Pulled[] => {
    const image = (volume as JsonObject)['image']
    return isObject(image) ? [{ holder: image, field: 'pullPolicy', path: `spec.volumes[${i}].image` }] : []
  })
  return [...containers, ...volumes]
}

function hasOldImagesOnly({ operation, object, old }: AdmissionAttributes): boolean {
  if (operation !== 'UPDATE') return false
  const before = new Set(imagesOf(old as Pod))
  return imagesOf(object as Pod).every((image) => before.has(image))
}

const imagesOf = ({ spec }: Pod) => LISTS.flatMap((list) => (spec[list] ?? []).map(({ image }) => image))
