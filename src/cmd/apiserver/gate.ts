// Priority and fairness, or plain limits, as the flags say; and what either needs to know of the server.
// Follows k8s.io/apiserver/pkg/server/options/server_run_options.go and feature.go.
import { SYSTEM_CLOCK } from '../../fairness/clock.ts'
import type { Estimator } from '../../fairness/estimate.ts'
import { Fairness } from '../../fairness/fairness.ts'
import { MaxInFlight } from '../../fairness/inflight.ts'
import type { Scopes } from '../../handlers/scope.ts'
import type { ServedResources } from '../../registry/served.ts'
import { type ApiServerOptions, StartError } from '../options.ts'

export function gateOf(
  options: ApiServerOptions,
  scopes: Scopes,
  served: ServedResources,
): Fairness | MaxInFlight {
  const { maxRequestsInflight: readOnly, maxMutatingRequestsInflight: mutating } = options
  if (!options.enablePriorityAndFairness) return new MaxInFlight({ readOnly, mutating }, SYSTEM_CLOCK)
  const seats = readOnly + mutating
  if (seats <= 0) {
    const shown = `MaxRequestsInFlight=${readOnly} and MaxMutatingRequestsInFlight=${mutating}`
    throw new StartError(`invalid configuration: ${shown}; they must add up to something positive`)
  }
  return new Fairness({ seats, statsOf: statsOf(scopes, served), clock: SYSTEM_CLOCK })
}

/** How much is stored of what a request is about, as far as anybody has read it. */
function statsOf(scopes: Scopes, served: ServedResources): Estimator['statsOf'] {
  return ({ group, version, resource }) => {
    const found = served.find(group, version, resource)
    if (!found) return undefined
    const { size, bytes } = scopes.of(found).cache.index
    return { count: size, averageBytes: size > 0 ? Math.trunc(bytes / size) : 0 }
  }
}
