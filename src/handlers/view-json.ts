// JSON as it lies in the cache: objects, list items and watch frames are cut from the same bytes.
import { apiVersionOf } from '../machinery/gvk.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { Status } from '../machinery/status.ts'
import { Entry } from '../storage/cache/entry.ts'
import type { Scope } from './scope.ts'
import { type EventType, INITIAL_EVENTS_END, JSON_TYPE, type ListMeta, type View } from './view.ts'

const COMMA = Buffer.from(',')
const NOTHING = Buffer.alloc(0)
const COMMA_BRACE = Buffer.from(',{')
const BRACE = Buffer.from('{')
const LIST_END = Buffer.from(']}\n')
const FRAME_END = Buffer.from('}\n')
const FRAME_START: Record<EventType, Buffer> = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
  BOOKMARK: Buffer.from('{"type":"BOOKMARK","object":'),
  ERROR: Buffer.from('{"type":"ERROR","object":'),
}

/** `{"type":…,"object":` around JSON that may end in a newline. */
export function jsonFrame(type: EventType, json: Buffer): Buffer {
  const length = json[json.length - 1] === 0x0a ? json.length - 1 : json.length
  const start = FRAME_START[type]
  const out = Buffer.allocUnsafe(start.length + length + FRAME_END.length)
  start.copy(out, 0)
  json.copy(out, start.length, 0, length)
  FRAME_END.copy(out, start.length + length)
  return out
}

/** The head of a list up to its items, as upstream orders it. */
export function listHead(kind: string, apiVersion: string, meta: ListMeta): string {
  return `{"kind":"${kind}","apiVersion":"${apiVersion}","metadata":${JSON.stringify(meta)},"items":[`
}

export class JsonView implements View {
  readonly contentType = JSON_TYPE
  readonly streamContentType = JSON_TYPE
  readonly key: string
  readonly #scope: Scope
  /** Length of `{"kind":"Pod","apiVersion":"v1",`: items of a list come without. 0 for custom ones, which keep it. */
  readonly #typeLength: number

  constructor(scope: Scope) {
    this.#scope = scope
    this.key = `json ${scope.apiVersion}`
    this.#typeLength = scope.resource.custom
      ? 0
      : Buffer.byteLength(`{"kind":"${scope.gvk.kind}","apiVersion":"${scope.apiVersion}",`)
  }

  object(entry: Entry): Buffer {
    return this.#line(entry)
  }

  *list(entries: readonly Entry[], meta: ListMeta): Generator<Buffer> {
    const { custom, listKind } = this.#scope.resource
    // Lists of objects without a type of their own say so where there is no more.
    const said = custom ? { continue: '', ...meta } : meta
    yield Buffer.from(listHead(listKind, this.#scope.apiVersion, said))
    let separator = custom ? NOTHING : BRACE
    for (const entry of entries) {
      const line = this.#line(entry)
      yield separator
      yield line.subarray(this.#typeLength, line.length - 1)
      separator = custom ? COMMA : COMMA_BRACE
    }
    yield LIST_END
  }

  frame(type: EventType, entry: Entry): Buffer {
    return jsonFrame(type, this.#line(entry))
  }

  bookmark(resourceVersion: string, initialEventsEnd: boolean): Buffer {
    return jsonFrame(
      'BOOKMARK',
      Buffer.from(JSON.stringify(bookmarkObject(this.#scope, resourceVersion, initialEventsEnd))),
    )
  }

  errorFrame(status: Status): Buffer {
    return jsonFrame('ERROR', Buffer.from(JSON.stringify(status)))
  }

  #line(entry: Entry): Buffer {
    if (this.#scope.sameVersion) return entry.line
    const served = this.#scope.toServed(entry.object())
    return new Entry(entry, entry.revision, this.#scope.kind.servedJson(served)).line
  }
}

/** An object of the kind with nothing but a version: what a bookmark carries. */
export function bookmarkObject(scope: Scope, resourceVersion: string, initialEventsEnd: boolean): KubeObject {
  const annotations = initialEventsEnd ? { annotations: { [INITIAL_EVENTS_END]: 'true' } } : {}
  const empty = { kind: scope.gvk.kind, apiVersion: apiVersionOf(scope.gvk), metadata: annotations }
  const object = scope.decodeOnly(empty).object
  object.metadata.resourceVersion = resourceVersion
  return object
}
