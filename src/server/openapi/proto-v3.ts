// The fields of gnostic's openapi.v3 messages, as far as Kubernetes' documents use them.
import type { Json } from '../../machinery/json.ts'
import { isObject } from '../../machinery/json.ts'
import { isNumeric } from '../../machinery/numbers.ts'
import {
  any,
  choice,
  choiceFlag,
  double,
  type Encode,
  encodeMessage,
  entries,
  flag,
  inside,
  integer,
  isExtension,
  list,
  map,
  type Message,
  message,
  text,
} from './proto.ts'

/** An OpenAPI v3 document as openapi.v3.Document. */
export function encodeV3(document: Json): Buffer {
  return encodeMessage(DOCUMENT, document)
}

const reference = message(() => ({
  fields: { $ref: [1, text], summary: [2, text], description: [3, text] },
  extensions: 0,
}))

/** The message, or a reference to one. */
function orReference(encode: Encode): Encode {
  return choice((value) => (isObject(value) && value['$ref'] !== undefined ? [2, reference] : [1, encode]))
}

/** DefaultType knows numbers, booleans and strings; any other default is an empty one. */
const preset: Encode = (out, number, value) => {
  if (isNumeric(value)) return inside(1, double)(out, number, value)
  if (typeof value === 'boolean') return inside(2, choiceFlag)(out, number, value)
  return inside(3, text)(out, number, value)
}

const schema: Encode = message(() => ({
  fields: {
    nullable: [1, flag],
    readOnly: [3, flag],
    writeOnly: [4, flag],
    example: [7, any],
    deprecated: [8, flag],
    title: [9, text],
    multipleOf: [10, double],
    maximum: [11, double],
    exclusiveMaximum: [12, flag],
    minimum: [13, double],
    exclusiveMinimum: [14, flag],
    maxLength: [15, integer],
    minLength: [16, integer],
    pattern: [17, text],
    maxItems: [18, integer],
    minItems: [19, integer],
    uniqueItems: [20, flag],
    maxProperties: [21, integer],
    minProperties: [22, integer],
    required: [23, list(text)],
    enum: [24, list(any)],
    type: [25, text],
    allOf: [26, list(schemaOrReference)],
    oneOf: [27, list(schemaOrReference)],
    anyOf: [28, list(schemaOrReference)],
    not: [29, schema],
    items: [30, inside(1, schemaOrReference)],
    properties: [31, map(schemaOrReference)],
    additionalProperties: [
      32,
      choice((value) => (typeof value === 'boolean' ? [2, choiceFlag] : [1, schemaOrReference])),
    ],
    default: [33, preset],
    description: [34, text],
    format: [35, text],
  },
  extensions: 36,
}))
const schemaOrReference = orReference(schema)

const mediaType = message(() => ({
  fields: { schema: [1, schemaOrReference], example: [2, any] },
  extensions: 5,
}))
const content = map(mediaType)

const parameter = orReference(
  message(() => ({
    fields: {
      name: [1, text],
      in: [2, text],
      description: [3, text],
      required: [4, flag],
      deprecated: [5, flag],
      schema: [10, schemaOrReference],
      content: [13, content],
    },
    extensions: 14,
  })),
)

const requestBody = orReference(
  message(() => ({
    fields: { description: [1, text], content: [2, content], required: [3, flag] },
    extensions: 4,
  })),
)

const response = orReference(
  message(() => ({ fields: { description: [1, text], content: [3, content] }, extensions: 5 })),
)
const responses: Encode = (out, number, value) =>
  inside(
    2,
    entries(response, (key) => key !== 'default' && !isExtension(key)),
  )(out, number, value)

const operation = message(() => ({
  fields: {
    tags: [1, list(text)],
    summary: [2, text],
    description: [3, text],
    operationId: [5, text],
    parameters: [6, list(parameter)],
    requestBody: [7, requestBody],
    responses: [8, responses],
    deprecated: [10, flag],
  },
  extensions: 13,
}))

const pathItem = message(() => ({
  fields: {
    $ref: [1, text],
    get: [4, operation],
    put: [5, operation],
    post: [6, operation],
    delete: [7, operation],
    options: [8, operation],
    head: [9, operation],
    patch: [10, operation],
    parameters: [13, list(parameter)],
  },
  extensions: 14,
}))

const info = message(() => ({
  fields: { title: [1, text], description: [2, text], version: [6, text] },
  extensions: 7,
}))

const securityScheme = orReference(
  message(() => ({
    fields: { type: [1, text], description: [2, text], name: [3, text], in: [4, text] },
    extensions: 9,
  })),
)

const components = message(() => ({
  fields: { schemas: [1, map(schemaOrReference)], securitySchemes: [7, map(securityScheme)] },
  extensions: 10,
}))

const DOCUMENT: Message = {
  fields: {
    openapi: [1, text],
    info: [2, info],
    paths: [4, inside(1, entries(pathItem))],
    components: [5, components],
  },
  extensions: 9,
}
