// Protobuf: each object's message is made once and kept beside its JSON; answers and frames are cut from it.
import type { JsonObject } from '../machinery/json.ts'
import { notAcceptable, type Status } from '../machinery/status.ts'
import {
  encode,
  encodeList,
  encodeRaw,
  encodeWatchFrame,
  PROTOBUF_WATCH_MEDIA_TYPE,
  wrap,
} from '../schema/protobuf/envelope.ts'
import type { StructType } from '../schema/type.ts'
import { typeForKind } from '../schema/types.ts'
import type { Entry } from '../storage/cache/entry.ts'
import type { Scope } from './scope.ts'
import { type EventType, type ListMeta, PROTOBUF_TYPE, type View } from './view.ts'
import { bookmarkObject } from './view-json.ts'

export class ProtobufView implements View {
  readonly contentType = PROTOBUF_TYPE
  readonly streamContentType = PROTOBUF_WATCH_MEDIA_TYPE
  readonly key: string
  readonly #scope: Scope

  constructor(scope: Scope) {
    if (scope.type.message === undefined) {
      throw notAcceptable('only the following media types are accepted: application/json, application/yaml')
    }
    this.#scope = scope
    this.key = `protobuf ${scope.apiVersion}`
  }

  object(entry: Entry): Buffer {
    return wrap(this.#raw(entry), this.#scope.gvk)
  }

  list(entries: readonly Entry[], meta: ListMeta): Iterable<Buffer> {
    const gvk = { ...this.#scope.gvk, kind: this.#scope.resource.listKind }
    return encodeList({ gvk, metadata: meta, items: entries.map((entry) => this.#raw(entry)) })
  }

  frame(type: EventType, entry: Entry): Buffer {
    return encodeWatchFrame(type, this.object(entry))
  }

  bookmark(resourceVersion: string, initialEventsEnd: boolean): Buffer {
    const object = bookmarkObject(this.#scope, resourceVersion, initialEventsEnd)
    return encodeWatchFrame('BOOKMARK', encode(object, this.#scope.type))
  }

  errorFrame(status: Status): Buffer {
    return encodeWatchFrame('ERROR', statusBytes(status))
  }

  #raw(entry: Entry): Buffer {
    const scope = this.#scope
    if (scope.sameVersion) return (entry.protobuf ??= encodeRaw(entry.object(), scope.type))
    return encodeRaw(scope.toServed(entry.object()), scope.type)
  }
}

/** A Status as a protobuf body. */
export function statusBytes(status: Status | JsonObject): Buffer {
  return encode(status, typeForKind({ group: '', version: 'v1', kind: 'Status' }) as StructType)
}
