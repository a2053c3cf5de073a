// What the fields of a webhook's answer are: values of other types are refused as Go's decoder refuses them.
// Follows the AdmissionResponse of k8s.io/api/admission/v1 and encoding/json of Go.
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'

/** A value as Go has it: the kind of JSON that it is read from, and the name of its type in messages. */
export interface Shape {
  readonly kind: 'string' | 'bool' | 'number' | 'object' | 'array' | 'base64'
  readonly type: string
  /** Of a struct: its name, and its fields. */
  readonly name?: string
  readonly fields?: Readonly<Record<string, Shape>>
  /** Of a list or a map. */
  readonly items?: Shape
}

const text = (type = 'string'): Shape => ({ kind: 'string', type })
const texts = (type: string): Shape => ({ kind: 'array', type, items: text() })
const struct = (name: string, fields: Readonly<Record<string, Shape>>): Shape => ({
  kind: 'object',
  type: `v1.${name}`,
  name,
  fields,
})

const CAUSE = struct('StatusCause', { reason: text('v1.CauseType'), message: text(), field: text() })

const DETAILS = struct('StatusDetails', {
  name: text(),
  group: text(),
  kind: text(),
  uid: text('types.UID'),
  causes: { kind: 'array', type: '[]v1.StatusCause', items: CAUSE },
  retryAfterSeconds: { kind: 'number', type: 'int32' },
})

const STATUS = struct('Status', {
  status: text(),
  message: text(),
  reason: text('v1.StatusReason'),
  details: DETAILS,
  code: { kind: 'number', type: 'int32' },
})

export const RESPONSE = struct('AdmissionResponse', {
  uid: text('types.UID'),
  allowed: { kind: 'bool', type: 'bool' },
  status: STATUS,
  patch: { kind: 'base64', type: '[]uint8' },
  patchType: text('v1.PatchType'),
  auditAnnotations: { kind: 'object', type: 'map[string]string', items: text() },
  warnings: texts('[]string'),
})

/** Throws an Error with the words of Go's decoder. `path`: the struct that the value is in, and the way to it from the outermost one. */
export function checkShape(value: Json, shape: Shape, path: string): void {
  if (value === null) return
  const kind = kindOfValue(value)
  if (kind !== (shape.kind === 'base64' ? 'string' : shape.kind)) throw mismatch(kind, shape, path)
  if (typeof value === 'number') checkNumber(value, shape, path)
  if (shape.kind === 'base64') checkBase64(value as string)
  if (Array.isArray(value)) for (const item of value) checkShape(item, shape.items as Shape, path)
  else if (isObject(value)) checkMembers(value, shape, path)
}

function checkMembers(value: JsonObject, shape: Shape, path: string): void {
  const { items, fields = {}, name = '' } = shape
  if (items) for (const item of Object.values(value)) checkShape(item ?? null, items, path)
  const way = path.slice(path.indexOf('.'))
  for (const key of Object.keys(fields)) {
    const member = value[key]
    if (member !== undefined) checkShape(member, fields[key] as Shape, `${name}${way}.${key}`)
  }
}

const MAX_INT32 = 2 ** 31

function checkNumber(value: number, shape: Shape, path: string): void {
  if (Number.isInteger(value) && value < MAX_INT32 && value >= -MAX_INT32) return
  throw mismatch(`number ${value}`, shape, path)
}

/** As Go reads it: line ends are passed over, what is missing at the end is not. */
function checkBase64(text: string): void {
  const plain = text.replace(/[\r\n]/g, '')
  const bad = /[^A-Za-z0-9+/]/.exec(plain.replace(/={1,2}$/, ''))
  if (!bad && plain.length % 4 === 0) return
  throw new Error(`illegal base64 data at input byte ${bad?.index ?? plain.replace(/=+$/, '').length}`)
}

const mismatch = (kind: string, { type }: Shape, path: string): Error =>
  new Error(`json: cannot unmarshal ${kind} into Go struct field ${path} of type ${type}`)

const kindOfValue = (value: Json): string =>
  Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
