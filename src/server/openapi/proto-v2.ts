// The fields of gnostic's openapi.v2 messages, as far as Kubernetes' documents use them.
import type { Json } from '../../machinery/json.ts'
import { isObject } from '../../machinery/json.ts'
import {
  any,
  choice,
  choiceFlag,
  double,
  encodeMessage,
  entries,
  flag,
  inside,
  integer,
  isExtension,
  list,
  map,
  message,
  type Encode,
  type Message,
  text,
} from './proto.ts'

/** An OpenAPI v2 document as openapi.v2.Document. */
export function encodeV2(document: Json): Buffer {
  return encodeMessage(DOCUMENT, document)
}

const hasRef = (value: Json): boolean => isObject(value) && value['$ref'] !== undefined

const schema: Encode = message(() => ({
  fields: {
    $ref: [1, text],
    format: [2, text],
    title: [3, text],
    description: [4, text],
    default: [5, any],
    multipleOf: [6, double],
    maximum: [7, double],
    exclusiveMaximum: [8, flag],
    minimum: [9, double],
    exclusiveMinimum: [10, flag],
    maxLength: [11, integer],
    minLength: [12, integer],
    pattern: [13, text],
    maxItems: [14, integer],
    minItems: [15, integer],
    uniqueItems: [16, flag],
    maxProperties: [17, integer],
    minProperties: [18, integer],
    required: [19, list(text)],
    enum: [20, list(any)],
    additionalProperties: [
      21,
      choice((value) => (typeof value === 'boolean' ? [2, choiceFlag] : [1, schema])),
    ],
    type: [
      22,
      inside(1, (out, number, value) => (Array.isArray(value) ? list(text) : text)(out, number, value)),
    ],
    items: [23, inside(1, schema)],
    allOf: [24, list(schema)],
    properties: [25, map(schema)],
  },
  extensions: 31,
}))

const bodyParameter = message(() => ({
  fields: {
    description: [1, text],
    name: [2, text],
    in: [3, text],
    required: [4, flag],
    schema: [5, schema],
  },
  extensions: 6,
}))

const queryParameter = message(() => ({
  fields: {
    required: [1, flag],
    in: [2, text],
    description: [3, text],
    name: [4, text],
    type: [6, text],
    format: [7, text],
    uniqueItems: [20, flag],
  },
  extensions: 23,
}))

const pathParameter = message(() => ({
  fields: {
    required: [1, flag],
    in: [2, text],
    description: [3, text],
    name: [4, text],
    type: [5, text],
    format: [6, text],
    uniqueItems: [19, flag],
  },
  extensions: 22,
}))

const plainParameter = choice((value) =>
  isObject(value) && value['in'] === 'path' ? [4, pathParameter] : [3, queryParameter],
)
const parameter = choice((value) =>
  isObject(value) && value['in'] === 'body' ? [1, bodyParameter] : [2, plainParameter],
)
const reference = message(() => ({ fields: { $ref: [1, text], description: [2, text] }, extensions: 0 }))
const parametersItem = choice((value) => (hasRef(value) ? [2, reference] : [1, parameter]))

const response = message(() => ({
  fields: { description: [1, text], schema: [2, inside(1, schema)] },
  extensions: 5,
}))
const responses: Encode = (out, number, value) =>
  inside(
    1,
    entries(inside(1, response), (key) => !isExtension(key)),
  )(out, number, value)

const security = map(inside(1, list(text)))

const operation = message(() => ({
  fields: {
    tags: [1, list(text)],
    summary: [2, text],
    description: [3, text],
    operationId: [5, text],
    produces: [6, list(text)],
    consumes: [7, list(text)],
    parameters: [8, list(parametersItem)],
    responses: [9, responses],
    schemes: [10, list(text)],
    deprecated: [11, flag],
    security: [12, list(security)],
  },
  extensions: 13,
}))

const pathItem = message(() => ({
  fields: {
    $ref: [1, text],
    get: [2, operation],
    put: [3, operation],
    post: [4, operation],
    delete: [5, operation],
    options: [6, operation],
    head: [7, operation],
    patch: [8, operation],
    parameters: [9, list(parametersItem)],
  },
  extensions: 10,
}))

const info = message(() => ({
  fields: { title: [1, text], version: [2, text], description: [3, text] },
  extensions: 7,
}))

const apiKey = message(() => ({
  fields: { type: [1, text], name: [2, text], in: [3, text], description: [4, text] },
  extensions: 5,
}))

const DOCUMENT: Message = {
  fields: {
    swagger: [1, text],
    info: [2, info],
    paths: [8, inside(2, entries(pathItem))],
    definitions: [9, map(schema)],
    parameters: [10, map(parameter)],
    security: [12, list(security)],
    securityDefinitions: [13, map(inside(2, apiKey))],
  },
  extensions: 16,
}
