// The schemas of what extension servers serve, asked for when somebody wants to know, and kept for a while.
// Follows k8s.io/kube-aggregator/pkg/controllers/openapi and openapiv3.
//
// DEVIATION: upstream asks each server once a minute; here nobody is asked whom no client asks about. Of a server's index
// of OpenAPI v3 only the version counts that it is registered for. Servers without v3 have no schema there.
import type { ApiService } from '../machinery/apiregistration.ts'
import { isObject, type JsonObject } from '../machinery/json.ts'
import type { ForeignDocument } from '../server/openapi/merge.ts'
import { ask, type Reply } from './question.ts'
import type { ServiceTransport } from './transport.ts'

/** Who can be asked. */
export interface Source {
  readonly api: ApiService
  readonly transport: ServiceTransport
}

/** As often as upstream asks. */
const KEPT_MS = 60_000
const TIMEOUT_MS = 10_000
const ASKER = { name: 'system:aggregator', groups: [] }

interface Kept<T> {
  readonly transport: ServiceTransport
  readonly since: number
  readonly etag: string
  readonly value: T | undefined
}

/** One question to each server, its answers kept. */
class Answers<T> {
  readonly #path: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #read: (document: JsonObject, api: ApiService) => T | undefined
  readonly #kept = new Map<string, Promise<Kept<T>>>()

  constructor(
    path: string,
    headers: Readonly<Record<string, string>>,
    read: (document: JsonObject, api: ApiService) => T | undefined,
  ) {
    this.#path = path
    this.#headers = headers
    this.#read = read
  }

  /** Those of all that have an answer. */
  async of(sources: readonly Source[]): Promise<T[]> {
    const names = new Set(sources.map(({ api }) => api.name))
    for (const name of this.#kept.keys()) if (!names.has(name)) this.#kept.delete(name)
    const answers = await Promise.all(sources.map((source) => this.#one(source)))
    return answers.flatMap(({ value }) => (value === undefined ? [] : [value]))
  }

  async #one(source: Source): Promise<Kept<T>> {
    const { name } = source.api
    const pending = this.#kept.get(name)
    const before = await pending
    if (pending !== this.#kept.get(name)) return this.#one(source)
    const isKnown = before?.transport === source.transport
    if (isKnown && performance.now() - before.since < KEPT_MS) return before
    const asked = this.#ask(source, isKnown ? before : undefined)
    this.#kept.set(name, asked)
    return asked
  }

  /** A server that does not answer says what it said before. */
  async #ask({ api, transport }: Source, before: Kept<T> | undefined): Promise<Kept<T>> {
    const since = performance.now()
    const old = { etag: '', value: undefined, ...before, transport, since }
    const known = before?.etag ? { 'if-none-match': before.etag } : {}
    const question = { path: this.#path, user: ASKER, timeoutMs: TIMEOUT_MS }
    try {
      const reply = await ask(transport, { ...question, headers: { ...this.#headers, ...known } })
      if (reply.status !== 200) return old
      return { transport, since, etag: reply.etag, value: this.#read(parsed(reply), api) }
    } catch {
      return old
    }
  }
}

function parsed({ body }: Reply): JsonObject {
  const value: unknown = JSON.parse(body.toString())
  return isObject(value) ? value : {}
}

export class Schemas {
  readonly #sources: () => readonly Source[]
  readonly #index = new Answers('/openapi/v3', {}, indexEntry)
  readonly #documents = new Answers('/openapi/v2', { accept: 'application/json' }, foreignDocument)
  #last: readonly ForeignDocument[] = []

  constructor(sources: () => readonly Source[]) {
    this.#sources = sources
  }

  /** Their places in the index of OpenAPI v3: "apis/GROUP/VERSION", and where it is found. */
  async index(): Promise<readonly (readonly [string, string])[]> {
    return this.#index.of(this.#sources())
  }

  /** Their documents of OpenAPI v2; a new array whenever one has changed. */
  async documents(): Promise<readonly ForeignDocument[]> {
    const documents = await this.#documents.of(this.#sources())
    const isSame =
      documents.length === this.#last.length && documents.every((one, i) => one === this.#last[i])
    if (!isSame) this.#last = documents
    return this.#last
  }
}

function indexEntry(
  { paths }: JsonObject,
  { group, version }: ApiService,
): readonly [string, string] | undefined {
  const name = `apis/${group}/${version}`
  const entry = isObject(paths) && Object.hasOwn(paths, name) ? paths[name] : undefined
  const url = isObject(entry) ? entry['serverRelativeURL'] : undefined
  return typeof url === 'string' ? [name, url] : undefined
}

const foreignDocument = (document: JsonObject, { group, version }: ApiService): ForeignDocument => ({
  document,
  prefix: `/apis/${group}/${version}/`,
})
