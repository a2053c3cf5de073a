// What the two halves of the work on definitions share; see definitions.ts.
import type { CacheLister } from '../../handlers/lister.ts'
import type { Scope, Scopes } from '../../handlers/scope.ts'
import type { ServedResources } from '../../registry/served.ts'
import { findResource } from '../../schema/resources.ts'
import type { HookCaller } from '../../machinery/webhook.ts'
import type { Caches } from '../../storage/cache/caches.ts'
import type { Log } from '../log.ts'

export interface DefinitionParts {
  readonly scopes: Scopes
  readonly served: ServedResources
  readonly caches: Caches
  readonly lister: CacheLister
  /** Asks conversion webhooks. */
  readonly hookCaller: HookCaller
  readonly log: Log
}

/** The scope of definitions themselves. */
export function definitionsScope(scopes: Scopes): Scope {
  const resource = findResource('apiextensions.k8s.io', 'v1', 'customresourcedefinitions')
  if (!resource) throw new Error('nothing serves customresourcedefinitions')
  return scopes.of(resource)
}
