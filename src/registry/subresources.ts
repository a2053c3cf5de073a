// Which subresources a resource has, and what each does.
// The handlers ask here for every path with a third part. Follows pkg/registry/*/rest/storage_*.go.
import type { Resource } from '../schema/resource.ts'
import { binding } from './binding.ts'
import { attach, exec, log, nodeProxy, podProxy, portforward, serviceProxy } from './connections.ts'
import { eviction } from './eviction.ts'
import { scale } from './scale.ts'
import type { SubresourceHandler } from './subresource.ts'
import { token } from './tokens.ts'

const WHOLE: SubresourceHandler = { mode: 'whole' }

const HANDLERS: ReadonlyMap<string, SubresourceHandler> = new Map(
  Object.entries<SubresourceHandler>({
    'pods/binding': binding,
    'pods/eviction': eviction,
    'pods/log': log,
    'pods/exec': exec,
    'pods/attach': attach,
    'pods/portforward': portforward,
    'pods/proxy': podProxy,
    'services/proxy': serviceProxy,
    'nodes/proxy': nodeProxy,
    'serviceaccounts/token': token,
    'deployments.apps/scale': scale,
    'replicasets.apps/scale': scale,
    'statefulsets.apps/scale': scale,
    'replicationcontrollers/scale': scale,
  }),
)

/** undefined: the resource has no such subresource. */
export function subresourceFor(resource: Resource, name: string): SubresourceHandler | undefined {
  if (!resource.subresources.some((subresource) => subresource.name === name)) return undefined
  const key = resource.group ? `${resource.name}.${resource.group}` : resource.name
  return HANDLERS.get(`${key}/${name}`) ?? WHOLE
}
