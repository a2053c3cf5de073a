// What must hold after a crash, of the server that came up again: no acknowledged write lost, none half there, the
// history as it was seen before.
import { deepStrictEqual, ok } from 'node:assert'
import type { JsonObject } from '../../src/machinery/json.ts'
import { ApiClient } from '../process/client.ts'
import type { Access } from '../process/server.ts'
import {
  COLLECTION,
  type Content,
  contentOf,
  MARK,
  metadataOf,
  type Notes,
  revisionOf,
  type Seen,
  seenOf,
  SHARED,
} from './writers.ts'

/** What is no writer's. */
const OTHERS: ReadonlySet<string> = new Set(['kube-root-ca.crt', MARK])

interface Found {
  readonly revision: number
  readonly content: string
}

interface State {
  readonly revision: number
  readonly objects: Map<string, Found>
}

/**
 * Compares what the server has with the notes, and goes on from what it found. Says whether the history could be
 * compared: a server that started anew has none, as upstream's.
 */
export async function verify(access: Access, notes: Notes): Promise<boolean> {
  const client = new ApiClient(access)
  try {
    const state = await stateOf(client)
    for (const [name, known] of notes.objects) {
      const now = state.objects.get(name)
      checkObject(name, now, known)
      Object.assign(known, { content: now?.content, revision: now?.revision ?? 0, pending: undefined })
    }
    const newest = Math.max(0, ...notes.shared)
    ok((state.objects.get(SHARED)?.revision ?? 0) >= newest, `write ${newest} of the shared object is lost`)
    checkEvents(notes, state)
    const compared = await checkHistory(client, notes, state)
    await checkNextRevision(client, notes, state)
    return compared
  } finally {
    client.close()
  }
}

async function stateOf(client: ApiClient): Promise<State> {
  const { json } = await client.send('GET', COLLECTION)
  const items = json['items'] as JsonObject[]
  const objects = new Map(
    items
      .filter((item) => !OTHERS.has(String(metadataOf(item)['name'])))
      .map((item) => [
        String(metadataOf(item)['name']),
        { revision: revisionOf(item), content: contentOf(item) },
      ]),
  )
  return { revision: revisionOf(json), objects }
}

type Known = Notes['objects'] extends Map<string, infer K> ? K : never

/** It is as it was acknowledged, or as the write under way would have left it. */
function checkObject(name: string, now: Found | undefined, { content, revision, pending }: Known): void {
  const allowed: Content[] = pending ? [content, pending.content] : [content]
  ok(
    allowed.includes(now?.content),
    `${name} is ${String(now?.content).slice(0, 60)}, not ${allowed.map((a) => String(a).slice(0, 60)).join(' or ')}`,
  )
  ok(!now || now.revision >= revision, `${name} went back from ${revision} to ${now?.revision}`)
}

/** What watchers were told has happened. */
function checkEvents({ events, objects }: Notes, state: State): void {
  let last = 0
  for (const { revision } of events) {
    ok(revision > last, `event ${revision} after ${last}`)
    last = revision
  }
  ok(last <= state.revision, `event ${last} is from the future: the store is at ${state.revision}`)
  const newest = new Map(events.map((event) => [event.name, event]))
  for (const { name, type, revision } of newest.values()) {
    const now = state.objects.get(name)
    // Deletes are checked by their writers' notes; nobody deletes the shared object.
    const mayBeGone = type === 'DELETED' || (name !== SHARED && objects.get(name)?.content === undefined)
    ok(now ? now.revision >= revision : mayBeGone, `event ${revision} of ${name} was seen and is lost`)
  }
}

/** A watch from where the last one began tells the same story; false where it is forgotten. */
async function checkHistory(client: ApiClient, notes: Notes, state: State): Promise<boolean> {
  const replayed: Seen[] = []
  let forgotten = false
  const mark = await setMark(client)
  const watching = client.watch(
    `${COLLECTION}?watch=1&resourceVersion=${notes.since}`,
    ({ type, object }) => {
      if (type === 'ERROR') forgotten = object['code'] === 410
      else if (!isMark(object)) return void replayed.push(seenOf(type, object))
      else if (revisionOf(object) < mark) return
      watching.close()
    },
  )
  await watching.ended
  if (forgotten) return false
  deepStrictEqual(replayed.slice(0, notes.events.length), notes.events)
  const after = new Map<string, Found>()
  for (const { name, revision, content } of replayed) {
    if (content === undefined) after.delete(name)
    else after.set(name, { revision, content })
  }
  for (const [name, found] of after) deepStrictEqual(state.objects.get(name), found)
  return true
}

const isMark = (object: JsonObject): boolean => metadataOf(object)['name'] === MARK

/** Behind all that happened before: whoever sees it has seen that. */
async function setMark(client: ApiClient): Promise<number> {
  await client.send('DELETE', `${COLLECTION}/${MARK}`)
  const { json, status } = await client.send('POST', COLLECTION, { metadata: { name: MARK } })
  ok(status === 201, JSON.stringify(json))
  return revisionOf(json)
}

/** Revisions go on where they were: none is given away twice. */
async function checkNextRevision(client: ApiClient, notes: Notes, state: State): Promise<void> {
  const { json, status } = await client.send(
    'PATCH',
    '/api/v1/namespaces/default',
    {
      metadata: { annotations: { crash: String(state.revision) } },
    },
    'application/merge-patch+json',
  )
  ok(status === 200, JSON.stringify(json))
  const told = [state.revision, ...notes.shared, ...notes.events.map((event) => event.revision)]
  ok(revisionOf(json) > Math.max(...told), `revision ${revisionOf(json)} was given away twice`)
}
