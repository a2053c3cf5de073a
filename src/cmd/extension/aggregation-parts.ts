// What the two halves of aggregation share; see aggregation.ts.
import type { CacheLister } from '../../handlers/lister.ts'
import type { Scope, Scopes } from '../../handlers/scope.ts'
import { findResource } from '../../schema/resources.ts'
import type { Identity } from '../apiserver/identity.ts'
import type { Log } from '../log.ts'
import type { ApiServerOptions } from '../options.ts'

export interface AggregationParts {
  readonly options: ApiServerOptions
  readonly identity: Identity
  readonly scopes: Scopes
  readonly lister: CacheLister
  readonly log: Log
}

/** The scope of a built-in resource. */
export function builtinScope(scopes: Scopes, group: string, name: string): Scope {
  const resource = findResource(group, 'v1', name)
  if (!resource) throw new Error(`nothing serves ${name}`)
  return scopes.of(resource)
}
