// The operations of a resource as OpenAPI documents list them, before they take the form of v2 or v3.
// Everything follows from the resource's row. Follows k8s.io/apiserver/pkg/endpoints (installer.go for the routes,
// openapi/openapi.go for operation ids and tags).
import type { Subresource } from '../../schema/resource.ts'
import type { ResourceRow } from '../../schema/resources.ts'
import { typeOf } from '../../schema/types.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const JSON_TYPE = 'application/json'
const YAML_TYPE = 'application/yaml'
const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf'

export interface Parameter {
  readonly name: string
  readonly in: 'query' | 'path'
  readonly type: 'string' | 'integer' | 'boolean'
}

/** A body or an answer: a definition, or plain text. */
export type Content = { readonly definition: string } | 'string'

export interface Operation {
  readonly method: 'get' | 'put' | 'post' | 'delete' | 'options' | 'head' | 'patch'
  readonly id: string
  readonly tag: string
  readonly action?: string
  readonly kind?: { readonly group: string; readonly version: string; readonly kind: string }
  readonly parameters: readonly Parameter[]
  readonly body?: {
    readonly definition: string
    readonly required: boolean
    readonly consumes: readonly string[]
  }
  /** Of the successful answers; 401 is always there. */
  readonly codes: readonly (200 | 201 | 202)[]
  readonly answer: Content
  readonly produces: readonly string[]
  /** Of requests without a body, which v2 states too. */
  readonly consumes: readonly string[]
}

export interface PathItem {
  readonly path: string
  readonly operations: readonly Operation[]
}

export const ENCODINGS = [JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE]
const STREAMS = [`${JSON_TYPE};stream=watch`, `${PROTOBUF_TYPE};stream=watch`]
const PATCHES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
]
const ANY = ['*/*']

const PRETTY = query('pretty')
const NAME: Parameter = { name: 'name', in: 'path', type: 'string' }
const NAMESPACE: Parameter = { name: 'namespace', in: 'path', type: 'string' }
const CHANGE = [query('dryRun'), query('fieldManager'), query('fieldValidation')]
const FORCE = query('force', 'boolean')
const PROXY_METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const

function query(name: string, type: Parameter['type'] = 'string'): Parameter {
  return { name, in: 'query', type }
}

/** The fields of an options kind as query parameters: those that upstream documents. */
function optionsOf(definition: string): Parameter[] {
  return (typeOf(definition)?.fields ?? []).flatMap(({ name, type }) => {
    const { kind } = type.kind === 'list' ? type.item : type
    if (name === 'kind' || name === 'apiVersion') return []
    return kind === 'string' || kind === 'integer' || kind === 'boolean' ? [query(name, kind)] : []
  })
}

function listOptions(): Parameter[] {
  return optionsOf(`${META}.ListOptions`)
}

/** DeleteOptions as a query. */
function deleteOptions(): Parameter[] {
  return optionsOf(`${META}.DeleteOptions`)
}

interface Target {
  readonly resource: ResourceRow
  readonly sub?: Subresource
  /** "AppsV1", "namespaced" or not, the kind and the subresource: the middle and end of operation ids. */
  readonly version: string
  readonly tag: string
  readonly noun: string
  /** Of the resource, without a name. */
  readonly path: string
  readonly base: readonly Parameter[]
  /** Content types of a patch; custom resources have no strategic merge. */
  readonly patches: readonly string[]
}

/** "rbac.authorization.k8s.io" is RbacAuthorization; the core group is Core. */
export function groupWords(group: string): string[] {
  return group === '' ? ['core'] : group.replace(/\.k8s\.io$/, '').split('.')
}

export function tagOf(group: string, version: string): string {
  const [first = '', ...rest] = groupWords(group)
  return `${first}${rest.map(capital).join('')}_${version}`
}

export function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1)
}

export function rootOf({ group, version }: { readonly group: string; readonly version: string }): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`
}

/** All paths of a resource, its subresources and, for built-in ones, the old watch paths. Unsorted. */
export function pathsOf(resource: ResourceRow, custom: boolean): PathItem[] {
  const target = targetOf(resource, custom)
  const items: PathItem[] = []
  const collection = collectionOperations(target)
  items.push({ path: target.path, operations: collection })
  const named = namedOperations(target)
  items.push({ path: `${target.path}/{name}`, operations: named })
  const has = (verb: string) => resource.verbs.includes(verb)
  if (resource.namespaced && has('list')) items.push(listEverywhere(target))
  if (has('watch') && !custom) items.push(...watchPaths(target))
  for (const sub of resource.subresources) items.push(...subresourcePaths(target, sub))
  return items.filter(({ operations }) => operations.length > 0)
}

function targetOf(resource: ResourceRow, custom: boolean): Target {
  const { group, version, name, namespaced, kind } = resource
  const root = rootOf(resource)
  return {
    resource,
    version: `${groupWords(group).map(capital).join('')}${capital(version)}`,
    tag: tagOf(group, version),
    noun: `${namespaced ? 'Namespaced' : ''}${kind}`,
    path: namespaced ? `${root}/namespaces/{namespace}/${name}` : `${root}/${name}`,
    base: namespaced ? [NAMESPACE, PRETTY] : [PRETTY],
    patches: custom ? PATCHES.filter((type) => !type.includes('strategic')) : PATCHES,
  }
}

/** What most operations have alike. */
function operation(
  target: Target,
  changes: Partial<Operation> & Pick<Operation, 'method' | 'id' | 'action'>,
): Operation {
  const { resource, sub } = target
  const { group, version, kind, definition } = sub ?? resource
  return {
    tag: target.tag,
    kind: { group, version, kind },
    parameters: [],
    codes: [200],
    answer: { definition },
    produces: ENCODINGS,
    consumes: ANY,
    ...changes,
  }
}

function collectionOperations(target: Target): Operation[] {
  const { resource, noun, version, base } = target
  const has = (verb: string) => resource.verbs.includes(verb)
  const operations: Operation[] = []
  if (has('list')) {
    operations.push(
      operation(target, {
        method: 'get',
        action: 'list',
        id: `list${version}${noun}`,
        parameters: [...base, ...listOptions()],
        answer: { definition: listDefinition(resource) },
        produces:
          has('watch') || resource.name === 'componentstatuses' ? [...ENCODINGS, ...STREAMS] : ENCODINGS,
      }),
    )
  }
  if (has('create')) operations.push(createOperation(target, base))
  if (has('deletecollection')) {
    const own = deleteOptions()
    operations.push(
      operation(target, {
        method: 'delete',
        action: 'deletecollection',
        id: `delete${version}Collection${noun}`,
        parameters: [
          ...base,
          ...own,
          ...listOptions().filter(({ name }) => name !== 'allowWatchBookmarks' && name !== 'watch'),
        ],
        body: { definition: `${META}.DeleteOptions`, required: false, consumes: ANY },
        answer: { definition: `${META}.Status` },
      }),
    )
  }
  return operations
}

function listDefinition({ definition, kind, listKind }: ResourceRow): string {
  return definition.slice(0, definition.length - kind.length) + listKind
}

function createOperation(target: Target, base: readonly Parameter[]): Operation {
  const { definition } = target.sub ?? target.resource
  return operation(target, {
    method: 'post',
    action: 'post',
    id: `create${target.version}${target.noun}`,
    parameters: [...base, ...CHANGE],
    body: { definition, required: true, consumes: ANY },
    codes: [200, 201, 202],
  })
}

function namedOperations(target: Target): Operation[] {
  const { resource, version, noun } = target
  const operations = changeOperations(target, resource.verbs)
  if (resource.verbs.includes('delete')) {
    operations.push(
      operation(target, {
        method: 'delete',
        action: 'delete',
        id: `delete${version}${noun}`,
        parameters: [NAME, ...target.base, ...deleteOptions()],
        body: { definition: `${META}.DeleteOptions`, required: false, consumes: ANY },
        codes: [200, 202],
        answer: {
          definition: resource.deleteReturnsObject === true ? resource.definition : `${META}.Status`,
        },
      }),
    )
  }
  return operations
}

/** get, put and patch of an object or of a subresource. */
function changeOperations(target: Target, verbs: readonly string[]): Operation[] {
  const { version, noun, patches } = target
  const parameters = [NAME, ...target.base]
  const { definition } = target.sub ?? target.resource
  const operations: Operation[] = []
  if (verbs.includes('get')) {
    operations.push(
      operation(target, { method: 'get', action: 'get', id: `read${version}${noun}`, parameters }),
    )
  }
  if (verbs.includes('update')) {
    operations.push(
      operation(target, {
        method: 'put',
        action: 'put',
        id: `replace${version}${noun}`,
        parameters: [...parameters, ...CHANGE],
        body: { definition, required: true, consumes: ANY },
        codes: [200, 201],
      }),
    )
  }
  if (verbs.includes('patch')) {
    operations.push(
      operation(target, {
        method: 'patch',
        action: 'patch',
        id: `patch${version}${noun}`,
        parameters: [...parameters, ...CHANGE, FORCE],
        body: { definition: `${META}.Patch`, required: true, consumes: patches },
        codes: [200, 201],
      }),
    )
  }
  return operations
}

function listEverywhere(target: Target): PathItem {
  const { resource, version } = target
  return {
    path: `${rootOf(resource)}/${resource.name}`,
    operations: [
      operation(target, {
        method: 'get',
        action: 'list',
        id: `list${version}${resource.kind}ForAllNamespaces`,
        parameters: [PRETTY, ...listOptions()],
        answer: { definition: listDefinition(resource) },
        produces: [...ENCODINGS, ...STREAMS],
      }),
    ],
  }
}

/** Kept by upstream for old clients: /watch before the resource is ?watch=true. */
function watchPaths(target: Target): PathItem[] {
  const { resource, version, noun, base } = target
  const root = rootOf(resource)
  const watch = (path: string, id: string, action: string, parameters: readonly Parameter[]): PathItem => ({
    path: path.replace(root, `${root}/watch`),
    operations: [
      operation(target, {
        method: 'get',
        action,
        id: `watch${version}${id}`,
        parameters: [...parameters, ...listOptions()],
        answer: { definition: `${META}.WatchEvent` },
        produces: [...ENCODINGS, ...STREAMS],
      }),
    ],
  })
  const items = [watch(target.path, `${noun}List`, 'watchlist', base)]
  if (resource.verbs.includes('get'))
    items.push(watch(`${target.path}/{name}`, noun, 'watch', [NAME, ...base]))
  if (resource.namespaced) {
    items.push(
      watch(`${root}/${resource.name}`, `${resource.kind}ListForAllNamespaces`, 'watchlist', [PRETTY]),
    )
  }
  return items
}

function subresourcePaths(parent: Target, sub: Subresource): PathItem[] {
  const target: Target = { ...parent, sub, noun: `${parent.noun}${capital(sub.name)}` }
  const path = `${parent.path}/{name}/${sub.name}`
  if (sub.kind.endsWith('Options')) return connectPaths(target, path, sub)
  const parameters = [NAME, ...target.base]
  const operations = changeOperations(target, sub.verbs)
  if (sub.verbs.includes('create')) operations.push(createOperation(target, parameters))
  if (sub.name === 'log') return [{ path, operations: operations.map(logOperation) }]
  return [{ path, operations }]
}

/** The one subresource that answers with text; its options are no kind of its own in discovery. */
function logOperation(read: Operation): Operation {
  return {
    ...read,
    parameters: [...read.parameters, ...optionsOf('io.k8s.api.core.v1.PodLogOptions')],
    answer: 'string',
    produces: ['text/plain', ...ENCODINGS],
  }
}

function connectPaths(target: Target, path: string, sub: Subresource): PathItem[] {
  const proxy = sub.verbs.includes('delete')
  const base = target.base.filter(({ name }) => name !== 'pretty')
  const connect = (suffix: string, extra: readonly Parameter[]) =>
    (proxy ? PROXY_METHODS : (['get', 'post'] as const)).map((method) =>
      operation(target, {
        method,
        action: 'connect',
        id: `connect${target.version}${capital(method)}${target.noun}${suffix}`,
        parameters: [NAME, ...base, ...extra, ...optionsOf(sub.definition)],
        answer: 'string',
        produces: ANY,
      }),
    )
  const items = [{ path, operations: connect('', []) }]
  if (!proxy) return items
  const rest: Parameter = { name: 'path', in: 'path', type: 'string' }
  return [...items, { path: `${path}/{path}`, operations: connect('WithPath', [rest]) }]
}
