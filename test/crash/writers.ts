// What goes on while the server is killed: clients that create, update, patch and delete config maps, and a watcher.
// Each notes what was acknowledged, what was under way, and what it saw.
import { createHash } from 'node:crypto'
import type { JsonObject } from '../../src/machinery/json.ts'
import { ApiClient, type Reply, type Watching } from '../process/client.ts'
import type { Access } from '../process/server.ts'

export const COLLECTION = '/api/v1/namespaces/default/configmaps'
/** Objects that belong to one writer; few, so that all verbs meet them. */
const NAMES_EACH = 4
/** An object that all writers change. */
export const SHARED = 'shared'

/** An object that tells how far a watch has come. */
export const MARK = 'mark'

/** The content of an object, by which a half-written one shows: undefined where it is deleted. */
export type Content = string | undefined

/** What a writer knows of one of its objects. */
export interface Known {
  /** The content after the last write that was acknowledged, and its resourceVersion (for a delete: that before it). */
  content: Content
  revision: number
  /** The write that was under way when the connection broke: its content if it was done. */
  pending: { readonly content: Content } | undefined
}

export interface Seen {
  readonly type: string
  readonly name: string
  readonly revision: number
  readonly content: Content
}

/** All that was noted in one life of a server. */
export interface Notes {
  readonly objects: Map<string, Known>
  /** Revisions of acknowledged writes to the shared object. */
  readonly shared: number[]
  readonly events: Seen[]
  /** Where the watch began. */
  since: number
  acknowledged: number
}

export const newNotes = (): Notes => ({
  objects: new Map(),
  shared: [],
  events: [],
  since: 0,
  acknowledged: 0,
})

/** Data of a config map: a text of any length, and its digest. */
export function dataOf(label: string, size: number): JsonObject {
  const text = `${label} ${'x'.repeat(size)}`
  return { text, sum: createHash('sha256').update(text).digest('hex') }
}

/** Reads an object's content; throws unless it is whole. */
export function contentOf(object: JsonObject): string {
  const data = (object['data'] ?? {}) as JsonObject
  const text = String(data['text'])
  if (createHash('sha256').update(text).digest('hex') !== data['sum'])
    throw new Error(`half-written: ${JSON.stringify(object).slice(0, 300)}`)
  return text
}

export const metadataOf = (object: JsonObject): JsonObject => object['metadata'] as JsonObject
export const revisionOf = (object: JsonObject): number => Number(metadataOf(object)['resourceVersion'])

/** A writer: its name, where it notes, and when it stops if nothing stops it before. */
export interface Writer {
  readonly name: string
  readonly notes: Notes
  isOver(): boolean
}

/** Writes until it is over, the server is gone, or the server says that it cannot. Rejects for wrong answers. */
export async function writeUntilGone(access: Access, { name, notes, isOver }: Writer): Promise<void> {
  const client = new ApiClient(access)
  try {
    for (let turn = 0; !isOver(); turn++) {
      if (turn % 10 === 9) await changeShared(client, notes, `${name}-${turn}`)
      else await writeOwn(client, notes, { name: `${name}-${turn % NAMES_EACH}`, turn })
    }
  } catch (error) {
    // The connection broke: this life is over.
    if (error instanceof UnexpectedAnswer) throw error
  } finally {
    client.close()
  }
}

interface Turn {
  readonly name: string
  readonly turn: number
}

const MERGE = 'application/merge-patch+json'

async function writeOwn(client: ApiClient, notes: Notes, { name, turn }: Turn): Promise<void> {
  let known = notes.objects.get(name)
  if (!known) notes.objects.set(name, (known = { content: undefined, revision: 0, pending: undefined }))
  const data = dataOf(`${name} ${known.revision} ${turn}`, (turn * 997) % 5000)
  const path = `${COLLECTION}/${name}`
  const metadata = { name, ...(known.revision && { resourceVersion: String(known.revision) }) }
  const isDelete = known.content !== undefined && turn % 7 === 6
  known.pending = { content: isDelete ? undefined : String(data['text']) }
  let reply: Reply
  if (isDelete) reply = await client.send('DELETE', path)
  else if (known.content === undefined)
    reply = await client.send('POST', COLLECTION, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name },
      data,
    })
  else if (turn % 2) reply = await client.send('PUT', path, { metadata, data })
  else reply = await client.send('PATCH', path, { data }, MERGE)
  if (reply.status >= 500) throw new Error(`${reply.status}`)
  if (reply.status >= 300) throw new UnexpectedAnswer(`${path}: ${JSON.stringify(reply.json)}`)
  known.content = known.pending.content
  if (!isDelete) known.revision = revisionOf(reply.json)
  known.pending = undefined
  notes.acknowledged++
}

/** Nobody else writes to a writer's objects: a conflict means that something is lost. */
class UnexpectedAnswer extends Error {}

async function changeShared(client: ApiClient, notes: Notes, label: string): Promise<void> {
  const path = `${COLLECTION}/${SHARED}`
  const current = await client.send('GET', path)
  if (current.status >= 500) throw new Error(`${current.status}`)
  const data = dataOf(label, 100)
  const found = current.status === 200
  const metadata = { name: SHARED, ...(found && { resourceVersion: String(revisionOf(current.json)) }) }
  const reply = await client.send(found ? 'PUT' : 'POST', found ? path : COLLECTION, { metadata, data })
  if (reply.status >= 500) throw new Error(`${reply.status}`)
  if (reply.status < 300) notes.shared.push(revisionOf(reply.json))
}

/** Watches from what is there now; resolves when the watch is on its way. */
export async function watchUntilGone(access: Access, notes: Notes): Promise<Watching> {
  const client = new ApiClient(access)
  const { json } = await client.send('GET', COLLECTION)
  notes.since = revisionOf(json)
  const watching = client.watch(
    `${COLLECTION}?watch=1&resourceVersion=${notes.since}`,
    ({ type, object }) => {
      const name = metadataOf(object)?.['name']
      if (name === undefined || name === MARK) return
      notes.events.push(seenOf(type, object))
    },
  )
  return { ended: watching.ended.finally(() => client.close()), close: () => watching.close() }
}

export function seenOf(type: string, object: JsonObject): Seen {
  const name = String(metadataOf(object)['name'])
  return {
    type,
    name,
    revision: revisionOf(object),
    content: type === 'DELETED' ? undefined : contentOf(object),
  }
}
