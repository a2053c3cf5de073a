// What the server tells while it is fuzzed and after: watches whose events must add up to the lists at the end, and
// everything that is stored, which must decode.
import { type ClientHttp2Session, connect } from 'node:http2'
import { isObject, type Json, type JsonObject } from '../../src/machinery/json.ts'
import { decode } from '../../src/schema/protobuf/envelope.ts'
import { typeForKind } from '../../src/schema/types.ts'
import type { Access } from '../process/server.ts'
import { collectionPath, allKinds } from './objects.ts'

/** An object's place to its resourceVersion. */
type State = Record<string, string>

export interface Story {
  /** What each watch saw in the end, and what a list says. Throws for events out of order. */
  end(): Promise<{ readonly seen: State; readonly listed: State }[]>
}

/** Watches the collections, beginning with what they hold. */
export async function follow(access: Access, paths: readonly string[]): Promise<Story> {
  const { host, port, ca, cert, key } = access
  const session = connect(`https://${host}:${port}`, { ca, cert, key })
  const followers = paths.map((path) => new Follower(session, path))
  await Promise.all(followers.map((follower) => follower.begin()))
  const end = async () => {
    const ends = await Promise.all(followers.map((follower) => follower.end()))
    session.destroy()
    return ends
  }
  return { end }
}

class Follower {
  readonly #session: ClientHttp2Session
  readonly #path: string
  readonly #state: State = {}
  #revision = 0
  #rest = ''
  #fault: string | undefined
  #heard: () => void = () => undefined

  constructor(session: ClientHttp2Session, path: string) {
    this.#session = session
    this.#path = path
  }

  async begin(): Promise<void> {
    const { items, revision } = await list(this.#session, this.#path)
    for (const item of items) this.#state[placeOf(item)] = versionOf(item)
    this.#revision = revision
    this.#watch()
  }

  /** Goes on where the last watch stopped, as an informer does. */
  #watch(): void {
    const query = `watch=1&resourceVersion=${this.#revision}&allowWatchBookmarks=true`
    const stream = this.#session.request({ ':path': `${this.#path}?${query}` })
    stream.setEncoding('utf8')
    stream.on('data', (chunk: string) => this.#read(chunk))
    stream.on('error', () => undefined)
    stream.on('close', () => !this.#session.destroyed && !this.#fault && this.#watch())
  }

  #read(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#event(JSON.parse(line) as { type: string; object: JsonObject })
    this.#heard()
  }

  #event({ type, object }: { type: string; object: JsonObject }): void {
    if (type === 'ERROR') this.#fault ??= JSON.stringify(object)
    const revision = Number(versionOf(object))
    if (type !== 'BOOKMARK' && revision <= this.#revision)
      this.#fault ??= `${this.#path}: ${revision} after ${this.#revision}`
    this.#revision = Math.max(this.#revision, revision)
    const place = placeOf(object)
    if (type === 'DELETED') delete this.#state[place]
    else if (type !== 'BOOKMARK') this.#state[place] = versionOf(object)
  }

  /** Waits until the watch has come to where a list is. */
  async end(): Promise<{ seen: State; listed: State }> {
    const { items } = await list(this.#session, this.#path)
    const listed = Object.fromEntries(items.map((item) => [placeOf(item), versionOf(item)]))
    const newest = Math.max(0, ...Object.values(listed).map(Number))
    while (this.#revision < newest && !this.#fault) await new Promise<void>((done) => (this.#heard = done))
    if (this.#fault) throw new Error(this.#fault)
    return { seen: this.#state, listed }
  }
}

const metadataOf = (object: JsonObject): JsonObject => object['metadata'] as JsonObject
const placeOf = (object: JsonObject): string => {
  const { namespace = '', name, uid } = metadataOf(object)
  return `${String(namespace)}/${String(name)}/${String(uid)}`
}
const versionOf = (object: JsonObject): string => String(metadataOf(object)['resourceVersion'])

async function list(
  session: ClientHttp2Session,
  path: string,
): Promise<{ items: JsonObject[]; revision: number }> {
  const answer = JSON.parse((await get(session, path, 'application/json')).toString()) as JsonObject
  return { items: answer['items'] as JsonObject[], revision: Number(versionOf(answer)) }
}

function get(session: ClientHttp2Session, path: string, accept: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path, accept })
    const chunks: Buffer[] = []
    let status = 0
    stream.on('response', (headers) => (status = Number(headers[':status'])))
    stream.on('data', (chunk: Buffer) => void chunks.push(chunk))
    stream.on('error', reject)
    stream.on('end', () => {
      if (status === 200) resolve(Buffer.concat(chunks))
      else reject(new Error(`${path}: ${status} ${Buffer.concat(chunks).toString()}`))
    })
  })
}

/** Lists every resource as JSON, protobuf and table; throws unless all of it decodes and every object has its identity. */
export async function readEverything({ host, port, ca, cert, key }: Access): Promise<void> {
  const session = connect(`https://${host}:${port}`, { ca, cert, key })
  for (const kind of allKinds()) {
    if (!kind.resource.verbs.includes('list')) continue
    const path = collectionPath(kind, '')
    const json = JSON.parse((await get(session, path, 'application/json')).toString()) as JsonObject
    const pb = await get(session, path, 'application/vnd.kubernetes.protobuf')
    const decoded = decode(pb, { typeFor: typeForKind })
    const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'
    const rows = (JSON.parse((await get(session, path, table)).toString()) as JsonObject)['rows']
    checkLengths(path, json['items'], lengthOf(decoded['items']), lengthOf(rows))
    // Component statuses are made up as they are read.
    if (kind.resource.name !== 'componentstatuses') checkIdentities(path, json['items'])
  }
  session.destroy()
}

const lengthOf = (value: Json | undefined): number => (Array.isArray(value) ? value.length : 0)

function checkLengths(path: string, items: Json | undefined, decoded: number, rows: number): void {
  if (!Array.isArray(items)) throw new Error(`${path}: no items`)
  if (items.length !== decoded || items.length !== rows)
    throw new Error(`${path}: ${items.length} items, ${decoded} in protobuf, ${rows} in the table`)
}

function checkIdentities(path: string, items: Json | undefined): void {
  for (const item of items as Json[]) {
    const metadata = isObject(item) && isObject(item['metadata']) ? item['metadata'] : {}
    if (!metadata['name'] || !metadata['uid'] || !metadata['resourceVersion'])
      throw new Error(`${path}: an object without identity: ${JSON.stringify(item).slice(0, 300)}`)
  }
}
