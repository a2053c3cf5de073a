// The vocabulary of validation: a spot is one field of an object, with the path that a cause names, and the rules that
// may be put to it. A rule that does not hold adds a cause; the path is put together only then.
// Used by every file of this folder. Follows k8s.io/apimachinery/pkg/util/validation/field.
import { isObject } from '../../machinery/json.ts'
import { emptiedAt } from '../../machinery/emptied.ts'
import type { Json, JsonObject } from '../../machinery/json.ts'
import { labelsCauses, labelSelectorCauses } from '../../machinery/labels.ts'
import { nameIsDnsSubdomain } from '../../machinery/names.ts'
import { cause, type StatusCause } from '../../machinery/status.ts'
import {
  dns1123LabelErrors,
  labelValueErrors,
  portNameErrors,
  portNumberErrors,
  qualifiedNameErrors,
} from '../../machinery/validation.ts'
import { asStruct, sameStruct } from '../../schema/gostructs.ts'
import { semanticEqual } from '../equality.ts'
import { FIELD_IMMUTABLE } from '../metadata.ts'
import { exactAt, numberAt, objectAt, textAt } from '../reading.ts'

type Value = Json | undefined
type Faults = (text: string) => readonly string[]

export const NOT_NEGATIVE = 'must be greater than or equal to 0'
export const POSITIVE = 'must be greater than zero'

/** The field of an object, of a name that a rule gives. */
function fieldOf(value: Value, name: string): Value {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value[name] : undefined
}

/** The same for names that come from clients: "toString" is a key like any other. */
function entryOf(value: Value, name: string): Value {
  const object = objectAt(value)
  return Object.hasOwn(object, name) ? object[name] : undefined
}

/** What rules ask that stands in no object. */
export interface Policy {
  readonly allowPrivileged: boolean
  /** The spec of the stored pod: some of what it has may stay that is no more allowed. */
  readonly formerSpec?: JsonObject
}
const PERMISSIVE: Policy = { allowPrivileged: true }

/** What all spots of one object share. */
interface Sink extends Policy {
  readonly causes: StatusCause[]
}

const NO_SPOTS: readonly Spot[] = Object.freeze([])

export class Spot {
  readonly value: Value
  private readonly sink: Sink
  private readonly parent: Spot | undefined
  /** A field's name, an entry's key in brackets, or an index: put into words where a rule does not hold. */
  private readonly step: string | number

  private constructor(value: Value, step: string | number, sink: Sink, parent?: Spot) {
    this.value = value
    this.step = step
    this.sink = sink
    this.parent = parent
  }

  /** The whole of an object; its fields' paths begin with their names. */
  static of(value: Value, causes: StatusCause[], policy: Policy = PERMISSIVE): Spot {
    return new Spot(value, '', { ...policy, causes })
  }

  get causes(): StatusCause[] {
    return this.sink.causes
  }
  get policy(): Policy {
    return this.sink
  }

  /** As upstream writes it: spec.containers[0].name, spec.hard[pods]. */
  get path(): string {
    const { step, parent } = this
    const before = parent?.path ?? ''
    if (typeof step === 'number') return `${before}[${step}]`
    return before === '' || step.startsWith('[') ? before + step : `${before}.${step}`
  }

  /** The field of this name. */
  at(name: string): Spot {
    return new Spot(fieldOf(this.value, name), name, this.sink, this)
  }
  /** The same value under another path, where upstream's path is not that of the field. */
  named(step: string): Spot {
    return new Spot(this.value, step, this.sink, this.parent)
  }
  /** This path with another value. */
  with(value: Value): Spot {
    return new Spot(value, this.step, this.sink, this.parent)
  }
  /** The entry of a map, or what a rule calls so: limits[cpu]. */
  key(name: string): Spot {
    return new Spot(entryOf(this.value, name), `[${name}]`, this.sink, this)
  }
  /** The items of a list. */
  items(): Spot[] {
    if (!Array.isArray(this.value)) return []
    return this.value.map((item, i) => new Spot(item, i, this.sink, this))
  }
  /** The items of the list that this field is: most fields are absent, and cost nothing. */
  itemsOf(name: string): readonly Spot[] {
    const value = fieldOf(this.value, name)
    return Array.isArray(value) && value.length > 0 ? this.at(name).items() : NO_SPOTS
  }
  /** The keys of a map, in order. */
  keys(): string[] {
    return Object.keys(this.object).sort()
  }

  get object(): JsonObject {
    return objectAt(this.value)
  }
  get text(): string {
    return textAt(this.value)
  }
  /** About right beyond 2^53: nothing is bounded out there. */
  get number(): number {
    return numberAt(this.value)
  }
  /** The number as it is, for causes to show. */
  get exact(): number | bigint {
    return exactAt(this.value)
  }
  /** Given at all: a pointer that is not nil. */
  get isSet(): boolean {
    return this.value !== undefined && this.value !== null
  }
  /** Nothing in it: absent, "", [] or {}. */
  get isEmpty(): boolean {
    const value = this.value
    if (value === undefined || value === null || value === '') return true
    return (
      typeof value === 'object' && (Array.isArray(value) ? value.length : Object.keys(value).length) === 0
    )
  }

  /** As Go prints it: an empty list that a client sent is one, though the object has none any more. */
  get shown(): Json {
    const { value, parent, step } = this
    if (value !== undefined && value !== null) return value
    return (typeof step === 'string' && parent && emptiedAt(parent.object, step)) || null
  }

  // ---- causes

  required(detail = ''): void {
    this.causes.push(cause.required(this.path, detail))
  }
  invalid(detail: string, value: unknown = this.shown): void {
    this.causes.push(cause.invalid(this.path, value, detail))
  }
  /** Invalid, without showing the value. */
  refused(detail: string): void {
    this.causes.push({ reason: 'FieldValueInvalid', message: `Invalid value: ${detail}`, field: this.path })
  }
  forbidden(detail: string): void {
    this.causes.push(cause.forbidden(this.path, detail))
  }
  duplicate(value: unknown = this.value): void {
    this.causes.push(cause.duplicate(this.path, value))
  }
  duplicateOf(value: unknown, detail: string): void {
    const found = cause.duplicate(this.path, value)
    this.causes.push({ ...found, message: `${found.message}: ${detail}` })
  }
  notFound(value: unknown = this.value): void {
    this.causes.push(cause.notFound(this.path, value))
  }
  notFoundAmong(value: string, detail: string): void {
    const found = cause.notFound(this.path, value)
    this.causes.push({ ...found, message: `${found.message}: ${detail}` })
  }
  notSupported(supported: readonly string[], value: unknown = this.shown ?? ''): void {
    this.causes.push(cause.notSupported(this.path, value, supported))
  }
  tooLong(bytes: number): void {
    // Upstream's path of the object itself prints as an empty index.
    this.causes.push(cause.tooLong(this.path || '[]', bytes))
  }
  tooMany(most: number): void {
    this.causes.push(cause.tooMany(this.path, Array.isArray(this.value) ? this.value.length : 0, most))
  }

  // ---- rules: each answers whether it holds

  /** Not empty. */
  needed(detail = ''): boolean {
    if (!this.isEmpty) return true
    this.required(detail)
    return false
  }
  /** Free of these faults. */
  matches(faults: Faults): boolean {
    const found = faults(this.text)
    for (const fault of found) this.invalid(fault, this.text)
    return found.length === 0
  }
  /** Given, and free of these faults. */
  neededAs(faults: Faults, detail = ''): boolean {
    return this.needed(detail) && this.matches(faults)
  }
  /** Free of these faults, if given. */
  ifSet(faults: Faults): boolean {
    return this.isEmpty || this.matches(faults)
  }
  /** One of these texts. */
  oneOf(supported: readonly string[]): boolean {
    if (supported.includes(this.text)) return true
    this.notSupported(supported, this.text)
    return false
  }
  /** Given, and one of these texts. */
  neededOneOf(supported: readonly string[]): boolean {
    return this.needed() && this.oneOf(supported)
  }
  /** One of these texts, if given. */
  oneOfIfSet(supported: readonly string[]): boolean {
    return !this.isSet || this.oneOf(supported)
  }
  /** A number of at least `least`; absent counts as zero. */
  atLeast(least: number, detail = NOT_NEGATIVE): boolean {
    if (this.number >= least) return true
    this.invalid(detail, this.exact)
    return false
  }
  atLeastIfSet(least: number, detail = NOT_NEGATIVE): boolean {
    return !this.isSet || this.atLeast(least, detail)
  }
  between(least: number, most: number, detail = `must be between ${least} and ${most}, inclusive`): boolean {
    if (this.number >= least && this.number <= most) return true
    this.invalid(detail, this.exact)
    return false
  }
  /** Not given. */
  absent(detail: string): boolean {
    if (!this.isSet) return true
    this.forbidden(detail)
    return false
  }
  /** As it was. An empty struct is another than none. */
  unchanged(old: Value, shown: unknown = this.shown): boolean {
    if (semanticEqual(this.value, old) && isObject(this.value) === isObject(old)) return true
    this.invalid(FIELD_IMMUTABLE, shown)
    return false
  }
  /** As it was: values of this type of upstream's, whose causes print it. */
  unchangedStruct(type: string, old: Value): boolean {
    if (sameStruct(type, this.value, old)) return true
    this.invalid(FIELD_IMMUTABLE, asStruct(type, this.shown ?? undefined))
    return false
  }
  /** Each item, or each item's `name`, once. */
  unique(read: (item: Spot) => Spot = (item) => item): void {
    const seen = new Set<string>()
    for (const item of this.items()) {
      const spot = read(item)
      if (seen.has(spot.text)) spot.duplicate()
      seen.add(spot.text)
    }
  }

  // ---- rules of names and numbers that many kinds share

  isLabelName(): boolean {
    return this.matches(dns1123LabelErrors)
  }
  isSubdomain(): boolean {
    return this.matches((text) => nameIsDnsSubdomain(text, false))
  }
  isQualifiedName(): boolean {
    return this.matches(qualifiedNameErrors)
  }
  isLabelValue(): boolean {
    return this.matches(labelValueErrors)
  }
  isPortNumber(): boolean {
    const found = portNumberErrors(this.number)
    for (const fault of found) this.invalid(fault, this.exact)
    return found.length === 0
  }
  isPort(): boolean {
    return typeof this.value === 'string' ? this.matches(portNameErrors) : this.isPortNumber()
  }
  isLabels(): void {
    if (this.isSet) this.causes.push(...labelsCauses(this.value, this.path))
  }
  isSelector(): void {
    if (this.isSet) this.causes.push(...labelSelectorCauses(this.value, this.path))
  }
}
