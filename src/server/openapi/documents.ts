// What goes into which OpenAPI document: v3 has one for each group version, one for each group and a few for the
// other paths; v2 has everything. Follows k8s.io/apiserver/pkg/server/routes/openapi.go and
// k8s.io/kube-openapi/pkg/builder3.
import type { ResourceRow } from '../../schema/resources.ts'
import { isReleased } from '../../schema/resources.ts'
import {
  capital,
  type Content,
  ENCODINGS,
  groupWords,
  type Operation,
  type PathItem,
  pathsOf,
  rootOf,
  tagOf,
} from './operations.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'

export interface Document {
  /** What it is made of; the same rows give the same document. */
  readonly rows: readonly ResourceRow[]
  /** Sorted. */
  readonly paths: () => PathItem[]
}

/** The v3 documents by name ("apis/apps/v1"), sorted. */
export function documentsOf(resources: readonly ResourceRow[]): Map<string, Document> {
  const documents = new Map<string, Document>()
  for (const [name, item] of Object.entries(OTHER_PATHS))
    documents.set(name, { rows: [], paths: () => [item] })
  const byVersion = new Map<string, ResourceRow[]>()
  for (const row of resources) {
    const name = rootOf(row).slice(1)
    const rows = byVersion.get(name)
    if (rows === undefined) byVersion.set(name, [row])
    else rows.push(row)
    // A group of custom resources has no document of its own.
    if (row.group !== '' && isReleased(row)) {
      documents.set(`apis/${row.group}`, { rows: [], paths: () => [groupPath(row.group)] })
    }
  }
  for (const [name, rows] of byVersion) documents.set(name, { rows, paths: () => versionPaths(rows) })
  return new Map([...documents].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function versionPaths(rows: readonly ResourceRow[]): PathItem[] {
  const items = new Map<string, PathItem>()
  const [first] = rows
  if (first !== undefined && isReleased(first)) {
    const { group, version } = first
    const words = groupWords(group).map(capital).join('')
    const item = plainPath(`${rootOf(first)}/`, {
      id: `get${words}${capital(version)}APIResources`,
      tag: tagOf(group, version),
      answer: { definition: `${META}.APIResourceList` },
    })
    items.set(item.path, item)
  }
  for (const row of rows) {
    for (const item of pathsOf(row, !isReleased(row))) items.set(item.path, item)
  }
  return [...items.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

function groupPath(group: string): PathItem {
  const [first = '', ...rest] = groupWords(group)
  const words = rest.map(capital).join('')
  return plainPath(`/apis/${group}/`, {
    id: `get${capital(first)}${words}APIGroup`,
    tag: first + words,
    answer: { definition: `${META}.APIGroup` },
  })
}

interface Plain {
  readonly id: string
  readonly tag: string
  readonly answer: Content
  readonly produces?: readonly string[]
  readonly consumes?: readonly string[]
}

function plainPath(path: string, { id, tag, answer, ...media }: Plain): PathItem {
  const operation: Operation = {
    method: 'get',
    id,
    tag,
    parameters: [],
    codes: [200],
    answer,
    produces: ENCODINGS,
    consumes: ENCODINGS,
    ...media,
  }
  return { path, operations: [operation] }
}

const JSON_ONLY = { produces: ['application/json'], consumes: ['application/json'] }

const OTHER_PATHS: Readonly<Record<string, PathItem>> = {
  '.well-known/openid-configuration': plainPath('/.well-known/openid-configuration/', {
    id: 'getServiceAccountIssuerOpenIDConfiguration',
    tag: 'WellKnown',
    answer: 'string',
    produces: ['application/json'],
    consumes: [],
  }),
  api: plainPath('/api/', {
    id: 'getCoreAPIVersions',
    tag: 'core',
    answer: { definition: `${META}.APIVersions` },
  }),
  apis: plainPath('/apis/', {
    id: 'getAPIVersions',
    tag: 'apis',
    answer: { definition: `${META}.APIGroupList` },
  }),
  'openid/v1/jwks': plainPath('/openid/v1/jwks/', {
    id: 'getServiceAccountIssuerOpenIDKeyset',
    tag: 'openid',
    answer: 'string',
    produces: ['application/jwk-set+json'],
    consumes: [],
  }),
  version: plainPath('/version/', {
    id: 'getCodeVersion',
    tag: 'version',
    answer: { definition: 'io.k8s.apimachinery.pkg.version.Info' },
    ...JSON_ONLY,
  }),
}
