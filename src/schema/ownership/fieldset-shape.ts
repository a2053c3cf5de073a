// The set of all fields that a value has, and sets that are kept: objects of one shape have the very same set, so that
// what is worked out from it (its JSON text, what remains without the fields that nobody owns) is worked out once.
// Beside fieldset-compare.ts. A pod of a Deployment has the fields of its siblings, hence most creates meet known ones.
import type { Json } from '../../machinery/json.ts'
import { comparePathElements, type FieldSet, LEAF } from './fieldset.ts'
import { itemElement } from './fieldset-items.ts'
import { structElements } from './fieldset-struct.ts'
import type { ListType, Type } from '../type.ts'

/** Sets in the making: one step for each element with the set below it, in the order in which they are met. */
export class Shape {
  readonly #element: string
  readonly #below: FieldSet
  readonly #before: Shape | undefined
  /** The step that was taken from here first; most shapes have one. */
  #first: Shape | undefined
  #others: Map<string, Shape[]> | undefined
  #set: FieldSet | undefined

  constructor(element: string, below: FieldSet, before?: Shape) {
    this.#element = element
    this.#below = below
    this.#before = before
  }

  /** This with one more element. Elements must differ. */
  with(element: string, below: FieldSet): Shape {
    const first = this.#first
    if (first === undefined) return (this.#first = grow(element, below, this))
    if (first.#below === below && first.#element === element) return first
    return this.#other(element, below)
  }

  #other(element: string, below: FieldSet): Shape {
    this.#others ??= new Map()
    const others = this.#others.get(element)
    for (const other of others ?? NO_SHAPES) if (other.#below === below) return other
    const made = grow(element, below, this)
    if (!others) this.#others.set(element, [made])
    // Beyond, a shape is not found again: what has so many forms below has no common one.
    else if (others.length < MAX_FORMS) others.push(made)
    return made
  }

  /** The set of the elements so far, in order. */
  get set(): FieldSet {
    return (this.#set ??= this.#build())
  }

  #build(): FieldSet {
    const steps: Shape[] = []
    let at: Shape | undefined = this as Shape
    let self = false
    for (; at; at = at.#before) {
      if (at.#element === '') continue
      if (at.#element === '.') self = true
      else steps.push(at)
    }
    steps.sort((a, b) => comparePathElements(a.#element, b.#element))
    const out: FieldSet = self ? { '.': LEAF } : {}
    for (const step of steps) out[step.#element] = step.#below
    kept.add(out)
    return out
  }
}

const NO_SHAPES: readonly Shape[] = []

/** Sets below one element that are looked through: as many as cost less than to build the set anew. */
const MAX_FORMS = 16

/** Shapes that are remembered: a megabyte; beyond, all are forgotten, and the common ones come back at once. */
const MAX_SHAPES = 8192

let known = 0
let nothing = new Shape('', LEAF)
let itself = new Shape('.', LEAF)

function grow(element: string, below: FieldSet, before: Shape): Shape {
  if (++known > MAX_SHAPES) {
    known = 0
    nothing = new Shape('', LEAF)
    itself = new Shape('.', LEAF)
  }
  return new Shape(element, below, before)
}

/** Where a set begins that has no path of its own. */
export const emptyShape = (): Shape => nothing

/** The sets that come back: only for them is it worth remembering what was worked out. */
const kept = new WeakSet<FieldSet>([LEAF])

/** `work` of a set, done once where the set is one that comes back. The result comes back with it. */
export function oncePerSet(work: (set: FieldSet) => FieldSet): (set: FieldSet) => FieldSet {
  const results = new WeakMap<FieldSet, FieldSet>()
  return (set) => {
    const found = results.get(set)
    if (found) return found
    const made = work(set)
    if (kept.has(set)) {
      results.set(set, made)
      kept.add(made)
    }
    return made
  }
}

const texts = new WeakMap<FieldSet, string>()

/** The JSON text of a set, which `write` makes. */
export function textOfSet(set: FieldSet, write: (set: FieldSet) => string): string {
  const found = texts.get(set)
  if (found !== undefined) return found
  const text = write(set)
  if (kept.has(set)) texts.set(set, text)
  return text
}

/**
 * All that `value` has, itself included: the node for it in the set above.
 * @throws FieldSetError where an item of an associative list has no identity
 */
export function wholeOf(type: Type, value: Json): FieldSet {
  if (typeof value !== 'object' || value === null) return LEAF
  switch (type.kind) {
    case 'struct':
    case 'map':
      return type.atomic || Array.isArray(value) ? LEAF : wholeMap(type, value)
    case 'list':
      return wholeList(type, value)
    case 'any':
      return type.format === 'rawExtension' || Array.isArray(value) ? LEAF : wholeMap(type, value)
    default:
      return LEAF
  }
}

function wholeMap(type: Type, value: { readonly [key: string]: Json | undefined }): FieldSet {
  const fields = type.kind === 'struct' ? structElements(type) : undefined
  const valueType = type.kind === 'struct' ? type.rest : type.kind === 'map' ? type.value : type
  let shape: Shape | undefined
  for (const key in value) {
    const item = value[key]
    if (item === undefined) continue
    shape ??= itself
    const field = fields?.get(key)
    const below = field ? field.type : valueType
    if (below) shape = shape.with(field ? field.element : `f:${key}`, wholeOf(below, item))
  }
  return shape ? shape.set : LEAF
}

function wholeList(type: ListType, list: Json): FieldSet {
  if (type.listType === 'atomic' || !Array.isArray(list) || list.length === 0) return LEAF
  let shape = itself
  if (list.length === 1) {
    const item = list[0] as Json
    return shape.with(itemElement(type, item), wholeOf(type.item, item)).set
  }
  const items = new Map<string, FieldSet>()
  for (const item of list) {
    const element = itemElement(type, item)
    // Items of one identity count as one leaf.
    items.set(element, items.has(element) ? LEAF : wholeOf(type.item, item))
  }
  for (const [element, below] of items) shape = shape.with(element, below)
  return shape.set
}
