// The objects of a request in the versions in which webhooks want to see them, each made and written out once.
// Follows k8s.io/apiserver/pkg/admission/conversion.go (VersionedAttributes).
import type { Json } from '../../machinery/json.ts'
import { jsonText } from '../../machinery/jsontext.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { Resource } from '../../schema/resource.ts'
import type { AdmissionAttributes } from '../plugin.ts'
import type { ReviewedTexts } from './review.ts'

/** Objects in the versions in which they are served; handed in by the composition root. */
export interface ObjectForms {
  /** Other resources that serve the same objects: other versions, other groups. */
  equivalents(resource: Resource): readonly Resource[]
  /** What requests to this place carry, of an object as admission has it: in the stored version, whole. */
  shown(object: KubeObject, place: Seen): KubeObject | Promise<KubeObject>
  /**
   * The way back: JSON in the form of `shown`, with defaults, as admission has it. `object` is what it was made of.
   * Throws DecodeError where it does not fit its type.
   */
  taken(value: Json, place: Place, object: KubeObject): KubeObject | Promise<KubeObject>
}

export interface Place {
  readonly resource: Resource
  readonly subresource: string
}

export interface Seen extends Place {
  /** Whether a part of an object says who owns it: only those are told who may change it. */
  readonly owned: boolean
}

interface Form {
  readonly of: KubeObject
  readonly shown: KubeObject
  readonly text: string
}

const NOTHING = 'null'

/** The forms of one request's objects. */
export class Forms {
  readonly #forms: ObjectForms
  readonly #attributes: AdmissionAttributes
  readonly #owned: boolean
  readonly #made = new Map<Resource, { object?: Form; old?: Form }>()

  constructor(forms: ObjectForms, attributes: AdmissionAttributes, { owned = false } = {}) {
    this.#owned = owned
    this.#forms = forms
    this.#attributes = attributes
  }

  /** The JSON of both objects. */
  async texts(resource: Resource): Promise<ReviewedTexts> {
    const { object, old } = await this.of(resource)
    return { object: object?.text ?? NOTHING, old: old?.text ?? NOTHING }
  }

  /** Both objects, as they are now. */
  async of(resource: Resource): Promise<{ object?: Form; old?: Form }> {
    const { object, old } = this.#attributes
    const known = this.#made.get(resource) ?? {}
    const made = {
      ...(object && { object: await this.#form(object, known.object, resource) }),
      ...(old && { old: await this.#form(old, known.old, resource) }),
    }
    this.#made.set(resource, made)
    return made
  }

  async #form(of: KubeObject, known: Form | undefined, resource: Resource): Promise<Form> {
    if (known?.of === of) return known
    const { subresource } = this.#attributes
    const shown = await this.#forms.shown(of, { resource, subresource, owned: this.#owned })
    return { of, shown, text: jsonText(shown) }
  }
}
