// The requests: a place, a method, options, headers and a body, each odd in its turn. Number `index` of a seed is
// always the same request.
import { type Body, deleteBody, objectBody, patchBody } from './bodies.ts'
import { allKinds, collectionPath, type Kind, NAMES, NAMESPACES, storedKinds } from './objects.ts'
import { headersOf } from './headers.ts'
import { type Choices, LIST_OPTIONS, options, targetOf, WRITE_OPTIONS } from './options.ts'
import { Random } from './random.ts'

export interface FuzzRequest {
  readonly index: number
  readonly method: string
  /** Path and query, as they go over the wire. */
  readonly target: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Buffer | undefined
  /** `cut`: the body breaks off and the connection goes; `drop`: the client leaves when the answer begins. */
  readonly manner: 'whole' | 'cut' | 'drop'
}

/** What each kind of request is drawn by. */
interface Draft {
  readonly method: string
  readonly path: string
  readonly query: readonly (readonly [string, string])[]
  readonly body?: Body
}

export function requestOf(seed: number, index: number): FuzzRequest {
  const random = new Random(seed, index)
  const draft = random.weighted<(random: Random) => Draft>([
    [26, writeDraft],
    [22, patchDraft],
    [18, readDraft],
    [6, deleteDraft],
    [8, watchDraft],
    [6, pathDraft],
    [5, siteDraft],
    [4, reviewDraft],
    [4, subresourceDraft],
  ])(random)
  const target = targetOf(draft.path, draft.query, random)
  const cut = draft.body !== undefined && draft.body.bytes.length > 1 && random.chance(0.04)
  return {
    index,
    method: random.chance(0.02) ? random.pick(METHODS) : draft.method,
    target,
    headers: headersOf(draft.body, random),
    body: draft.body?.bytes,
    manner: cut ? 'cut' : isWatch(target) ? 'drop' : 'whole',
  }
}

/** What the server may take for a watch, which does not end by itself. */
const isWatch = (target: string): boolean => /[?&]watch|\/watch\//.test(target)

const METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'SEARCH']

const somewhere = (random: Random): string => random.pick(NAMESPACES)
const anyKind = (random: Random): Kind => random.pick(random.chance(0.7) ? storedKinds() : allKinds())
const nameOf = (random: Random): string =>
  random.chance(0.85) ? random.pick(NAMES) : random.pick(ODD_SEGMENTS)

function writeDraft(random: Random): Draft {
  const kind = anyKind(random)
  const path = collectionPath(kind, somewhere(random))
  const body = objectBody(kind, random)
  const query = random.chance(0.3) ? options(WRITE_OPTIONS, random) : []
  if (random.chance(0.6)) return { method: 'POST', path, query, body }
  return { method: 'PUT', path: `${path}/${nameOf(random)}`, query, body }
}

function patchDraft(random: Random): Draft {
  const kind = random.chance(0.9) ? random.pick(storedKinds()) : anyKind(random)
  const path = `${collectionPath(kind, somewhere(random))}/${nameOf(random)}`
  const query = random.chance(0.3) ? options(WRITE_OPTIONS, random) : []
  return { method: 'PATCH', path, query, body: patchBody(kind, random) }
}

function readDraft(random: Random): Draft {
  const kind = anyKind(random)
  const collection = collectionPath(kind, random.chance(0.8) ? somewhere(random) : '')
  const path = random.chance(0.5) ? `${collection}/${nameOf(random)}` : collection
  return { method: 'GET', path, query: options(LIST_OPTIONS, random) }
}

function deleteDraft(random: Random): Draft {
  const kind = random.pick(storedKinds())
  const collection = collectionPath(kind, somewhere(random))
  const one = random.chance(0.8)
  const query = options(random.chance(0.5) ? WRITE_OPTIONS : LIST_OPTIONS, random)
  const path = one ? `${collection}/${nameOf(random)}` : collection
  return random.chance(0.5)
    ? { method: 'DELETE', path, query }
    : { method: 'DELETE', path, query, body: deleteBody(kind, random) }
}

function watchDraft(random: Random): Draft {
  const kind = anyKind(random)
  const watch: [string, string] = ['watch', random.pick(['true', '1', 'TRUE', 't', 'yes', ''])]
  const path = collectionPath(kind, random.chance(0.8) ? somewhere(random) : '')
  const old = random.chance(0.1) ? path.replace(/^(\/apis?\/(?:[^/]+\/)?[^/]+)/, '$1/watch') : path
  return { method: 'GET', path: old, query: [watch, ...options(LIST_OPTIONS, random)] }
}

const ODD_SEGMENTS = [
  '%00',
  '%2e%2e',
  '..',
  '.',
  '',
  '%2f',
  '%2F..%2F',
  '%',
  '%zz',
  '%c3%28',
  '%ff%fe',
  '%ed%a0%80',
  '%e2%80%ae',
  'a%20b',
  'A',
  'a_b',
  '__proto__',
  'constructor',
  'toString',
  'x'.repeat(254),
  'x'.repeat(3000),
  '%25%32%65',
  ';',
  'a;b=c',
  ':',
  '*',
  '@',
  '$',
  '\\',
  'a..b',
  '~',
  '%0d%0aX-Injected:%201',
  'namespaces',
  'watch',
  'proxy',
  'status',
]

/** A path with odd segments in odd places. */
function pathDraft(random: Random): Draft {
  const kind = anyKind(random)
  const parts = `${collectionPath(kind, somewhere(random))}/${random.pick(NAMES)}`.split('/')
  for (let n = 1 + random.int(2); n > 0; n--) {
    const at = 1 + random.int(parts.length)
    parts.splice(at, random.int(2), random.pick(ODD_SEGMENTS))
  }
  const path = random.chance(0.1) ? random.pick(ODD_TARGETS) : parts.join('/')
  return { method: random.pick(['GET', 'GET', 'PUT', 'DELETE', 'POST']), path, query: [] }
}

const ODD_TARGETS = [
  '//',
  '/api',
  '/apis/',
  '/api/v1/',
  '/apis/apps',
  '/apis/nope/v1/x',
  `/${'a/'.repeat(3000)}`,
]

/** All but the dearest documents, which are asked for now and then. */
const SITE = [
  '/',
  '/api',
  '/apis',
  '/api/v1',
  '/apis/apps',
  '/apis/apps/v1',
  '/version',
  '/healthz',
  '/livez',
  '/readyz',
  '/readyz/ping',
  '/livez/nope',
  '/openapi/v3',
  '/openapi/v3/api/v1',
  '/openapi/v3/apis/apps/v1',
  '/openapi/v3/nope',
  '/.well-known/openid-configuration',
  '/openid/v1/jwks',
  '/metrics',
  '/favicon.ico',
  '/logs',
  '/debug/pprof',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/api/v1%00',
  '/%',
  '/healthz/%zz',
  '/openapi/v3/%ff',
  '/version//',
]

function siteDraft(random: Random): Draft {
  const method = random.chance(0.8) ? 'GET' : random.pick(METHODS)
  if (random.chance(0.02)) return { method, path: '/openapi/v2', query: [] }
  const keys: Choices = {
    verbose: ['', '1'],
    exclude: ['etcd', 'x', ''],
    hash: ['x', ''],
    timeout: ['1s', 'x'],
  }
  return { method, path: random.pick(SITE), query: random.chance(0.3) ? options(keys, random) : [] }
}

/** Kinds that are asked and not stored. */
function reviewDraft(random: Random): Draft {
  const kind = random.pick(allKinds().filter((one) => one.resource.verbs.join() === 'create'))
  const path = collectionPath(kind, somewhere(random))
  return { method: 'POST', path, query: options(WRITE_OPTIONS, random), body: objectBody(kind, random) }
}

const SUBRESOURCE_METHODS = ['GET', 'PUT', 'PATCH', 'POST', 'DELETE']

function subresourceDraft(random: Random): Draft {
  const kind = random.pick(allKinds().filter((one) => one.resource.subresources.length > 0))
  const { name } = random.pick(kind.resource.subresources)
  const path = `${collectionPath(kind, somewhere(random))}/${random.pick(NAMES)}/${name}`
  const method = random.pick(SUBRESOURCE_METHODS)
  const query = options(WRITE_OPTIONS, random)
  if (method === 'GET' || method === 'DELETE') return { method, path, query }
  return {
    method,
    path,
    query,
    body: method === 'PATCH' ? patchBody(kind, random) : objectBody(kind, random),
  }
}
