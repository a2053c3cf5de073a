// Events of events.k8s.io and those of the core group, which is how they are stored: other names for the same fields.
// Follows kubernetes/pkg/apis/events/v1/conversion.go.
import type { KubeObject } from '../../machinery/object.ts'
import { renamed, type Shape } from './shape.ts'

const TO_CORE = new Map([
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
])
const FROM_CORE = new Map([...TO_CORE].map(([ours, core]) => [core, ours]))

export const eventsV1: Shape = {
  toHub: (object) => renamed(object, TO_CORE) as KubeObject,
  fromHub: (object) => renamed(object, FROM_CORE) as KubeObject,
}
