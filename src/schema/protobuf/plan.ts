// How a struct lies in its protobuf message: fields by number, and inlined Go structs as the messages they are there.
import type { Field, StructType, Type } from '../type.ts'

/** One numbered entry of a message: a field of the struct, or a message that Go inlines into it. */
export interface PlanEntry {
  readonly number: number
  /** Absent for inlined messages. */
  readonly field?: Field
  /** The field's place in StructType.fields. */
  readonly index: number
  readonly inlined?: Plan
}

export interface Plan {
  /** The Go type's name, for messages: "Pod". */
  readonly name: string
  /** Ascending by number. */
  readonly entries: PlanEntry[]
}

const plans = new WeakMap<StructType, Plan>()

/** The plan of a struct, made at first use. */
export function planOf(type: StructType): Plan {
  let plan = plans.get(type)
  if (!plan) {
    plan = makePlan(type)
    plans.set(type, plan)
  }
  return plan
}

function makePlan(type: StructType): Plan {
  const plan: Plan = { name: lastLabel(type.message ?? type.name), entries: [] }
  type.fields.forEach((field, index) => {
    if (field.number === undefined) return
    const home = (field.embedded ?? []).reduce(
      (outer, step) => inlinedPlan(outer, step.number, step.message),
      plan,
    )
    home.entries.push({ number: field.number, field, index })
  })
  sort(plan)
  return plan
}

function inlinedPlan(outer: Plan, number: number, message: string): Plan {
  const known = outer.entries.find((entry) => entry.inlined && entry.number === number)?.inlined
  if (known) return known
  const inlined: Plan = { name: lastLabel(message), entries: [] }
  outer.entries.push({ number, index: -1, inlined })
  return inlined
}

function sort(plan: Plan): void {
  plan.entries.sort((a, b) => a.number - b.number)
  for (const entry of plan.entries) if (entry.inlined) sort(entry.inlined)
}

function lastLabel(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

/** "map<string,bytes>" to "bytes". */
export function mapValueProtoType(protoType: string): string {
  return protoType.slice('map<string,'.length, -1)
}

/** Lists that are messages of their own in protobuf (Verbs, ExtraValue): field 1 repeats their items. */
export function isWrappedList(type: Type, protoType: string): boolean {
  return type.kind === 'list' && type.item.kind === 'string' && protoType.includes('.')
}

/** The two-faced types of JSON schemas, which are "any JSON" to the type graph. */
export type SchemaUnion = 'JSONSchemaPropsOrBool' | 'JSONSchemaPropsOrArray' | 'JSONSchemaPropsOrStringArray'

/** Which of them a protobuf type is, if any. */
export function schemaUnionOf(protoType: string): SchemaUnion | undefined {
  const name = lastLabel(protoType)
  return name === 'JSONSchemaPropsOrBool' ||
    name === 'JSONSchemaPropsOrArray' ||
    name === 'JSONSchemaPropsOrStringArray'
    ? name
    : undefined
}
