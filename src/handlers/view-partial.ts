// Metadata only: what metadata informers and the garbage collector ask for.
import type { JsonObject } from '../machinery/json.ts'
import { jsonText } from '../machinery/jsontext.ts'
import type { Status } from '../machinery/status.ts'
import { partialList, partialObject, type MetaVersion } from '../schema/partial.ts'
import { encode as encodeProtobuf, encodeWatchFrame } from '../schema/protobuf/envelope.ts'
import type { StructType } from '../schema/type.ts'
import { typeForKind } from '../schema/types.ts'
import type { Entry } from '../storage/cache/entry.ts'
import type { Scope } from './scope.ts'
import { type EventType, JSON_TYPE, type ListMeta, PROTOBUF_TYPE, type View } from './view.ts'
import { bookmarkObject, jsonFrame } from './view-json.ts'
import { statusBytes } from './view-protobuf.ts'

const GROUP = 'meta.k8s.io'

export class PartialView implements View {
  readonly contentType: string
  readonly streamContentType: string
  readonly key: string
  readonly #scope: Scope
  readonly #version: MetaVersion
  readonly #protobuf: boolean

  constructor(scope: Scope, version: MetaVersion, encoding: 'json' | 'yaml' | 'protobuf') {
    this.#scope = scope
    this.#version = version
    this.#protobuf = encoding === 'protobuf'
    this.contentType = this.#protobuf ? PROTOBUF_TYPE : JSON_TYPE
    this.streamContentType = this.#protobuf ? `${PROTOBUF_TYPE};stream=watch` : JSON_TYPE
    this.key = `partial ${version} ${encoding}`
  }

  object(entry: Entry): Buffer {
    return this.#bytes(partialObject(entry.object(), this.#version), 'PartialObjectMetadata')
  }

  list(entries: readonly Entry[], meta: ListMeta): Iterable<Buffer> {
    const objects = entries.map((entry) => entry.object())
    return [this.#bytes(partialList(objects, { ...meta }, this.#version), 'PartialObjectMetadataList')]
  }

  frame(type: EventType, entry: Entry): Buffer {
    return this.#frame(type, this.object(entry))
  }

  bookmark(resourceVersion: string, initialEventsEnd: boolean): Buffer {
    const object = partialObject(
      bookmarkObject(this.#scope, resourceVersion, initialEventsEnd),
      this.#version,
    )
    return this.#frame('BOOKMARK', this.#bytes(object, 'PartialObjectMetadata'))
  }

  errorFrame(status: Status): Buffer {
    return this.#frame('ERROR', this.#protobuf ? statusBytes(status) : Buffer.from(JSON.stringify(status)))
  }

  #frame(type: EventType, bytes: Buffer): Buffer {
    return this.#protobuf ? encodeWatchFrame(type, bytes) : jsonFrame(type, bytes)
  }

  #bytes(object: JsonObject, kind: string): Buffer {
    if (!this.#protobuf) return Buffer.from(`${jsonText(object)}\n`)
    const type = typeForKind({ group: GROUP, version: this.#version, kind }) as StructType
    return encodeProtobuf(object, type)
  }
}
