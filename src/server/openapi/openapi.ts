// Serves /openapi/v2 and /openapi/v3. Documents are rendered when first asked for, and kept compressed: there are
// some 10 MB of them. A document is rendered again only when a resource in it changes.
// Follows k8s.io/kube-openapi/pkg/handler (v2) and pkg/handler3 (v3).
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { JsonObject } from '../../machinery/json.ts'
import { jsonText, readJson } from '../../machinery/jsontext.ts'
import { readDescriptions } from '../descriptions.ts'
import type { ResourceRow } from '../../schema/resources.ts'
import { mediaType, negotiateOpenApi, type OpenApiForm } from './accept.ts'
import { type Document, documentsOf } from './documents.ts'
import { renderV2, renderV3 } from './render.ts'
import type { ForeignDocument } from './merge.ts'
import type { Dialect } from './schema.ts'

export interface OpenApiOptions {
  /** The minor release: "1.36". */
  readonly version: string
  /** Schemas of custom resources by definition, written in v2 or v3. */
  readonly schema?: (definition: string, dialect: Dialect) => JsonObject | undefined
  /** What other servers say of theirs; undefined while there are none. */
  readonly foreign?: () => ForeignSchemas | undefined
}

export interface ForeignSchemas {
  /** In the index of v3: "apis/GROUP/VERSION", and where it is found. Nobody asks us for what is there. */
  index(): Promise<readonly (readonly [string, string])[]>
  /** Of v2; a new array whenever it changes. */
  documents(): Promise<readonly ForeignDocument[]>
}

export interface OpenApiRequest {
  /** Without a query: "/openapi/v3/apis/apps/v1". */
  readonly path: string
  /** The query parameter of that name. */
  readonly hash?: string | undefined
  readonly accept?: string | undefined
  readonly acceptEncoding?: string | undefined
  readonly ifNoneMatch?: string | undefined
}

export interface OpenApiAnswer {
  readonly status: 200 | 301 | 304 | 404 | 406
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** Answers a request; undefined for paths that are not OpenAPI's. All methods are alike to upstream. */
export type OpenApi = (
  resources: readonly ResourceRow[],
  request: OpenApiRequest,
) => Promise<OpenApiAnswer> | undefined

/** A document as it is kept: compressed, its protobuf form made when first asked for. */
interface Kept {
  /** Upper-case hexadecimal digest of the JSON. */
  readonly hash: string
  readonly json: Buffer
  protobuf?: Promise<Buffer>
}

interface Entry {
  readonly rows: readonly ResourceRow[]
  readonly foreign: readonly ForeignDocument[]
  readonly kept: Promise<Kept>
}

const V2 = '/openapi/v2'
const V3 = '/openapi/v3'
const YEAR_MS = 365 * 24 * 3600 * 1000
const EMPTY = Buffer.alloc(0)
const NOTHING: readonly ForeignDocument[] = []

const compress = promisify(gzip)
const decompress = promisify(gunzip)

/** `resources` of the calls is a new array, with new rows for what changed, whenever it changes. */
export function createOpenApi(options: OpenApiOptions): OpenApi {
  const cache = new Map<string, Entry>()
  let current: { resources: readonly ResourceRow[]; documents: Map<string, Document> } | undefined
  const documents = (resources: readonly ResourceRow[]): Map<string, Document> => {
    if (current?.resources === resources) return current.documents
    current = { resources, documents: documentsOf(resources) }
    for (const name of cache.keys()) if (name !== V2 && !current.documents.has(name)) cache.delete(name)
    return current.documents
  }
  const keep: Keep = (name, { rows, paths }, foreign = NOTHING) => {
    const known = cache.get(name)
    if (known !== undefined && known.foreign === foreign && isSame(known.rows, rows)) return known.kept
    const kept = render(options, name, paths, foreign)
    cache.set(name, { rows, foreign, kept })
    kept.catch(() => cache.delete(name))
    return kept
  }
  const allOf = (resources: readonly ResourceRow[]): Document => everything(resources, documents(resources))
  return (resources, request) => {
    const others = options.foreign?.()
    if (request.path === V3) return index(documents(resources), keep, others)
    if (request.path === V2)
      return answer(
        request,
        V2,
        whole(others, keep, () => allOf(resources)),
      )
    if (!request.path.startsWith(`${V3}/`)) return undefined
    const name = request.path.slice(V3.length + 1)
    const document = documents(resources).get(name)
    if (document === undefined) return Promise.resolve({ status: 404, headers: {}, body: EMPTY })
    return answer(request, name, keep(name, document))
  }
}

function isSame(a: readonly ResourceRow[], b: readonly ResourceRow[]): boolean {
  return a.length === b.length && a.every((row, i) => row === b[i])
}

function everything(rows: readonly ResourceRow[], documents: ReadonlyMap<string, Document>): Document {
  const paths = () => [...documents.values()].flatMap((one) => one.paths())
  return { rows, paths: () => paths().sort((a, b) => (a.path < b.path ? -1 : 1)) }
}

async function whole(
  others: ForeignSchemas | undefined,
  keep: Keep,
  document: () => Document,
): Promise<Kept> {
  const foreign = (await others?.documents()) ?? NOTHING
  return keep(V2, document(), foreign.length > 0 ? foreign : NOTHING)
}

async function render(
  options: OpenApiOptions,
  name: string,
  paths: Document['paths'],
  foreign: readonly ForeignDocument[],
): Promise<Kept> {
  // The index renders all documents in a row; others want their turn between two.
  await setImmediate()
  const descriptions = readDescriptions()
  const rendering = { ...options, ...(descriptions && { descriptions }) }
  const own = name === V2 ? renderV2(paths(), rendering) : renderV3(paths(), rendering)
  const document = foreign.length > 0 ? (await import('./merge.ts')).merged(own, foreign) : own
  const text = Buffer.from(jsonText(document))
  const hash = createHash('sha512').update(text).digest('hex').toUpperCase()
  return { hash, json: await compress(text) }
}

type Keep = (name: string, document: Document, foreign?: readonly ForeignDocument[]) => Promise<Kept>

async function index(
  documents: ReadonlyMap<string, Document>,
  keep: Keep,
  others: ForeignSchemas | undefined,
): Promise<OpenApiAnswer> {
  const paths: Record<string, { serverRelativeURL: string }> = {}
  for (const [name, document] of documents) {
    paths[name] = { serverRelativeURL: locationOf(name, (await keep(name, document)).hash) }
  }
  for (const [name, serverRelativeURL] of (await others?.index()) ?? []) paths[name] = { serverRelativeURL }
  const body = Buffer.from(JSON.stringify({ paths }))
  return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body }
}

function locationOf(name: string, hash: string): string {
  return `${V3}/${name}?hash=${hash}`
}

async function answer(
  request: OpenApiRequest,
  name: string,
  document: Promise<Kept>,
): Promise<OpenApiAnswer> {
  const version = name === V2 ? 'v2' : 'v3'
  const form = negotiateOpenApi(request.accept, version)
  const vary = { vary: 'Accept-Encoding, Accept' }
  if (form === undefined) return { status: 406, headers: vary, body: EMPTY }
  const kept = await document
  const etag = `"${kept.hash}"`
  const headers: Record<string, string> = { ...vary, etag, 'content-type': mediaType(form, version) }
  if (version === 'v3' && request.hash !== undefined && request.hash !== '') {
    if (request.hash !== kept.hash) {
      return { status: 301, headers: { ...headers, location: locationOf(name, kept.hash) }, body: EMPTY }
    }
    headers['cache-control'] = 'public, immutable'
    headers['expires'] = new Date(Date.now() + YEAR_MS).toUTCString().replace('GMT', 'UTC')
  }
  if (matches(request.ifNoneMatch, etag)) return { status: 304, headers, body: EMPTY }
  const body = await formOf(kept, form, version)
  // DEVIATION: upstream compresses only v2. What is kept compressed is cheaper to send as it is.
  if (acceptsGzip(request.acceptEncoding))
    return { status: 200, headers: { ...headers, 'content-encoding': 'gzip' }, body }
  return { status: 200, headers, body: await decompress(body) }
}

function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  return ifNoneMatch?.split(',').some((one) => ['*', etag, `W/${etag}`].includes(one.trim())) === true
}

function acceptsGzip(header: string | undefined): boolean {
  return header?.split(',').some((one) => /^\s*gzip\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/.test(one)) === true
}

function formOf(kept: Kept, form: OpenApiForm, version: 'v2' | 'v3'): Buffer | Promise<Buffer> {
  if (form === 'json') return kept.json
  kept.protobuf ??= protobufOf(kept, version)
  return kept.protobuf
}

async function protobufOf({ json }: Kept, version: 'v2' | 'v3'): Promise<Buffer> {
  const document = readJson((await decompress(json)).toString()) as JsonObject
  if (version === 'v2') return compress((await import('./proto-v2.ts')).encodeV2(document))
  return compress((await import('./proto-v3.ts')).encodeV3(document))
}
