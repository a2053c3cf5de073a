// What a URL and a method mean: resource or not, verb, group, version, namespace, name, subresource.
// First stage after the bytes. Follows k8s.io/apiserver/pkg/endpoints/request/requestinfo.go.
import type { RequestInfo } from '../machinery/attributes.ts'
import { fieldExactMatch, parseFieldSelector } from '../machinery/fields.ts'
import { StatusError } from '../machinery/status.ts'
import { pathSegmentErrors } from '../machinery/validation.ts'

const VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}
/** Subresources of namespaces: what else follows /namespaces/NAME/ is a resource inside it. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize'])

/** A path that is no resource: authorized by itself, with the method as its verb. */
function nonResource(method: string, path: string): RequestInfo {
  return {
    isResourceRequest: false,
    path,
    verb: method.toLowerCase(),
    group: '',
    version: '',
    resource: '',
    subresource: '',
    namespace: '',
    name: '',
  }
}

/** Reads method, path and query. */
export function requestInfoOf(method: string, path: string, query: URLSearchParams): RequestInfo {
  const parts = segments(path)
  const core = parts[0] === 'api'
  if ((!core && parts[0] !== 'apis') || parts.length < (core ? 3 : 4)) return nonResource(method, path)
  const group = core ? '' : (parts[1] as string)
  const version = parts[core ? 1 : 2] as string
  let rest = parts.slice(core ? 2 : 3)
  let verb = VERBS[method] ?? ''
  if (rest[0] === 'watch' || rest[0] === 'proxy') {
    if (rest.length < 2) return nonResource(method, path)
    verb = rest[0]
    rest = rest.slice(1)
  }
  const place = placeOf(rest)
  return { isResourceRequest: true, path, group, version, ...place, ...named(verb, place.name, query) }
}

interface Place {
  readonly namespace: string
  readonly resource: string
  readonly name: string
  readonly subresource: string
}

function placeOf(rest: readonly string[]): Place {
  let namespace = ''
  let parts = rest
  if (parts[0] === 'namespaces' && parts.length > 1) {
    namespace = parts[1] as string
    const third = parts[2]
    if (third !== undefined && !NAMESPACE_SUBRESOURCES.has(third)) parts = parts.slice(2)
  }
  const [resource = '', name = '', subresource = ''] = parts
  return { namespace, resource, name, subresource }
}

/**
 * Collections turn get into list or watch, whose field selector may name the object; and delete into deletecollection, for
 * which no selector does: rules for one name allow none of it.
 */
function named(verb: string, name: string, query: URLSearchParams): { verb: string; name: string } {
  if (name !== '') return { verb, name }
  if (verb === 'delete') return { verb: 'deletecollection', name }
  if (verb !== 'get') return { verb, name }
  const watch = query.size > 0 && isTrue(query.get('watch'))
  return { verb: watch ? 'watch' : 'list', name: nameOfSelector(query) }
}

function isTrue(text: string | null): boolean {
  return text !== null && text.toLowerCase() !== 'false' && text !== '0'
}

/** As the handler will read it, and no name where it will be refused: what is allowed must be what is done. */
function nameOfSelector(query: URLSearchParams): string {
  const text = query.size === 0 ? null : query.get('fieldSelector')
  if (!text) return ''
  try {
    const name = fieldExactMatch(parseFieldSelector(text), 'metadata.name') ?? ''
    return pathSegmentErrors(name).length === 0 ? name : ''
  } catch (error) {
    if (error instanceof StatusError) return ''
    throw error
  }
}

/** Path segments, decoded before they are split, as Go's URL.Path is; empty ones at the ends do not count. */
export function segments(path: string): string[] {
  const text = path.includes('%') ? decoded(path) : path
  let start = 0
  let end = text.length
  while (start < end && text[start] === '/') start++
  while (end > start && text[end - 1] === '/') end--
  return start === end ? [] : text.slice(start, end).split('/')
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
