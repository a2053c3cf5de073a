// Reads what upstream published of a release (the SPEC folder): OpenAPI documents, discovery, protobuf numbers,
// table columns, bootstrap policy. First step of `make generate`; nothing here is written anywhere.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** One schema of the OpenAPI v3 documents, as far as the generator looks into it. */
export interface Schema {
  readonly description?: string
  readonly type?: string
  readonly format?: string
  readonly default?: unknown
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly additionalProperties?: Schema
  readonly allOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly $ref?: string
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-map-type'?: string
  readonly 'x-kubernetes-patch-strategy'?: string
  readonly 'x-kubernetes-patch-merge-key'?: string
  readonly 'x-kubernetes-group-version-kind'?: readonly Gvk[]
  readonly 'x-kubernetes-unions'?: readonly unknown[]
}

export interface Gvk {
  readonly group: string
  readonly version: string
  readonly kind: string
}

export interface GoField {
  /** The key in JSON; empty for an inlined struct. */
  readonly name: string
  readonly type: string
  readonly flags?: readonly string[]
  /** "number name" of the protobuf field. */
  readonly proto?: string
  /** Patch strategy and merge key. */
  readonly patch?: readonly [string, string]
  readonly markers?: readonly string[]
}

export interface GoType {
  readonly alias?: string
  readonly enum?: readonly string[]
  readonly markers?: readonly string[]
  readonly fields?: readonly GoField[]
}

export interface GoPackage {
  readonly group: string | null
  readonly types: Readonly<Record<string, GoType>>
}

/** Message to field to [number, type] or [number, type, "repeated"]. */
export type Protobuf = Readonly<Record<string, Readonly<Record<string, readonly [number, string, string?]>>>>

interface Deletion {
  readonly responses: { readonly 200: { readonly schema: Schema } }
}

export interface Spec {
  readonly folder: string
  /** Definitions of the v2 document. */
  readonly definitions: Readonly<Record<string, Schema>>
  /** Paths of the v2 document. */
  readonly paths: Readonly<Record<string, { readonly delete?: Deletion }>>
  /** Schemas of all v3 documents. */
  readonly schemas: ReadonlyMap<string, Schema>
  readonly protobuf: Protobuf
  readonly go: Readonly<Record<string, GoPackage>>
}

export function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T
}

const PARTS = [
  'openapi/swagger.json',
  'openapi/v3',
  'discovery',
  'protobuf.json',
  'table-columns.json',
  'rbac',
] as const

/** Throws when a part of the folder is missing. */
export function requireSpec(folder: string): void {
  const missing = PARTS.filter((name) => !existsSync(join(folder, name)))
  if (missing.length > 0) throw new Error(`${folder} has no ${missing.join(', no ')}`)
}

/** Of a folder that has all parts (`requireSpec`). `goTypes` is the text of go-types.json. */
export function readSpec(folder: string, goTypes: string): Spec {
  const schemas = new Map<string, Schema>()
  for (const file of readdirSync(join(folder, 'openapi/v3')).sort()) {
    const document = readJson<{ components?: { schemas?: Record<string, Schema> } }>(
      join(folder, 'openapi/v3', file),
    )
    for (const [name, schema] of Object.entries(document.components?.schemas ?? {})) schemas.set(name, schema)
  }
  const { definitions, paths } = readJson<Pick<Spec, 'definitions' | 'paths'>>(
    join(folder, 'openapi/swagger.json'),
  )
  return {
    folder,
    definitions,
    paths,
    schemas,
    protobuf: readJson(join(folder, 'protobuf.json')),
    go: JSON.parse(goTypes) as Spec['go'],
  }
}
