// Content negotiation: which of the encodings, and which transformation, an Accept header asks for.
// Follows k8s.io/apiserver/pkg/endpoints/handlers/negotiation, and go-restful's check of Accept before it.
import { notAcceptable, StatusError } from '../machinery/status.ts'
import type { Accept } from '../handlers/request.ts'

const MEDIA_TYPES = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/vnd.kubernetes.protobuf': 'protobuf',
} as const
export const ACCEPTED = Object.keys(MEDIA_TYPES)
const STREAMS = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch']

/** Headers are short; more clauses than this are noise. */
const MAX_CLAUSES = 64
/** Answers to distinct headers that are remembered. */
const MAX_REMEMBERED = 256
/** Longer headers are read each time: clients choose them, and no client's usual one comes near. */
const MAX_REMEMBERED_LENGTH = 512

interface Clause {
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
  readonly quality: number
}

/** Who answers: what go-restful routes refuses headers by itself, and a list may become a stream. */
export type Answerer = 'object' | 'list' | 'custom' | 'routed document' | 'document'

const JSON_ACCEPT: Accept = { encoding: 'json', as: undefined, asVersion: '', pretty: false }
const remembered: Readonly<Record<Answerer, Map<string, Accept>>> = {
  object: new Map(),
  list: new Map(),
  custom: new Map(),
  'routed document': new Map(),
  document: new Map(),
}

/** What the header asks for; throws 406 where nothing here satisfies it. */
export function negotiate(header: string | undefined, answerer: Answerer): Accept {
  if (header === undefined || header === '' || header === 'application/json') return JSON_ACCEPT
  const known = remembered[answerer].get(header)
  if (known) return known
  const accept = read(header, answerer)
  if (remembered[answerer].size < MAX_REMEMBERED && header.length <= MAX_REMEMBERED_LENGTH)
    remembered[answerer].set(header, accept)
  return accept
}

/** The same for errors, which are never hidden behind what the client accepts: as JSON where nothing fits. */
export function negotiateError(header: string | undefined): Accept {
  try {
    return negotiate(header, 'document')
  } catch (error) {
    if (error instanceof StatusError) return JSON_ACCEPT
    throw error
  }
}

function read(header: string, answerer: Answerer): Accept {
  const clauses = clausesOf(header)
  const isRouted = answerer !== 'custom' && answerer !== 'document'
  if (isRouted && !clauses.some((c) => c.type === '*/*' || Object.hasOwn(MEDIA_TYPES, c.type)))
    throw unavailable(answerer === 'list' ? [...ACCEPTED, ...STREAMS] : ACCEPTED)
  const isDocument = answerer === 'document' || answerer === 'routed document'
  for (const clause of [...clauses].sort((a, b) => b.quality - a.quality)) {
    const accept = accepted(clause)
    if (accept && !(accept.as && isDocument)) return accept
  }
  throw notAcceptable(`only the following media types are accepted: ${ACCEPTED.join(', ')}`)
}

function unavailable(produced: readonly string[]): StatusError {
  const message = `406: Not Acceptable\n\nAvailable representations: ${produced.join(', ')}`
  return new StatusError({ code: 406, reason: 'NotAcceptable', message, details: {} })
}

function clausesOf(header: string): Clause[] {
  return header
    .split(',', MAX_CLAUSES)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const [type = '', ...rest] = part.split(';').map((p) => p.trim())
      const parameters = new Map(rest.map((p) => [p.split('=')[0] as string, p.slice(p.indexOf('=') + 1)]))
      const q = Number(parameters.get('q') ?? '1')
      return { type, parameters, quality: Number.isNaN(q) ? 1 : q }
    })
}

function accepted(clause: Clause): Accept | undefined {
  const [main, sub] = clause.type.split('/')
  const name =
    ACCEPTED.find((t) => t === clause.type) ??
    (sub === '*' && (main === '*' || main === 'application') ? 'application/json' : undefined)
  if (name === undefined) return undefined
  const encoding = MEDIA_TYPES[name as keyof typeof MEDIA_TYPES]
  const { parameters } = clause
  const stream = parameters.get('stream')
  if (stream && (stream !== 'watch' || encoding === 'yaml')) return undefined
  const pretty = parameters.get('pretty') === '1'
  const as = parameters.get('as')
  if (as === undefined && !parameters.has('g') && !parameters.has('v'))
    return { encoding, as: undefined, asVersion: '', pretty }
  const asVersion = parameters.get('v') ?? ''
  if (parameters.get('g') !== 'meta.k8s.io' || (asVersion !== 'v1' && asVersion !== 'v1beta1'))
    return undefined
  if (as === 'Table') return encoding === 'protobuf' ? undefined : { encoding, as, asVersion, pretty }
  if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList')
    return { encoding, as, asVersion, pretty }
  return undefined
}
