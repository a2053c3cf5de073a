// Which resources a server has: two requests for all of them. Follows k8s.io/client-go/discovery (aggregated_discovery.go,
// ServerPreferredResources).
import type { Api } from './api.ts'
import { apiVersionOfResource, type Resource } from './resource.ts'

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

interface ResourceDiscovery {
  readonly resource: string
  readonly responseKind?: { readonly kind: string }
  readonly scope: 'Namespaced' | 'Cluster'
  readonly verbs: readonly string[]
}
interface VersionDiscovery {
  readonly version: string
  readonly resources?: readonly ResourceDiscovery[]
  /** "Stale": the server behind it does not answer. */
  readonly freshness?: string
}
interface GroupDiscovery {
  readonly metadata?: { readonly name?: string }
  readonly versions?: readonly VersionDiscovery[]
}

export interface ServedResource extends Resource {
  readonly verbs: ReadonlySet<string>
}

export interface Discovered {
  /** Each in the version that its group prefers among those that have it. */
  readonly resources: readonly ServedResource[]
  /** In every version: by "apps/v1 Deployment". */
  readonly kinds: ReadonlyMap<string, ServedResource>
  /** "group/version" of those whose servers do not answer. */
  readonly failed: readonly string[]
}

/** Rejects where the server does not answer at all. */
export async function discover(api: Api): Promise<Discovered> {
  const answers = await Promise.all(['/api', '/apis'].map((path) => api.raw(path, AGGREGATED)))
  return preferred(answers.flatMap(({ items }) => (items ?? []) as unknown as readonly GroupDiscovery[]))
}

/** Of each resource the first version that has it: versions come in the order of preference. */
export function preferred(groups: readonly GroupDiscovery[]): Discovered {
  const resources = new Map<string, ServedResource>()
  const kinds = new Map<string, ServedResource>()
  const failed: string[] = []
  for (const { metadata, versions = [] } of groups) {
    const group = metadata?.name ?? ''
    for (const { version, resources: those = [], freshness } of versions) {
      if (freshness === 'Stale') failed.push(group === '' ? version : `${group}/${version}`)
      for (const one of those) {
        const key = `${group}/${one.resource}`
        const found = served(group, version, one)
        if (!resources.has(key)) resources.set(key, found)
        const kind = kindKey(apiVersionOfResource(found), found.kind)
        // What only takes requests (bindings, reviews) shares its kind with nothing that is stored.
        if (found.verbs.has('get')) kinds.set(kind, found)
      }
    }
  }
  return { resources: [...resources.values()], kinds, failed }
}

/** How `kinds` names a kind. */
export const kindKey = (apiVersion: string, kind: string): string => `${apiVersion} ${kind}`

const served = (group: string, version: string, one: ResourceDiscovery): ServedResource => ({
  group,
  version,
  resource: one.resource,
  kind: one.responseKind?.kind ?? '',
  namespaced: one.scope === 'Namespaced',
  verbs: new Set(one.verbs),
})

/** Whether all these verbs are there. */
export const allows = ({ verbs }: ServedResource, ...wanted: readonly string[]): boolean =>
  wanted.every((verb) => verbs.has(verb))
