// The rows of the table of resources that a definition stands for: one for each version that is served.
// Follows k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_discovery_controller.go.
import { compareVersions } from '../../machinery/versionorder.ts'
import type { Resource, Subresource } from '../../schema/resource.ts'
import type { Definition, Version } from './definition.ts'

const VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch']
const PART_VERBS = ['get', 'patch', 'update']
const SCALE = {
  name: 'scale',
  verbs: PART_VERBS,
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  definition: 'io.k8s.api.autoscaling.v1.Scale',
} satisfies Subresource

/** The name of a version's schema in OpenAPI: "com.example.stable.v1.CronTab". */
export function definitionName({ group, accepted }: Definition, version: string): string {
  return [...group.split('.').reverse(), version, accepted.kind].join('.')
}

/** The row of one version. */
export function rowOf(definition: Definition, version: Version): Resource {
  const { group, accepted, namespaced } = definition
  const name = definitionName(definition, version.name)
  const status = { name: 'status', verbs: PART_VERBS, group, version: version.name, kind: accepted.kind }
  return {
    group,
    version: version.name,
    name: accepted.plural,
    singular: accepted.singular,
    kind: accepted.kind,
    listKind: accepted.listKind,
    namespaced,
    verbs: definition.terminating ? VERBS.filter((verb) => verb !== 'create') : VERBS,
    shortNames: accepted.shortNames,
    categories: accepted.categories,
    subresources: [
      ...(version.hasStatus ? [{ ...status, definition: name }] : []),
      ...(version.scale ? [{ ...SCALE }] : []),
    ],
    definition: name,
    storage: { group, version: definition.storageVersion },
    storagePrefix: `${group}/${accepted.plural}`,
    custom: true,
  }
}

/** What clients of a deprecated version are told. */
export function deprecationOf(definition: Definition, version: Version): string | undefined {
  if (!version.deprecated) return undefined
  if (version.deprecationWarning !== undefined) return version.deprecationWarning
  const { group, names } = definition
  const better = definition.versions
    .filter(
      ({ name, served, deprecated }) => served && !deprecated && compareVersions(name, version.name) < 0,
    )
    .map(({ name }) => name)
    .sort(compareVersions)
  const advice = better.length ? `; use ${group}/${better[0]} ${names.kind}` : ''
  return `${group}/${version.name} ${names.kind} is deprecated${advice}`
}
