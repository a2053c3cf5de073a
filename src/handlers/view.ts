// How objects go out to one kind of reader: as JSON or protobuf, whole, as a table row or as metadata only.
// A view turns cached entries into bytes; watchers with equal views share their frames.
// Follows k8s.io/apiserver/pkg/endpoints/handlers/response.go and pkg/runtime/serializer.
import type { Status } from '../machinery/status.ts'
import type { Entry } from '../storage/cache/entry.ts'

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'

export interface ListMeta {
  /** Absent: what is listed lies in no store. */
  readonly resourceVersion?: string
  readonly continue?: string
  readonly remainingItemCount?: number
}

export interface View {
  readonly contentType: string
  readonly streamContentType: string
  /** Two views with the same key make the same bytes. */
  readonly key: string
  object(entry: Entry): Buffer
  /** In many small parts. */
  list(entries: readonly Entry[], meta: ListMeta): Iterable<Buffer>
  frame(type: EventType, entry: Entry): Buffer
  bookmark(resourceVersion: string, initialEventsEnd: boolean): Buffer
  /** A Status, for the end of a watch that failed. */
  errorFrame(status: Status): Buffer
}

export const JSON_TYPE = 'application/json'
export const YAML_TYPE = 'application/yaml'
export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf'
export const INITIAL_EVENTS_END = 'k8s.io/initial-events-end'
