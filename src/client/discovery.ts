// Which resources a server has: two requests for all of them. Follows k8s.io/client-go/discovery (aggregated_discovery.go,
// ServerPreferredResources).
import type { Api } from './api.ts'
import type { Resource } from './resource.ts'

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
  const failed: string[] = []
  for (const { metadata, versions = [] } of groups) {
    const group = metadata?.name ?? ''
    for (const { version, resources: found = [], freshness } of versions) {
      if (freshness === 'Stale') failed.push(group === '' ? version : `${group}/${version}`)
      for (const one of found) {
        const key = `${group}/${one.resource}`
        if (!resources.has(key)) resources.set(key, served(group, version, one))
      }
    }
  }
  return { resources: [...resources.values()], failed }
}

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
