// The rules for one version of a definition: schema, subresources, columns, fields to select by.
// Follows apiextensions-apiserver/pkg/apis/apiextensions/validation (validateCustomResourceDefinitionVersion).
import { isObject, type JsonObject } from '../../machinery/json.ts'
import { cause, type StatusCause } from '../../machinery/status.ts'
import { celCauses } from './celrules.ts'
import { defaultCauses } from './defaults.ts'
import { findField, typeAt } from './fieldpath.ts'
import { schemaForm } from './goform.ts'
import { listOf, textAt } from './reading.ts'
import { openApiCauses } from './schema.ts'
import { structuralCauses } from './structural.ts'
import { unsupportedFault } from './unsupported.ts'

const MAX_WARNING = 256
const MAX_SELECTABLE = 8
const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string']
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']
/** What the root may say where the status is a subresource. */
const AT_ROOT: ReadonlyMap<string, string> = new Map([
  ['description', 'Description'],
  ['type', 'Type'],
  ['format', 'Format'],
  ['title', 'Title'],
  ['maximum', 'Maximum'],
  ['exclusiveMaximum', 'ExclusiveMaximum'],
  ['minimum', 'Minimum'],
  ['exclusiveMinimum', 'ExclusiveMinimum'],
  ['maxLength', 'MaxLength'],
  ['minLength', 'MinLength'],
  ['pattern', 'Pattern'],
  ['maxItems', 'MaxItems'],
  ['minItems', 'MinItems'],
  ['uniqueItems', 'UniqueItems'],
  ['multipleOf', 'MultipleOf'],
  ['required', 'Required'],
  ['items', 'Items'],
  ['properties', 'Properties'],
  ['externalDocs', 'ExternalDocs'],
  ['example', 'Example'],
  ['x-kubernetes-preserve-unknown-fields', 'XPreserveUnknownFields'],
  ['x-kubernetes-validations', 'XValidations'],
])

/** Rules of the schema of a version; `path` ends before openAPIV3Schema. */
export function validationCauses(
  schema: JsonObject,
  hasStatus: boolean,
  path: string,
  isKnown: boolean,
): StatusCause[] {
  const causes: StatusCause[] = []
  const field = `${path}.openAPIV3Schema`
  if (hasStatus) rootCauses(schema, field, causes)
  if (schema['nullable'] === true)
    causes.push(cause.forbidden(`${field}.nullable`, 'nullable cannot be true at the root'))
  const unsupported = unsupportedFault(schema)
  const faults = unsupported === undefined ? shapeCauses(schema, field) : []
  const open = openApiCauses(schema, field)
  causes.push(...faults, ...open)
  if (unsupported !== undefined && causes.length === 0)
    causes.push(cause.invalid(field, '', `OpenAPIV3Schema ${unsupported}`))
  // What the rules say is looked at in the parts of a sound shape in which nothing else is wrong.
  const above = open.length > 0 ? pathsAbove(open) : undefined
  const isFaulty = (path: string): boolean => above?.has(path) ?? false
  if (unsupported === undefined && faults.length === 0)
    causes.push(...celCauses(schema, field, { isKnown, isFaulty }))
  return causes
}

/** The paths of all parts of a schema in which something is. */
function pathsAbove(causes: readonly StatusCause[]): ReadonlySet<string> {
  const paths = new Set<string>()
  for (const { field = '' } of causes) {
    for (let end = field.lastIndexOf('.'); end > 0; end = field.lastIndexOf('.', end - 1)) {
      const path = field.slice(0, end)
      if (paths.has(path)) break
      paths.add(path)
    }
  }
  return paths
}

function shapeCauses(schema: JsonObject, field: string): StatusCause[] {
  const faults = structuralCauses(schema, field)
  return faults.length > 0 ? faults : defaultCauses(schema, field)
}

function rootCauses(schema: JsonObject, field: string, causes: StatusCause[]): void {
  const type = textAt(schema, 'type')
  const where = 'root of the schema if the status subresource is enabled'
  if (type !== '' && type !== 'object') {
    causes.push(cause.invalid(`${field}.type`, type, `only "object" is allowed as the type at the ${where}`))
  }
  if (Object.keys(schema).every((key) => AT_ROOT.has(key))) return
  const allowed = `[${[...AT_ROOT.values()].join(' ')}]`
  causes.push(cause.invalid(field, schemaForm(schema), `only ${allowed} fields are allowed at the ${where}`))
}

/** Rules of a warning of deprecation. */
export function deprecationCauses(version: JsonObject, path: string): StatusCause[] {
  const warning = version['deprecationWarning']
  if (typeof warning !== 'string') return []
  const invalid = (why: string) => cause.invalidPointer(`${path}.deprecationWarning`, warning, why)
  if (version['deprecated'] !== true) return [invalid('can only be set for deprecated versions')]
  const causes: StatusCause[] = []
  if (Buffer.byteLength(warning) > MAX_WARNING)
    causes.push(invalid(`must be <= ${MAX_WARNING} characters long`))
  if (warning === '') causes.push(invalid('must not be an empty string'))
  const odd = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.exec(warning)
  if (odd) {
    const at = Buffer.byteLength(warning.slice(0, odd.index))
    const why = `must only contain printable UTF-8 characters; non-printable character found at index ${at}`
    causes.push(invalid(why))
  }
  return causes
}

/** Rules of a printer column. */
export function columnCauses(column: JsonObject, path: string): StatusCause[] {
  const causes: StatusCause[] = []
  if (textAt(column, 'name') === '') causes.push(cause.required(`${path}.name`))
  const type = textAt(column, 'type')
  const types = `must be one of ${COLUMN_TYPES.join(',')}`
  if (type === '') causes.push(cause.required(`${path}.type`, types))
  else if (!COLUMN_TYPES.includes(type)) causes.push(cause.invalid(`${path}.type`, type, types))
  const format = textAt(column, 'format')
  if (format !== '' && !COLUMN_FORMATS.includes(format))
    causes.push(cause.invalid(`${path}.format`, format, `must be one of ${COLUMN_FORMATS.join(',')}`))
  const jsonPath = textAt(column, 'jsonPath')
  if (jsonPath === '') causes.push(cause.required(`${path}.JSONPath`))
  else simplePath(jsonPath, `${path}.JSONPath`, causes)
  return causes
}

/** False where it is none. */
function simplePath(text: string, field: string, causes: StatusCause[]): boolean {
  if (text.startsWith('.')) return true
  causes.push(cause.invalid(field, text, 'must be a simple json path starting with .'))
  return false
}

/** Rules of status and scale. */
export function subresourceCauses(subresources: JsonObject, path: string): StatusCause[] {
  const causes: StatusCause[] = []
  const { scale } = subresources
  if (!isObject(scale)) return causes
  const check = (key: string, under: readonly string[], why: string, optional = false): void => {
    const text = textAt(scale, key)
    const field = `${path}.scale.${key}`
    if (text === '') {
      if (!optional) causes.push(cause.required(field))
    } else if (simplePath(text, field, causes) && !under.some((one) => text.startsWith(one)))
      causes.push(cause.invalid(field, text, why))
  }
  check('specReplicasPath', ['.spec.'], 'should be a json path under .spec')
  check('statusReplicasPath', ['.status.'], 'should be a json path under .status')
  const both = 'should be a json path under either .spec or .status'
  check('labelSelectorPath', ['.spec.', '.status.'], both, true)
  return causes
}

/** Rules of the fields that lists may be selected by. */
export function selectableCauses(
  version: JsonObject,
  schema: JsonObject | undefined,
  path: string,
): StatusCause[] {
  const causes: StatusCause[] = []
  const seen = new Set<string>()
  listOf(version, 'selectableFields').forEach((one, i) => {
    const jsonPath = textAt(one, 'jsonPath')
    const field = `${path}[${i}].jsonPath`
    if (jsonPath === '') {
      causes.push(cause.required(field))
      return
    }
    const found = findField(jsonPath, schema ?? {}, false)
    if ('fault' in found) {
      causes.push(cause.invalid(field, jsonPath, `is an invalid path: ${found.fault}`))
      return
    }
    if (/^\.metadata(\.|$)/.test(jsonPath))
      causes.push(cause.invalid(field, jsonPath, 'must not point to fields in metadata'))
    if (!['string', 'boolean', 'integer'].includes(typeAt(found))) {
      const why =
        'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.'
      causes.push(cause.invalid(field, jsonPath, why))
    }
    if (seen.has(jsonPath)) causes.push(cause.duplicate(field, jsonPath))
    seen.add(jsonPath)
  })
  if (seen.size > MAX_SELECTABLE) causes.push(cause.tooMany(path, seen.size, MAX_SELECTABLE))
  return causes
}
