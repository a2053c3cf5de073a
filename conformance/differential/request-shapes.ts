// Requests of every sort over a few objects, drawn at random: methods, paths, queries, headers and bodies, most of them
// right, some odd, some broken. Used by requests.ts. Knows nothing of servers.
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import {
  type Kind,
  NAMESPACE,
  KINDS,
  NAMES,
  ODD_NAMES,
  VERSIONS,
  SELECTORS,
  MORE_SELECTORS,
  FIELDS,
  MORE_FIELDS,
  ACCEPTS,
  TYPES,
  BROKEN,
  SUBRESOURCES,
  JSON_PATCHES,
  MERGES,
  PATCH_TYPES,
  DELETE_BODIES,
  INITIAL,
  MATCHES,
  PATHS,
} from './request-words.ts'
import type { Draw } from './mutations.ts'

export interface DrawnRequest {
  readonly method: string
  /** Path and query. `{rv}`: the version of the object that is meant, `{uid}` its uid, `{continue}` of the last page, as each server has them. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

const maybe = (draw: Draw, share: number, make: () => string): string[] =>
  draw.chance(share) ? [make()] : []
const query = (parts: readonly string[]): string => (parts.length > 0 ? `?${parts.join('&')}` : '')
const encoded = (text: string): string => encodeURIComponent(text).replaceAll('%7Brv%7D', '{rv}')

function place(draw: Draw, { root, resource, namespaced }: Kind): string {
  if (draw.chance(0.03)) return draw.of([`${root}/namespaces//${resource}`, `/${root}/${resource}`])
  if (draw.chance(0.03)) return `${root}/namespaces/${draw.of(['absent', 'Bad_Name', 'default'])}/${resource}`
  if (draw.chance(0.02)) return `${root}/${resource}x`
  if (draw.chance(0.02)) return `${root.replace(/v1$/, 'v9')}/${resource}`
  return namespaced || draw.chance(0.02)
    ? `${root}/namespaces/${NAMESPACE}/${resource}`
    : `${root}/${resource}`
}

const nameOf = (draw: Draw): string => (draw.chance(0.93) ? draw.of(NAMES) : draw.of(ODD_NAMES))

const writeOptions = (draw: Draw): string[] => [
  ...maybe(draw, 0.2, () => `dryRun=${draw.of(['All', 'All', 'Some', '', 'All&dryRun=All', 'true'])}`),
  ...maybe(
    draw,
    0.2,
    () => `fieldManager=${draw.of(['m', 'm', '', 'x'.repeat(129), '%00', '%C3%A9', 'a%0ab'])}`,
  ),
  ...maybe(draw, 0.2, () => `fieldValidation=${draw.of(['Strict', 'Warn', 'Ignore', 'strict', 'x', ''])}`),
  ...maybe(draw, 0.05, () => `pretty=${draw.of(['true', '1', 'false', 'x'])}`),
  ...maybe(draw, 0.03, () => draw.of(['unknown=1', 'timeout=5s', 'timeout=x', 'timeout=-1s', 'force=true'])),
]

function headersOf(draw: Draw, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { accept: draw.chance(0.85) ? 'application/json' : draw.of(ACCEPTS), ...more }
}

function objectOf(draw: Draw, kind: Kind, name: string | undefined): JsonObject {
  const metadata: JsonObject = {
    ...(name === undefined ? {} : { name }),
    ...(draw.chance(0.3)
      ? { labels: draw.of<JsonObject>([{ app: 'a' }, { app: 'b', tier: 'x' }, { 'bad label': 'x' }]) }
      : {}),
    ...(draw.chance(0.2) ? { annotations: draw.of<JsonObject>([{ note: 'n' }, { n: 1 }, { '': 'x' }]) } : {}),
    ...(draw.chance(0.12) ? { finalizers: draw.of<Json>([['x.example.com/y'], ['bad'], [], null]) } : {}),
    ...(draw.chance(0.1) ? { resourceVersion: draw.of(['{rv}', '1', 'x', '']) } : {}),
    ...(draw.chance(0.06) ? { uid: draw.of(['{uid}', 'x']) } : {}),
    ...(draw.chance(0.05) ? { namespace: draw.of([NAMESPACE, 'default', 'x']) } : {}),
    ...(draw.chance(0.03) ? { generateName: draw.of(['g-', 'G_', 'x'.repeat(70)]) } : {}),
    ...(draw.chance(0.03) ? { unknown: 'x' } : {}),
    ...(draw.chance(0.03)
      ? {
          ownerReferences: draw.of<Json>([
            [{}],
            [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }],
            'x',
          ]),
        }
      : {}),
    ...(draw.chance(0.02)
      ? { creationTimestamp: draw.of<Json>(['2020-01-01T00:00:00Z', 'x', null, 5]) }
      : {}),
    ...(draw.chance(0.02) ? { deletionGracePeriodSeconds: 5 } : {}),
  }
  return {
    ...(draw.chance(0.96)
      ? { apiVersion: kind.apiVersion }
      : draw.chance(0.5)
        ? { apiVersion: draw.of(['v9', '', 'a/b/c', 'apps/v1']) }
        : {}),
    ...(draw.chance(0.96)
      ? { kind: kind.kind }
      : draw.chance(0.5)
        ? { kind: draw.of(['Pod', 'Nothing', '', `${kind.kind}List`]) }
        : {}),
    metadata,
    ...draw.of(kind.content),
    ...(draw.chance(0.05) ? { unknown: { a: 1 } } : {}),
  }
}

const create = (draw: Draw, kind: Kind): DrawnRequest => {
  const name = draw.chance(0.95) ? nameOf(draw) : undefined
  const type = draw.chance(0.92) ? 'application/json' : draw.of(TYPES)
  return {
    method: 'POST',
    path: place(draw, kind) + query(writeOptions(draw)),
    headers: headersOf(draw, { 'content-type': type }),
    body: draw.chance(0.95) ? JSON.stringify(objectOf(draw, kind, name && decoded(name))) : draw.of(BROKEN),
  }
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

const update = (draw: Draw, kind: Kind): DrawnRequest => {
  const name = nameOf(draw)
  const inside = draw.chance(0.93) ? decoded(name) : draw.chance(0.5) ? draw.of(NAMES) : undefined
  return {
    method: 'PUT',
    path: `${place(draw, kind)}/${name}${draw.of(SUBRESOURCES)}${query(writeOptions(draw))}`,
    headers: headersOf(draw, { 'content-type': draw.chance(0.95) ? 'application/json' : draw.of(TYPES) }),
    body: draw.chance(0.95) ? JSON.stringify(objectOf(draw, kind, inside)) : draw.of(BROKEN),
  }
}

const patch = (draw: Draw, kind: Kind): DrawnRequest => {
  const isJson = draw.chance(0.35)
  const right = isJson ? 'application/json-patch+json' : draw.of(PATCH_TYPES)
  const body = JSON.stringify(draw.of(isJson ? JSON_PATCHES : MERGES))
  return {
    method: 'PATCH',
    path: `${place(draw, kind)}/${nameOf(draw)}${draw.of(SUBRESOURCES)}${query(writeOptions(draw))}`,
    headers: headersOf(draw, { 'content-type': draw.chance(0.95) ? right : draw.of(TYPES) }),
    body: draw.chance(0.96) ? body : draw.of(BROKEN),
  }
}

const deleteOptions = (draw: Draw): string[] => [
  ...maybe(draw, 0.15, () => `gracePeriodSeconds=${draw.of(['0', '5', '-1', 'x', ''])}`),
  ...maybe(draw, 0.15, () => `propagationPolicy=${draw.of(['Background', 'Foreground', 'Orphan', 'x', ''])}`),
  ...maybe(draw, 0.1, () => `dryRun=${draw.of(['All', 'x'])}`),
  ...maybe(draw, 0.05, () => `orphanDependents=${draw.of(['true', 'false', 'x'])}`),
]

const remove = (draw: Draw, kind: Kind): DrawnRequest => {
  const isAll = draw.chance(0.12)
  const path = isAll
    ? place(draw, kind)
    : `${place(draw, kind)}/${nameOf(draw)}${draw.chance(0.03) ? '/status' : ''}`
  const selection = isAll ? [...listOptions(draw), 'labelSelector=app%3Da'] : []
  const hasBody = draw.chance(0.4)
  return {
    method: 'DELETE',
    path: path + query([...deleteOptions(draw), ...selection]),
    headers: headersOf(
      draw,
      hasBody ? { 'content-type': draw.chance(0.95) ? 'application/json' : draw.of(TYPES) } : {},
    ),
    ...(hasBody
      ? { body: draw.chance(0.95) ? JSON.stringify(draw.of(DELETE_BODIES)) : draw.of(BROKEN) }
      : {}),
  }
}

function listOptions(draw: Draw): string[] {
  return [
    ...maybe(
      draw,
      0.3,
      () => `labelSelector=${encoded(draw.of(draw.chance(0.7) ? SELECTORS : MORE_SELECTORS))}`,
    ),
    ...maybe(draw, 0.25, () => `fieldSelector=${encoded(draw.of(draw.chance(0.6) ? FIELDS : MORE_FIELDS))}`),
    ...maybe(draw, 0.25, () => `resourceVersion=${draw.of(VERSIONS)}`),
    ...maybe(draw, 0.2, () => `resourceVersionMatch=${draw.of(MATCHES)}`),
    ...maybe(draw, 0.25, () => `limit=${draw.of(['1', '2', '0', '-1', 'x', '99999999999999999999'])}`),
    ...maybe(draw, 0.12, () => `continue=${draw.of(['{continue}', '{continue}', 'x', 'eyJ2IjoxfQ', ''])}`),
    ...maybe(draw, 0.04, () => `sendInitialEvents=${draw.of(['true', 'false', 'x'])}`),
  ]
}

const read = (draw: Draw, kind: Kind): DrawnRequest => ({
  method: draw.chance(0.97) ? 'GET' : draw.of(['HEAD', 'OPTIONS', 'TRACE']),
  path: `${place(draw, kind)}/${nameOf(draw)}${draw.of(SUBRESOURCES)}${query([
    ...maybe(draw, 0.2, () => `resourceVersion=${draw.of(VERSIONS)}`),
    ...maybe(draw, 0.1, () => `pretty=${draw.of(['true', 'x', '0', ''])}`),
    ...maybe(draw, 0.05, () => `includeObject=${draw.of(['None', 'Metadata', 'Object', 'x'])}`),
  ])}`,
  headers: { accept: draw.chance(0.5) ? 'application/json' : draw.of(ACCEPTS) },
})

const list = (draw: Draw, kind: Kind): DrawnRequest => ({
  method: draw.chance(0.98) ? 'GET' : 'HEAD',
  path:
    place(draw, kind) +
    query([
      ...listOptions(draw),
      ...maybe(draw, 0.1, () => `includeObject=${draw.of(['None', 'Metadata', 'Object', 'x'])}`),
    ]),
  headers: { accept: draw.chance(0.6) ? 'application/json' : draw.of(ACCEPTS) },
})

const watch = (draw: Draw, kind: Kind): DrawnRequest => ({
  method: 'GET',
  path:
    (draw.chance(0.9) ? place(draw, kind) : `${place(draw, kind)}/${nameOf(draw)}`) +
    query([
      `watch=${draw.of(['true', '1', 'true', 'true', 'x', ''])}`,
      `timeoutSeconds=${draw.chance(0.97) ? '1' : draw.of(['-1', 'x'])}`,
      ...listOptions(draw),
      ...maybe(draw, 0.3, () => draw.of(INITIAL)),
    ]),
  headers: { accept: draw.chance(0.7) ? 'application/json' : draw.of(ACCEPTS) },
})

const other = (draw: Draw): DrawnRequest => ({
  method: draw.chance(0.8) ? 'GET' : draw.of(['POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS']),
  path: draw.of(PATHS),
  headers: { accept: draw.chance(0.8) ? 'application/json' : draw.of(ACCEPTS) },
})

const SORTS: readonly ((draw: Draw, kind: Kind) => DrawnRequest)[] = [
  create,
  create,
  create,
  update,
  update,
  patch,
  patch,
  patch,
  remove,
  remove,
  read,
  read,
  list,
  list,
  list,
  watch,
  other,
]

export function drawRequest(draw: Draw): DrawnRequest {
  return draw.of(SORTS)(draw, draw.of(KINDS))
}

/** The objects that requests may have left. */
export const leftovers = (): string[] =>
  KINDS.flatMap(({ root, resource, namespaced }) =>
    NAMES.map((name) => `${root}/${namespaced ? `namespaces/${NAMESPACE}/` : ''}${resource}/${name}`),
  )
