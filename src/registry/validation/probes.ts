// Rules of a container's life: probes, and what runs after its start and before its end.
// Follows pkg/apis/core/validation.
import { httpHeaderNameErrors } from '../../machinery/validation.ts'
import type { Spot } from './spot.ts'

const SCHEMES = ['HTTP', 'HTTPS']

function httpGet(action: Spot): void {
  action.at('path').needed()
  action.at('port').isPort()
  action.at('scheme').oneOf(SCHEMES)
  const headers = action.at('httpHeaders')
  for (const header of headers.items()) {
    for (const fault of httpHeaderNameErrors(header.at('name').text))
      headers.invalid(fault, header.at('name').text)
  }
}

/** What each type of handler must have. */
const HANDLERS: Readonly<Record<string, (action: Spot, grace: Spot) => void>> = {
  exec: (action) => void action.at('command').needed(),
  httpGet,
  tcpSocket: (action) => void action.at('port').isPort(),
  grpc: (action) => void action.at('port').isPortNumber(),
  sleep(action, grace) {
    const { number: seconds } = action.at('seconds')
    if (!grace.isSet || (seconds >= 0 && seconds <= grace.number)) return
    action.invalid(
      `must be non-negative and less than terminationGracePeriodSeconds (${grace.number})`,
      seconds,
    )
  },
}

/** Exactly one handler. */
function handler(spot: Spot, grace: Spot): void {
  let found = 0
  for (const [type, check] of Object.entries(HANDLERS)) {
    const action = spot.at(type)
    if (!action.isSet) continue
    if (found++) action.forbidden('may not specify more than 1 handler type')
    else check(action, grace)
  }
  if (!found) spot.required('must specify a handler type')
}

const SECONDS = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
]

function probe(spot: Spot, grace: Spot): void {
  handler(spot, grace)
  for (const name of SECONDS) spot.at(name).atLeast(0)
  spot.at('terminationGracePeriodSeconds').atLeastIfSet(1, 'must be greater than 0')
}

/** Lifecycle hooks and the three probes of a container that keeps running. */
export function lifeOf(container: Spot, grace: Spot): void {
  const lifecycle = container.at('lifecycle')
  for (const hook of ['postStart', 'preStop']) {
    if (lifecycle.at(hook).isSet) handler(lifecycle.at(hook), grace)
  }
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    const spot = container.at(name)
    if (!spot.isSet) continue
    probe(spot, grace)
    const ownGrace = spot.at('terminationGracePeriodSeconds')
    if (name !== 'readinessProbe') {
      if (spot.at('successThreshold').number !== 1) {
        spot.at('successThreshold').invalid('must be 1', spot.at('successThreshold').exact)
      }
    } else if (ownGrace.isSet) ownGrace.invalid('must not be set for readinessProbes')
  }
}
