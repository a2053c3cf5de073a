// The fields of a struct with their path elements, worked out once for each type: every walk of this room that goes by
// field sets looks its fields up here.
import type { Field, StructType, Type } from '../type.ts'

export class FieldElement {
  readonly element: string
  readonly #field: Field
  /** Resolved when first met: types may be recursive. */
  #type: Type | undefined

  constructor(field: Field) {
    this.element = `f:${field.name}`
    this.#field = field
  }

  get type(): Type {
    return (this.#type ??= this.#field.type)
  }
}

const elementsOf = new WeakMap<StructType, ReadonlyMap<string, FieldElement>>()

/** By name. */
export function structElements(type: StructType): ReadonlyMap<string, FieldElement> {
  let elements = elementsOf.get(type)
  if (!elements) {
    elements = new Map(type.fields.map((field) => [field.name, new FieldElement(field)]))
    elementsOf.set(type, elements)
  }
  return elements
}
