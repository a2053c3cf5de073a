// DefaultStorageClass and DefaultIngressClass: claims and ingresses that name no class get the cluster's default one.
// Follows plugin/pkg/admission/storage/storageclass/setdefault and plugin/pkg/admission/network/defaultingressclass.
import type { GroupResource } from '../machinery/gvk.ts'
import type { Lister } from '../machinery/lister.ts'
import type { KubeObject } from '../machinery/object.ts'
import { Derived } from './derived.ts'
import { type AdmissionAttributes, type AdmissionPlugin, type AdmissionTarget, isFor } from './plugin.ts'
import { CLAIMS, STORAGE_CLASSES } from './shapes.ts'

const INGRESSES = { group: 'networking.k8s.io', resource: 'ingresses' }
const INGRESS_CLASSES = { group: 'networking.k8s.io', resource: 'ingressclasses' }

interface Classed {
  /** The objects that have a class, and where they name it. */
  readonly target: GroupResource
  readonly field: string
  /** The annotation that named it before there was a field. */
  readonly annotation: string
  readonly classes: GroupResource
  /** Annotations that make a class the default. */
  readonly marks: readonly string[]
}

class DefaultClass implements AdmissionPlugin {
  readonly name: string
  readonly reads: readonly GroupResource[]
  readonly #classed: Classed
  readonly #default: Derived<string | undefined>

  constructor(name: string, classed: Classed) {
    this.name = name
    this.reads = [classed.classes]
    this.#classed = classed
    this.#default = new Derived(classed.classes, (classes) => newestDefault(classes, classed.marks))
  }

  handles(target: AdmissionTarget): boolean {
    return target.operation === 'CREATE' && isFor(target, this.#classed.target)
  }

  admit(attributes: AdmissionAttributes, lister: Lister): void {
    const { field, annotation } = this.#classed
    const object = attributes.object as KubeObject & { spec?: Record<string, unknown> }
    if (object.spec?.[field] !== undefined) return
    if (object.metadata.annotations?.[annotation] !== undefined) return
    const name = this.#default.of(lister)
    if (name !== undefined) (object.spec ??= {})[field] = name
  }
}

/** The newest of several, then the first by name. */
function newestDefault(classes: readonly KubeObject[], marks: readonly string[]): string | undefined {
  const age = (object: KubeObject): string => object.metadata.creationTimestamp ?? ''
  const nameOf = (object: KubeObject): string => object.metadata.name ?? ''
  let best: KubeObject | undefined
  for (const candidate of classes) {
    const { annotations } = candidate.metadata
    if (!marks.some((mark) => annotations?.[mark] === 'true')) continue
    const newer = !best || age(candidate) > age(best)
    if (!best || newer || (age(candidate) === age(best) && nameOf(candidate) < nameOf(best))) best = candidate
  }
  return best?.metadata.name
}

export const defaultStorageClass = (): AdmissionPlugin =>
  new DefaultClass('DefaultStorageClass', {
    target: CLAIMS,
    field: 'storageClassName',
    annotation: 'volume.beta.kubernetes.io/storage-class',
    classes: STORAGE_CLASSES,
    marks: [
      'storageclass.kubernetes.io/is-default-class',
      'storageclass.beta.kubernetes.io/is-default-class',
    ],
  })

export const defaultIngressClass = (): AdmissionPlugin =>
  new DefaultClass('DefaultIngressClass', {
    target: INGRESSES,
    field: 'ingressClassName',
    annotation: 'kubernetes.io/ingress.class',
    classes: INGRESS_CLASSES,
    marks: ['ingressclass.kubernetes.io/is-default-class'],
  })
