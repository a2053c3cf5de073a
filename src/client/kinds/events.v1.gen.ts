// Made by `make generate` out of api/openapi; do not edit.
import type { EventSource, ObjectReference } from './core.v1.gen.ts'
import type { ListMeta, ObjectMeta } from './meta.v1.gen.ts'

export type Event = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ObjectMeta
  eventTime: string
  series?: EventSeries | undefined
  reportingController?: string | undefined
  reportingInstance?: string | undefined
  action?: string | undefined
  reason?: string | undefined
  regarding: ObjectReference
  related?: ObjectReference | undefined
  note?: string | undefined
  type?: string | undefined
  deprecatedSource: EventSource
  deprecatedFirstTimestamp?: string | undefined
  deprecatedLastTimestamp?: string | undefined
  deprecatedCount?: number | undefined
}

export type EventList = {
  kind?: string | undefined
  apiVersion?: string | undefined
  metadata: ListMeta
  items: Event[]
}

export type EventSeries = {
  count: number
  lastObservedTime: string
}
