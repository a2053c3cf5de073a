// Which strategy a resource has: one row a kind. The write loop asks here.
// Follows pkg/registry/*/*/strategy.go, one file a kind there.
import type { Resource } from '../schema/resource.ts'
import { certificates } from './certificates.ts'
import { core } from './core.ts'
import { devices } from './devices.ts'
import { namespaces } from './namespaces.ts'
import { pods } from './pods.ts'
import { policies } from './policies.ts'
import { services } from './services.ts'
import type { Strategy } from './strategy.ts'
import { volumes } from './volumes.ts'
import { workloads } from './workloads.ts'

const STRATEGIES: ReadonlyMap<string, Strategy> = new Map(
  Object.entries<Strategy>({
    namespaces,
    pods,
    services,
    ...core,
    ...workloads,
    ...volumes,
    ...policies,
    ...devices,
    ...certificates,
  }),
)

/** Custom resources and whatever else no row names: metadata is checked, the rest is the schema's business. */
const GENERIC: Strategy = { allowUnconditionalUpdate: false, anyFinalizer: true }

/** The strategy of a resource. */
export function strategyFor(resource: Resource): Strategy {
  const key = resource.group ? `${resource.name}.${resource.group}` : resource.name
  return STRATEGIES.get(key) ?? GENERIC
}
