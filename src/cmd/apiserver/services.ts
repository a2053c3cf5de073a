// What special resources and subresources need: reviews, tokens, connections to nodes.
import type { RuleAuthorizer } from '../../authz/chain.ts'
import type { Scopes } from '../../handlers/scope.ts'
import type { GroupResource } from '../../machinery/gvk.ts'
import { StatusError } from '../../machinery/status.ts'
import { REVIEWS } from '../../registry/reviews.ts'
import type { Resource } from '../../schema/resource.ts'
import type { Review, SpecialServices } from '../../server/special.ts'
import type { Authentication } from '../access/authentication.ts'
import { componentStatuses } from './components.ts'
import type { Identity } from './identity.ts'
import { type NodeAnswers, pathOnNode } from '../nodes/node-answers.ts'
import type { ApiServerOptions } from '../options.ts'
import type { RemoteNodes } from '../nodes/remote-nodes.ts'

export interface ServiceParts {
  readonly scopes: Scopes
  stored(resource: GroupResource): Resource
  readonly authorizer: RuleAuthorizer
  /** See components.ts. */
  readonly components: ReadonlySet<string>
  readonly reviewToken: Authentication['reviewToken']
  readonly tokenIssuer: Authentication['tokenIssuer']
  readonly answerOfNode: NodeAnswers
  readonly options: ApiServerOptions
  readonly identity: Identity
  readonly addedResource: SpecialServices['addedResource']
}

export function specialServices(parts: ServiceParts): SpecialServices {
  const { scopes, stored, tokenIssuer, answerOfNode } = parts
  const remote = remoteOnce(parts)
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
        const { node, port } = destination
        const { verb } = request.info
        const answer = answerOfNode(node.metadata.name ?? '', { verb, path, query })
        return answer ?? (await remote()).ask({ node, path, port, request })
      }
      throw new StatusError({
        code: 503,
        reason: 'ServiceUnavailable',
        message: 'error trying to reach service: no network leads there',
      })
    },
    reviews: reviewsOf(parts),
    componentStatuses: componentStatuses({
      store: () => scopes.environment.caches.storage.currentRevision(),
      inProcess: parts.components,
    }),
  }
}

/** What asks kubelets, when the first is asked. */
function remoteOnce({ options, identity }: ServiceParts): () => Promise<RemoteNodes> {
  let known: Promise<RemoteNodes> | undefined
  const load = async (): Promise<RemoteNodes> => {
    try {
      return await (await import('../nodes/remote-nodes.ts')).remoteNodes(options.kubelet ?? {}, identity)
    } catch (error) {
      // Files may be mended.
      known = undefined
      throw error
    }
  }
  return () => (known ??= load())
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
