// Rules of events, which are stricter for clients of events.k8s.io than for those of the core group.
// Follows pkg/apis/core/validation/events.go.
import { qualifiedNameErrors } from '../../machinery/validation.ts'
import { semanticEqual } from '../equality.ts'
import { onCreate, onUpdate } from './rules.ts'
import type { Spot } from './spot.ts'

const MAX_SHORT = 128
const MAX_NOTE = 1024
const ELSEWHERE = 'does not match event.namespace'

function short(spot: Spot): void {
  spot.needed()
  if (spot.text.length > MAX_SHORT) spot.invalid(`can have at most ${MAX_SHORT} characters`, '')
}

function namespaces(event: Spot): void {
  const own = event.at('metadata').at('namespace').text
  const spot = event.at('involvedObject').at('namespace')
  const timed = event.at('eventTime').isSet
  const allowed = timed ? ['default', 'kube-system'] : ['default', '']
  if (!spot.text ? !allowed.includes(own) : !timed && spot.text !== own) spot.invalid(ELSEWHERE, spot.text)
}

/** In both groups. */
function common(event: Spot, legacy: boolean): void {
  namespaces(event)
  if (!event.at('eventTime').isSet) return
  const controller = event
    .at('reportingComponent')
    .named(legacy ? 'reportingComponent' : 'reportingController')
  controller.needed()
  controller.with(controller.text).matches(qualifiedNameErrors)
  short(event.at('reportingInstance'))
  short(event.at('action'))
  short(event.at('reason'))
  if (event.at('message').text.length > MAX_NOTE) {
    event.at('message').invalid(`can have at most ${MAX_NOTE} characters`, '')
  }
}

function seriesRules(series: Spot): void {
  if (series.isSet && series.at('count').number < 2) series.at('count').invalid('should be at least 2', '')
  if (series.isSet && !series.at('lastObservedTime').isSet) series.at('lastObservedTime').required()
}

/** Fields of the core group that clients of the newer one leave alone. */
function newer(event: Spot): void {
  seriesRules(event.at('series'))
  if (!event.at('eventTime').isSet) event.at('eventTime').required()
  const type = event.at('type')
  if (type.text !== 'Normal' && type.text !== 'Warning') type.invalid(`has invalid value: ${type.text}`, '')
  for (const name of ['firstTimestamp', 'lastTimestamp', 'count', 'source']) {
    if (!event.at(name).isEmpty) event.at(name).invalid('needs to be unset', '')
  }
}

/** What never changes, by upstream's types. */
const FIXED = [
  ['involvedObject', 'core.ObjectReference'],
  ['reason', 'string'],
  ['message', 'string'],
  ['source', 'core.EventSource'],
  ['firstTimestamp', 'time'],
  ['lastTimestamp', 'time'],
  ['count', 'int32'],
  ['reason', 'string'],
  ['type', 'string'],
  ['eventTime', 'time'],
  ['action', 'string'],
  ['related', '*core.ObjectReference'],
] as const

/** In the core group nothing more is asked, of new events and of changed ones. */
export const validateEvent = onCreate((event) => common(event, true))

/** Of the newer group: what comes before metadata. */
export const validateAnyEvent = onCreate((event) => common(event, false))
export const validateNewerEvent = onCreate(newer)

export const validateNewerEventUpdate = onUpdate((event, old) => {
  if (!semanticEqual(event.at('series').value, old['series'])) seriesRules(event.at('series'))
  for (const [name, type] of FIXED) event.at(name).unchangedStruct(type, old[name])
  const controller = event.at('reportingComponent').named('reportingController')
  controller.unchangedStruct('string', old['reportingComponent'])
  event.at('reportingInstance').unchangedStruct('string', old['reportingInstance'])
})
