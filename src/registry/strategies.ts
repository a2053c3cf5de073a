// Which strategy a resource has: one row a kind. The write loop asks here.
// Follows pkg/registry/*/*/strategy.go, one file a kind there.
import type { Resource } from '../schema/resource.ts'
import { namespaces } from './namespaces.ts'
import { pods } from './pods.ts'
import { services } from './services.ts'
import type { Strategy } from './strategy.ts'

const GENERIC: Strategy = {}

const STRATEGIES: ReadonlyMap<string, Strategy> = new Map(Object.entries({ namespaces, pods, services }))

/** The strategy of a resource; resources that no row names have the generic one. */
export function strategyFor(resource: Resource): Strategy {
  const key = resource.group ? `${resource.name}.${resource.group}` : resource.name
  return STRATEGIES.get(key) ?? GENERIC
}
