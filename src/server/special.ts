// Which resources and subresources are more than stored objects, and what serves them.
import {
  actionHandlers,
  bindingsHandlers,
  type ActionServices,
  type Connect,
  connectionHandlers,
  type Handlers,
  projectionHandlers,
  reviewHandlers,
} from '../handlers/subresource.ts'
import { type Computed, computedHandlers } from '../handlers/computed.ts'
import type { ApiRequest } from '../handlers/request.ts'
import { qualifiedResource } from '../machinery/gvk.ts'
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { Projection } from '../registry/subresource.ts'
import { subresourceFor } from '../registry/subresources.ts'
import type { Resource, Subresource } from '../schema/resource.ts'
import { findResource } from '../schema/resources.ts'
import type { SpecialHandlers } from './dispatch.ts'

export type Review = (object: KubeObject, request: ApiRequest) => Promise<JsonObject>

export interface SpecialServices extends ActionServices {
  readonly connect: Connect
  /** What a custom kind's definition says of it. */
  customSubresource?(resource: Resource, name: string): Projection | undefined
  /** By qualified resource: "tokenreviews.authentication.k8s.io". */
  readonly reviews: ReadonlyMap<string, Review>
  readonly componentStatuses: Computed
  /** What a part of this process answers for a resource that it has added; undefined: it is none of these. */
  addedResource(resource: Resource): Handlers | undefined
}

/** Looks the handlers of each place up once. */
export function specialHandlers(services: SpecialServices): SpecialHandlers {
  const bySubresource = new WeakMap<Subresource, { handlers: Handlers | undefined }>()
  const reviews = new Map([...services.reviews].map(([name, review]) => [name, reviewHandlers(review)]))
  const components = computedHandlers(services.componentStatuses)
  let bindings: Handlers | undefined
  return {
    resource: (resource) => {
      const { group, name } = resource
      if (resource.custom) return services.addedResource(resource)
      if (group === '' && name === 'componentstatuses') return components
      if (group === '' && name === 'bindings') return (bindings ??= bindingsOf(services))
      return reviews.get(qualifiedResource({ group, resource: name }))
    },
    subresource(resource, row) {
      let known = bySubresource.get(row)
      if (!known) bySubresource.set(row, (known = { handlers: subresourceHandlers(resource, row, services) }))
      return known.handlers
    },
  }
}

function bindingsOf(services: SpecialServices): Handlers | undefined {
  const pods = findResource('', 'v1', 'pods')
  const row = pods?.subresources.find(({ name }) => name === 'binding')
  const handlers = pods && row && subresourceHandlers(pods, row, services)
  return handlers && bindingsHandlers(row, handlers, () => services.scopeOf({ group: '', resource: 'pods' }))
}

function subresourceHandlers(
  resource: Resource,
  row: Subresource,
  services: SpecialServices,
): Handlers | undefined {
  const handler = services.customSubresource?.(resource, row.name) ?? subresourceFor(resource, row.name)
  switch (handler?.mode) {
    case 'projection':
      return projectionHandlers(handler, row)
    case 'action':
      return actionHandlers(handler, row, services)
    case 'connection':
      return connectionHandlers(handler, row, services.connect)
    case 'whole':
    case undefined:
      return undefined
  }
}
