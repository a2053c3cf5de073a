// Request bodies: from bytes of any accepted media type to JSON values and objects.
// Follows k8s.io/apiserver/pkg/endpoints/handlers/create.go and pkg/runtime/serializer.
import { apiVersionOf, type GroupVersionKind, parseGroupVersion } from '../machinery/gvk.ts'
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { badRequest, cause, invalid, unsupportedMediaType } from '../machinery/status.ts'
import { DecodeError } from '../schema/decode.ts'
import {
  inTextOrder,
  JsonNumberError,
  JsonSyntaxError,
  type NumberTokens,
  parseJson,
} from '../schema/json/json.ts'
import { decode as decodeProtobuf, ProtobufError } from '../schema/protobuf/envelope.ts'
import { typeForKind } from '../schema/types.ts'
import type { FieldValidation } from './options.ts'
import type { ApiRequest, Body } from './request.ts'
import type { Expected } from './scope.ts'
import { JSON_TYPE, PROTOBUF_TYPE, YAML_TYPE } from './view.ts'

const TYPE_META =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
const SCHEME = 'in scheme "pkg/runtime/scheme.go:111"'
/** How much of an unreadable body a refusal quotes. */
const QUOTED_BYTES = 30

/** A body as it was parsed, with what a strict reader objects to. */
export interface ParsedBody {
  readonly value: Json
  readonly duplicates: readonly string[]
  readonly tokens?: () => NumberTokens
}

/** JSON, YAML or protobuf to a JSON value; throws 415 for other media types and a SyntaxFault for what cannot be read. */
export async function parseBody(
  body: Body,
  findDuplicates: boolean,
  defaults?: GroupVersionKind,
): Promise<ParsedBody> {
  switch (body.mediaType) {
    case '':
    case JSON_TYPE:
      return parseJson(body.bytes, { findDuplicates, mergeDuplicates: true })
    case YAML_TYPE: {
      const { parseYaml } = await import('../schema/yaml/yaml.ts')
      return parseYaml(body.bytes, { findDuplicates })
    }
    case PROTOBUF_TYPE:
      return {
        value: decodeProtobuf(body.bytes, { typeFor: typeForKind, ...(defaults ? { defaults } : {}) }),
        duplicates: [],
      }
    default:
      throw unknownFormat()
  }
}

const READABLE: ReadonlySet<string> = new Set(['', JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE])

/** Throws 415 for other media types. */
export function requireReadable({ mediaType }: Body): void {
  if (!READABLE.has(mediaType)) throw unknownFormat()
}

const unknownFormat = (): Error =>
  unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: ${JSON_TYPE}, ${YAML_TYPE}, ${PROTOBUF_TYPE}`,
  )

/** Gives the same object again and again, each time fresh: the write loop changes what it is given. */
export type Fresh = () => KubeObject

/** Reads the body as an object of the expected kind; faults of fields are warned of or refused as asked. */
export async function readObject(
  request: ApiRequest,
  expected: Expected,
  validation: FieldValidation,
): Promise<Fresh> {
  const body = await request.body()
  const parsed = await parseOrRefuse(body, expected, validation !== 'Ignore')
  const value = checkKind(parsed.value, expected, body)
  let decoded
  try {
    decoded = expected.decode(value, parsed.tokens)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    throw cannotHandle(expected.kind, expected.version, expected.kind, error.message)
  }
  const isTyped = !expected.custom
  const faults = strictFaults(body, { unknown: decoded.unknownFields, isTyped, ...parsed })
  reportFaults(request, expected, validation, faults)
  let first: KubeObject | undefined = decoded.object
  return () => {
    const object = first ?? expected.decode(value).object
    first = undefined
    return object
  }
}

interface FoundFaults {
  readonly duplicates: readonly string[]
  readonly unknown: readonly string[]
  /** The objects have a type of their own: what it does not know is passed over, whatever is in it. */
  readonly isTyped: boolean
}

function strictFaults(
  { bytes, mediaType }: Body,
  { duplicates, unknown, isTyped }: FoundFaults,
): readonly string[] {
  const faults = [...duplicates, ...unknown]
  const isMixed = duplicates.length > 0 && unknown.length > 0
  if (!isMixed || !isTyped || (mediaType !== '' && mediaType !== JSON_TYPE)) return faults
  const passedOver = unknown.map((fault) => pathOfFault(fault))
  const isRead = (path: string): boolean =>
    !passedOver.some((over) => path === over || path.startsWith(`${over}.`) || path.startsWith(`${over}[`))
  return inTextOrder(bytes, [...duplicates.filter((fault) => isRead(pathOfFault(fault))), ...unknown])
}

/** The path that stands in quotes at a fault's end. */
const pathOfFault = (fault: string): string => /"(.*)"$/.exec(fault)?.[1] ?? ''

async function parseOrRefuse(body: Body, expected: Expected, findDuplicates: boolean): Promise<ParsedBody> {
  try {
    return await parseBody(body, findDuplicates, expected)
  } catch (error) {
    const why = syntaxFault(error)
    if (why === undefined) throw error
    if (error instanceof JsonNumberError)
      throw cannotHandle(expected.kind, expected.version, expected.kind, why)
    const json = body.mediaType === '' || body.mediaType === JSON_TYPE
    throw unrecognized(expected, json ? `couldn't get version/kind; json parse error: ${why}` : why, body)
  }
}

/** The words of a parser's refusal; undefined for other errors. */
export function syntaxFault(error: unknown): string | undefined {
  if (error instanceof JsonSyntaxError || error instanceof ProtobufError) return error.message
  return error instanceof Error && error.name === 'YamlError' ? error.message : undefined
}

function unrecognized(expected: Expected, why: string, body: Body): Error {
  return badRequest(
    `the object provided is unrecognized (must be of type ${expected.kind}): ${why} (${quoted(body)})`,
  )
}

/** The beginning of a body as upstream shows it: text where it is printable, else hexadecimal. */
function quoted(body: Body): string {
  const { bytes } = body
  if (bytes.length === 0) return '<empty>'
  const head = bytes.subarray(0, QUOTED_BYTES)
  const text =
    head.every((b) => b >= 0x20 && b < 0x7f) && head[0] === 0x7b
      ? head.toString('latin1')
      : head.toString('hex')
  return bytes.length > QUOTED_BYTES ? `${text} ...` : text
}

function cannotHandle(kind: string, version: string, expected: string, why: string): Error {
  return badRequest(
    `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${expected}: ${why}`,
  )
}

/** A body without kind and apiVersion is taken as the expected one; another one is refused. */
function checkKind(value: Json, expected: Expected, body: Body): JsonObject {
  if (value === null) {
    if (expected.custom) throw unrecognized(expected, "Object 'Kind' is missing in 'null'", body)
    return { kind: expected.kind, apiVersion: apiVersionOf(expected) }
  }
  if (!isObject(value)) {
    const what = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
    throw unrecognized(
      expected,
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${what} into Go value of type ${TYPE_META}`,
      body,
    )
  }
  const { kind, apiVersion } = value
  if (apiVersion === apiVersionOf(expected) && kind === expected.kind) return value
  if (expected.custom) refuseCustom(value, expected, body)
  const found = typeMeta(kind, apiVersion, expected, body)
  const sameVersion =
    apiVersionOf(found) === apiVersionOf(expected) || expected.alsoAccepts?.includes(apiVersionOf(found))
  if (found.kind !== expected.kind || !sameVersion) refuseKind(found, expected)
  return { ...value, kind: expected.kind, apiVersion: apiVersionOf(expected) }
}

/** Objects without a type of their own must say what they are. */
function refuseCustom(value: JsonObject, expected: Expected, body: Body): void {
  const { kind = '', apiVersion = '', metadata } = value
  if (typeof kind !== 'string' || typeof apiVersion !== 'string') return
  const wanted = apiVersionOf(expected)
  if (kind === '')
    throw unrecognized(expected, `Object 'Kind' is missing in '${body.bytes.toString()}'`, body)
  if (apiVersion !== wanted) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${wanted})`,
    )
  }
  const name = isObject(metadata) && typeof metadata['name'] === 'string' ? metadata['name'] : ''
  throw invalid({ group: expected.group, kind }, name, [
    cause.invalid('kind', kind, `must be ${expected.kind}`),
  ])
}

interface Found {
  readonly group: string
  readonly version: string
  readonly kind: string
}

function typeMeta(
  kind: Json | undefined,
  apiVersion: Json | undefined,
  expected: Expected,
  body: Body,
): Found {
  const odd = [apiVersion, kind].find((v) => v !== undefined && v !== null && typeof v !== 'string')
  if (odd !== undefined) {
    const field = odd === apiVersion ? 'apiVersion' : 'kind'
    const what = Array.isArray(odd) ? 'array' : typeof odd === 'boolean' ? 'bool' : typeof odd
    throw unrecognized(
      expected,
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${what} into Go struct field .${field} of type string`,
      body,
    )
  }
  const gv = typeof apiVersion === 'string' && apiVersion !== '' ? parseGroupVersion(apiVersion) : expected
  if (!gv) throw unrecognized(expected, `unexpected GroupVersion string: ${String(apiVersion)}`, body)
  return {
    group: gv.group,
    version: gv.version,
    kind: typeof kind === 'string' && kind !== '' ? kind : expected.kind,
  }
}

const RUNTIME_SCHEME = 'in scheme "pkg/runtime/scheme.go:111"'

function refuseKind(found: Found, expected: Expected): never {
  if (expected.alone)
    throw badRequest(
      `no kind is registered for the type ${expected.version}.${expected.kind} ${RUNTIME_SCHEME}`,
    )
  const known = typeForKind(found) !== undefined
  if (!known) {
    const gv = JSON.stringify(apiVersionOf(found))
    throw cannotHandle(
      found.kind,
      found.version,
      expected.kind,
      `no kind ${JSON.stringify(found.kind)} is registered for version ${gv} ${SCHEME}`,
    )
  }
  if (found.kind !== expected.kind) {
    const from = `${found.version}.${found.kind}`
    const to = `${expected.group === '' ? 'core' : (expected.group.split('.')[0] as string)}.${expected.kind}`
    throw cannotHandle(
      found.kind,
      found.version,
      expected.kind,
      `converting (${from}) to (${to}): unknown conversion`,
    )
  }
  throw badRequest(
    `the API version in the data (${apiVersionOf(found)}) does not match the expected API version (${apiVersionOf(expected)})`,
  )
}

/** Unknown and duplicate fields: a warning each, or one refusal. */
export function reportFaults(
  request: ApiRequest,
  expected: Expected,
  validation: FieldValidation,
  faults: readonly string[],
): void {
  if (!faults.length || validation === 'Ignore') return
  if (validation === 'Strict') {
    throw cannotHandle(
      expected.kind,
      expected.version,
      expected.kind,
      `strict decoding error: ${faults.join(', ')}`,
    )
  }
  for (const fault of faults) for (const line of warningsOf(fault)) request.warn(line)
}

/** Of YAML, all duplicates are one fault, but a warning each. */
const YAML_FAULT = 'yaml: unmarshal errors:\n'
const warningsOf = (fault: string): readonly string[] =>
  fault.startsWith(YAML_FAULT)
    ? fault
        .slice(YAML_FAULT.length)
        .split('\n')
        .map((line) => line.trim())
    : [fault]
