// Versions of a definition as upstream prints them in a refusal: the JSON of its internal Go structs, whose fields have
// Go's names and are all there. Follows apiextensions-apiserver/pkg/apis/apiextensions (types.go).
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'

/** What stands for an absent field: null for pointers, slices and maps, else the zero value. */
type Zero = null | '' | false
type Shape = 'plain' | 'schema' | 'schemas' | 'named' | 'items' | 'orBool' | 'rules'
type GoField = readonly [go: string, json: string, zero: Zero, shape?: Shape]

const SCHEMA: readonly GoField[] = [
  ['ID', 'id', ''],
  ['Schema', '$schema', ''],
  ['Ref', '$ref', null],
  ['Description', 'description', ''],
  ['Type', 'type', ''],
  ['Nullable', 'nullable', false],
  ['Format', 'format', ''],
  ['Title', 'title', ''],
  ['Default', 'default', null],
  ['Maximum', 'maximum', null],
  ['ExclusiveMaximum', 'exclusiveMaximum', false],
  ['Minimum', 'minimum', null],
  ['ExclusiveMinimum', 'exclusiveMinimum', false],
  ['MaxLength', 'maxLength', null],
  ['MinLength', 'minLength', null],
  ['Pattern', 'pattern', ''],
  ['MaxItems', 'maxItems', null],
  ['MinItems', 'minItems', null],
  ['UniqueItems', 'uniqueItems', false],
  ['MultipleOf', 'multipleOf', null],
  ['Enum', 'enum', null],
  ['MaxProperties', 'maxProperties', null],
  ['MinProperties', 'minProperties', null],
  ['Required', 'required', null],
  ['Items', 'items', null, 'items'],
  ['AllOf', 'allOf', null, 'schemas'],
  ['OneOf', 'oneOf', null, 'schemas'],
  ['AnyOf', 'anyOf', null, 'schemas'],
  ['Not', 'not', null, 'schema'],
  ['Properties', 'properties', null, 'named'],
  ['AdditionalProperties', 'additionalProperties', null, 'orBool'],
  ['PatternProperties', 'patternProperties', null, 'named'],
  ['Dependencies', 'dependencies', null],
  ['AdditionalItems', 'additionalItems', null, 'orBool'],
  ['Definitions', 'definitions', null, 'named'],
  ['ExternalDocs', 'externalDocs', null],
  ['Example', 'example', null],
  ['XPreserveUnknownFields', 'x-kubernetes-preserve-unknown-fields', null],
  ['XEmbeddedResource', 'x-kubernetes-embedded-resource', false],
  ['XIntOrString', 'x-kubernetes-int-or-string', false],
  ['XListMapKeys', 'x-kubernetes-list-map-keys', null],
  ['XListType', 'x-kubernetes-list-type', null],
  ['XMapType', 'x-kubernetes-map-type', null],
  ['XValidations', 'x-kubernetes-validations', null, 'rules'],
]

const RULE: readonly GoField[] = [
  ['Rule', 'rule', ''],
  ['Message', 'message', ''],
  ['MessageExpression', 'messageExpression', ''],
  ['Reason', 'reason', null],
  ['FieldPath', 'fieldPath', ''],
  ['OptionalOldSelf', 'optionalOldSelf', null],
]

function struct(object: JsonObject, fields: readonly GoField[]): JsonObject {
  return Object.fromEntries(
    fields.map(([go, json, zero, shape]) => {
      const value = object[json]
      return [go, value === undefined || value === null ? zero : shaped(value, shape)]
    }),
  )
}

function shaped(value: Json, shape: Shape = 'plain'): Json {
  switch (shape) {
    case 'schema':
      return schemaForm(value)
    case 'schemas':
      return Array.isArray(value) ? value.map(schemaForm) : value
    case 'rules':
      return Array.isArray(value) ? value.map((one) => (isObject(one) ? ruleForm(one) : one)) : value
    case 'named':
      return Object.fromEntries(
        Object.keys(value as JsonObject)
          .sort()
          .map((key) => [key, schemaForm((value as JsonObject)[key] as Json)]),
      )
    case 'items':
      return { Schema: schemaForm(value), JSONSchemas: null }
    case 'orBool':
      return { Allows: value !== false, Schema: isObject(value) ? schemaForm(value) : null }
    case 'plain':
      return value
  }
}

/** A schema. */
export const schemaForm = (value: Json): Json => (isObject(value) ? struct(value, SCHEMA) : value)

/** A rule of x-kubernetes-validations. */
export const ruleForm = (rule: JsonObject): JsonObject => struct(rule, RULE)

/** What all versions share is told once, above them. */
export interface Shared {
  readonly schema: boolean
  readonly subresources: boolean
  readonly additionalPrinterColumns: boolean
  readonly selectableFields: boolean
}

/** `spec.versions`; null where there are none at all. */
export function versionsForm(versions: Json | undefined, shared: Shared): Json {
  if (!Array.isArray(versions)) return null
  return versions.filter(isObject).map((version) => {
    const schema = isObject(version['schema']) ? version['schema']['openAPIV3Schema'] : undefined
    const own = (isShared: boolean, value: Json | undefined): Json => (isShared ? null : (value ?? null))
    return {
      Name: version['name'] ?? '',
      Served: version['served'] ?? false,
      Storage: version['storage'] ?? false,
      Deprecated: version['deprecated'] ?? false,
      DeprecationWarning: version['deprecationWarning'] ?? null,
      Schema: own(shared.schema, isObject(schema) ? { OpenAPIV3Schema: schemaForm(schema) } : null),
      Subresources: own(shared.subresources, version['subresources']),
      AdditionalPrinterColumns: own(shared.additionalPrinterColumns, version['additionalPrinterColumns']),
      SelectableFields: own(shared.selectableFields, version['selectableFields']),
    }
  })
}
