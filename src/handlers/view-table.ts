// Tables: what `kubectl get` asks for.
import { jsonText } from '../machinery/jsontext.ts'
import type { Status } from '../machinery/status.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { MetaVersion } from '../schema/partial.ts'
import { type IncludeObject, tableOf, type TableOptions } from '../schema/table.ts'
import type { Entry } from '../storage/cache/entry.ts'
import type { Scope } from './scope.ts'
import { type EventType, JSON_TYPE, type ListMeta, type View } from './view.ts'
import { bookmarkObject, jsonFrame } from './view-json.ts'

const jsonOf = (value: object): Buffer => Buffer.from(`${jsonText(value)}\n`)

/** What all tables of a resource share. */
export function tableOptions(scope: Scope, includeObject: IncludeObject, version: MetaVersion): TableOptions {
  const { describe, now } = scope.environment
  const shape = scope.kind.custom?.table
  return { now: now().getTime(), version, includeObject, shape, ...(describe ? { describe } : {}) }
}

export class TableView implements View {
  readonly contentType = JSON_TYPE
  readonly streamContentType = JSON_TYPE
  readonly key: string
  readonly #scope: Scope
  readonly #include: IncludeObject
  readonly #version: MetaVersion
  /** Only the first event of a watch carries the columns; hence such views are not shared. */
  #headersSent = false

  constructor(scope: Scope, include: IncludeObject, version: MetaVersion) {
    this.#scope = scope
    this.#include = include
    this.#version = version
    this.key = `table ${TableView.#next++}`
  }

  static #next = 0

  object(entry: Entry): Buffer {
    const meta = entry.revision ? { resourceVersion: String(entry.revision) } : {}
    return this.list([entry], meta)[0]
  }

  list(entries: readonly Entry[], meta: ListMeta): [Buffer] {
    const objects = entries.map((entry) => this.#scope.toServed(entry.object()))
    return [this.#table(objects, meta, true)]
  }

  frame(type: EventType, entry: Entry): Buffer {
    const meta = { resourceVersion: String(entry.revision) }
    return this.#event(type, [this.#scope.toServed(entry.object())], meta)
  }

  bookmark(resourceVersion: string, initialEventsEnd: boolean): Buffer {
    return this.#event('BOOKMARK', [bookmarkObject(this.#scope, resourceVersion, initialEventsEnd)], {
      resourceVersion,
    })
  }

  errorFrame(status: Status): Buffer {
    return jsonFrame('ERROR', jsonOf(status))
  }

  #event(type: EventType, objects: readonly KubeObject[], meta: ListMeta): Buffer {
    const headers = !this.#headersSent
    this.#headersSent = true
    return jsonFrame(type, this.#table(objects, meta, headers))
  }

  #table(objects: readonly KubeObject[], meta: ListMeta, headers: boolean): Buffer {
    const options = { ...tableOptions(this.#scope, this.#include, this.#version), headers }
    return jsonOf(tableOf(this.#scope.resource, objects, { ...meta }, options))
  }
}
