// Writes operations and schemas as an OpenAPI document, in version 3 or 2.
// Parameters that all operations of a path share move to the path, sorted by name, as upstream does.
// Follows k8s.io/kube-openapi/pkg/builder3 (v3) and pkg/builder (v2).
import { isObject, type JsonObject } from '../../machinery/json.ts'
import type { Operation, Parameter, PathItem } from './operations.ts'
import { type Descriptions, type Dialect, schemaOf } from './schema.ts'

export interface Rendering {
  /** The minor release: "1.36". */
  readonly version: string
  readonly descriptions?: Descriptions
  /** Schemas of custom resources by definition. */
  readonly schema?: (definition: string, dialect: Dialect) => JsonObject | undefined
}

const REFERENCE = /^#\/(?:definitions|components\/schemas)\//
const CODE_TEXTS = { 200: 'OK', 201: 'Created', 202: 'Accepted' } as const
const UNAUTHORIZED = { description: 'Unauthorized' }
const TOKEN = {
  type: 'apiKey',
  description: 'Bearer Token authentication',
  name: 'authorization',
  in: 'header',
}

/** The v3 document of these paths, with every schema that they reach. */
export function renderV3(items: readonly PathItem[], options: Rendering): JsonObject {
  const paths = Object.fromEntries(items.map((item) => [item.path, pathItem(item, v3Operation, v3Parameter)]))
  const [, group = '', version] = /^\/apis?\/(?:([^/]+)\/)?([^/]+)\//.exec(items[0]?.path ?? '') ?? []
  const gvk = ([g, v]: readonly [string, string, string]) =>
    (g === group && v === version) || (g === '' && v === 'v1')
  const schemas = closure(paths, (name) => {
    return customSchema(name, 'v3', options) ?? schemaOf(name, 'v3', { ...options, gvk })
  })
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: options.version },
    paths,
    components: {
      ...(Object.keys(schemas).length > 0 && { schemas }),
      securitySchemes: { BearerToken: TOKEN },
    },
  }
}

/** The v2 document of these paths. */
export function renderV2(items: readonly PathItem[], options: Rendering): JsonObject {
  const paths = Object.fromEntries(items.map((item) => [item.path, pathItem(item, v2Operation, v2Parameter)]))
  const definitions = closure(paths, (name) => {
    return customSchema(name, 'v2', options) ?? schemaOf(name, 'v2', { ...options, gvk: () => true })
  })
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: options.version },
    paths,
    definitions,
    securityDefinitions: { BearerToken: TOKEN },
    security: [{ BearerToken: [] }],
  }
}

/** Where the texts of the fields that all kinds have are taken from. */
const DESCRIBED = 'io.k8s.api.core.v1.ConfigMap'

/** A custom kind's schema, with the texts of the fields that its definition leaves to the server. */
function customSchema(
  name: string,
  dialect: Dialect,
  { schema, descriptions }: Rendering,
): JsonObject | undefined {
  const custom = schema?.(name, dialect)
  if (!custom || !isObject(custom['properties'])) return custom
  const properties = { ...custom['properties'] }
  const texts: Record<string, string> = {
    ...descriptions?.[DESCRIBED],
    metadata: "Standard object's metadata.",
  }
  for (const field of ['apiVersion', 'kind', 'metadata'] as const) {
    const [one, description] = [properties[field], texts[field]]
    if (isObject(one) && description !== undefined) properties[field] = { description, ...one }
  }
  return { ...custom, properties }
}

type Render = (operation: Operation, own: readonly Parameter[]) => JsonObject

function pathItem(
  { operations }: PathItem,
  render: Render,
  parameter: (p: Parameter) => JsonObject,
): JsonObject {
  const shared = (operations[0]?.parameters ?? []).filter((one) =>
    operations.every(({ parameters }) => parameters.some((other) => isSame(one, other))),
  )
  const isOwn = (one: Parameter) => !shared.some((other) => isSame(one, other))
  const item: JsonObject = {}
  for (const operation of operations) {
    item[operation.method] = render(operation, sorted(operation.parameters.filter(isOwn)))
  }
  if (shared.length > 0) item['parameters'] = sorted(shared).map(parameter)
  return item
}

function isSame(a: Parameter, b: Parameter): boolean {
  return a.name === b.name && a.in === b.in
}

function sorted(parameters: readonly Parameter[]): Parameter[] {
  return [...parameters].sort((a, b) =>
    a.name === b.name ? (a.in < b.in ? -1 : 1) : a.name < b.name ? -1 : 1,
  )
}

function extensions({ action, kind }: Operation): JsonObject {
  return {
    ...(action !== undefined && { 'x-kubernetes-action': action }),
    ...(kind !== undefined && { 'x-kubernetes-group-version-kind': { ...kind } }),
  }
}

function v3Operation(operation: Operation, own: readonly Parameter[]): JsonObject {
  const { tag, id, body, codes, answer, produces } = operation
  const schema =
    answer === 'string' ? { type: 'string' } : { $ref: `#/components/schemas/${answer.definition}` }
  const content = Object.fromEntries([...produces].sort().map((type) => [type, { schema }]))
  const responses = codes.map((code) => [code, { description: CODE_TEXTS[code], content }])
  return {
    tags: [tag],
    operationId: id,
    ...(own.length > 0 && { parameters: own.map(v3Parameter) }),
    ...(body !== undefined && { requestBody: v3Body(body) }),
    responses: { ...Object.fromEntries(responses), 401: UNAUTHORIZED } as JsonObject,
    ...extensions(operation),
  }
}

function v3Body({ definition, required, consumes }: NonNullable<Operation['body']>): JsonObject {
  const schema = { $ref: `#/components/schemas/${definition}` }
  const content = Object.fromEntries([...consumes].sort().map((type) => [type, { schema }]))
  return required ? { content, required } : { content }
}

function v3Parameter({ name, in: place, type }: Parameter): JsonObject {
  return { name, in: place, ...(place === 'path' && { required: true }), schema: { type, uniqueItems: true } }
}

function v2Operation(operation: Operation, own: readonly Parameter[]): JsonObject {
  const { tag, id, body, codes, answer, produces, consumes } = operation
  const schema = answer === 'string' ? { type: 'string' } : { $ref: `#/definitions/${answer.definition}` }
  const responses = codes.map((code) => [code, { description: CODE_TEXTS[code], schema }])
  const parameters = own.map(v2Parameter)
  if (body !== undefined) parameters.unshift(v2Body(body))
  const accepted = body?.consumes ?? consumes
  return {
    ...(accepted.length > 0 && { consumes: [...accepted] }),
    produces: [...produces],
    schemes: ['https'],
    tags: [tag],
    operationId: id,
    ...(parameters.length > 0 && { parameters }),
    responses: { ...Object.fromEntries(responses), 401: UNAUTHORIZED } as JsonObject,
    ...extensions(operation),
  }
}

function v2Body({ definition, required }: NonNullable<Operation['body']>): JsonObject {
  const schema = { $ref: `#/definitions/${definition}` }
  return { name: 'body', in: 'body', ...(required && { required }), schema }
}

function v2Parameter({ name, in: place, type }: Parameter): JsonObject {
  return { uniqueItems: true, type, name, in: place, ...(place === 'path' && { required: true }) }
}

/** The schemas that `from` refers to, and those that they refer to, sorted by name. */
function closure(from: JsonObject, schema: (name: string) => JsonObject | undefined): JsonObject {
  const found = new Map<string, JsonObject>()
  const open = [...references(from)]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue
    const one = schema(name)
    if (one === undefined) throw new Error(`no OpenAPI schema of ${name}`)
    found.set(name, one)
    open.push(...references(one))
  }
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function* references(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    if (key === '$ref' && typeof inner === 'string') yield inner.replace(REFERENCE, '')
    else yield* references(inner)
  }
}
