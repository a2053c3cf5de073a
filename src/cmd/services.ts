// What special resources and subresources need: reviews, tokens, connections to nodes.
import type { RuleAuthorizer } from '../authz/chain.ts'
import type { Scopes } from '../handlers/scope.ts'
import type { GroupResource } from '../machinery/gvk.ts'
import { StatusError } from '../machinery/status.ts'
import { REVIEWS } from '../registry/reviews.ts'
import type { Resource } from '../schema/resource.ts'
import type { Review, SpecialServices } from '../server/special.ts'
import type { Authentication } from './authentication.ts'
import { componentStatuses } from './components.ts'
import { type NodeAnswers, pathOnNode } from './node-answers.ts'

export interface ServiceParts {
  readonly scopes: Scopes
  stored(resource: GroupResource): Resource
  readonly authorizer: RuleAuthorizer
  /** See components.ts. */
  readonly components: ReadonlySet<string>
  readonly reviewToken: Authentication['reviewToken']
  readonly tokenIssuer: Authentication['tokenIssuer']
  readonly answerOfNode: NodeAnswers
  readonly addedResource: SpecialServices['addedResource']
}

export function specialServices(parts: ServiceParts): SpecialServices {
  const { scopes, stored, tokenIssuer, answerOfNode } = parts
  return {
    scopeOf: (resource) => scopes.of(stored(resource)),
    tokenIssuer,
    addedResource: parts.addedResource,
    customSubresource: (resource, name) =>
      name === 'scale' && resource.custom ? scopes.of(resource).kind.custom?.scale : undefined,
    connect: async (scope, request, connection) => {
      await scope.environment.lister.ready(...connection.reads)
      const { name, namespace } = request.info
      const destination = connection.connect(
        { name, namespace, query: request.query },
        { lister: scope.environment.lister },
      )
      if (destination.to === 'empty') return { status: 204, contentType: undefined, body: Buffer.alloc(0) }
      if (destination.to === 'node') {
        const { query } = request
        const path = pathOnNode(destination.path, request.info)
        const answer = answerOfNode(destination.node.metadata.name ?? '', {
          verb: request.info.verb,
          path,
          query,
        })
        if (answer) return answer
      }
      throw new StatusError({
        code: 503,
        reason: 'ServiceUnavailable',
        message: 'error trying to reach service: no node is connected',
      })
    },
    reviews: reviewsOf(parts),
    componentStatuses: componentStatuses({
      store: () => scopes.environment.caches.storage.currentRevision(),
      inProcess: parts.components,
    }),
  }
}

function reviewsOf({ authorizer, reviewToken }: ServiceParts): ReadonlyMap<string, Review> {
  const { rulesFor } = authorizer
  const reviews = new Map<string, Review>()
  for (const [name, review] of REVIEWS) {
    reviews.set(name, (object, { user, info }) =>
      review(object, { user, namespace: info.namespace, now: new Date(), authorizer, rulesFor, reviewToken }),
    )
  }
  return reviews
}
