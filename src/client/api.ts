// The verbs of the API as calls: objects in, objects out, refusals as StatusError.
// Follows k8s.io/client-go/dynamic and rest/request.go.
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import { type Status, StatusError } from '../machinery/status.ts'
import { SYSTEM_CLOCK } from './clock.ts'
import type { DeleteOptions } from './kinds/meta.v1.gen.ts'
import { apiVersionOfResource, type ApiObject, type ObjectList, pathOf, type Resource } from './resource.ts'
import type { SharedObjects } from './sharedobjects.ts'
import type { ClientRequest, ClientResponse, Transport } from './transport.ts'
import { type WatchEvent, watchEvents } from './watchevents.ts'

const JSON_TYPE = 'application/json'
/** What objects and lists of them are asked for as. */
interface Accepted {
  readonly object: string
  readonly list: string
}
const WHOLE: Accepted = { object: JSON_TYPE, list: JSON_TYPE }
const METADATA: Accepted = {
  object: `application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,${JSON_TYPE}`,
  list: `application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,${JSON_TYPE}`,
}

/** How often a request is sent again, as client-go does. */
const MAX_RETRIES = 10

/** Media types of patches. */
export const PATCH_TYPES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const

export interface Place {
  readonly namespace?: string | undefined
  readonly name: string
  readonly subresource?: string
}

export interface ListOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly limit?: number
  readonly continue?: string
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan'
}

export interface WatchOptions extends ListOptions {
  readonly sendInitialEvents?: boolean
  readonly allowWatchBookmarks?: boolean
  readonly timeoutSeconds?: number
}

export interface PatchOptions {
  readonly type: keyof typeof PATCH_TYPES
  readonly force?: boolean
  /** Needed where the type is apply. */
  readonly fieldManager?: string
}

/** One user's view of one API server. */
export class Api {
  readonly #transport: Transport
  readonly #userAgent: string
  readonly #accept: Accepted
  readonly #objects: SharedObjects | undefined

  /**
   * `userAgent` is what managed fields and audit logs name: "kube-controller-manager/v1.36.3 (linux/amd64)". `objects`:
   * what others in the process watch, too.
   */
  constructor(
    transport: Transport,
    userAgent: string,
    { objects, accept = WHOLE }: { readonly objects?: SharedObjects; readonly accept?: Accepted } = {},
  ) {
    this.#transport = transport
    this.#userAgent = userAgent
    this.#accept = accept
    this.#objects = objects
  }

  /** The same, of whose objects only the metadata comes. */
  metadataOnly(): Api {
    return new Api(this.#transport, this.#userAgent, { accept: METADATA })
  }

  get<T extends ApiObject>(resource: Resource<T>, place: Place): Promise<T> {
    return this.#call('GET', placePath(resource, place)) as Promise<T>
  }

  async list<T extends ApiObject>(resource: Resource<T>, options: ListOptions = {}): Promise<ObjectList<T>> {
    const path = `${pathOf(resource, options.namespace)}${queryOf(options)}`
    const found = (await this.#call('GET', path, this.#accept.list)) as unknown as ObjectList<T>
    // Go's servers write lists of metadata that are empty as null.
    return found.items === null ? { ...found, items: [] } : found
  }

  /** apiVersion and kind are filled in. */
  create<T extends ApiObject>(resource: Resource<T>, object: T, subresource?: string): Promise<T> {
    const { namespace, name } = object.metadata
    const more = subresource === undefined ? [] : [name ?? '', subresource]
    return this.#write('POST', pathOf(resource, namespace, ...more), typed(resource, object)) as Promise<T>
  }

  update<T extends ApiObject>(resource: Resource<T>, object: T, subresource?: string): Promise<T> {
    const { namespace, name = '' } = object.metadata
    const path = pathOf(resource, namespace, name, ...(subresource ? [subresource] : []))
    return this.#write('PUT', path, typed(resource, object)) as Promise<T>
  }

  updateStatus<T extends ApiObject>(resource: Resource<T>, object: T): Promise<T> {
    return this.update(resource, object, 'status')
  }

  patch<T extends ApiObject>(
    resource: Resource<T>,
    place: Place,
    body: Json,
    options: PatchOptions,
  ): Promise<T> {
    const { type, ...query } = options
    const path = placePath(resource, place) + queryOf(query)
    return this.#write('PATCH', path, body, PATCH_TYPES[type]) as Promise<T>
  }

  /** Any body to any subresource: evictions, bindings, scales, tokens. */
  post(resource: Resource, place: Place, body: Json): Promise<JsonObject> {
    return this.#write('POST', placePath(resource, place), body)
  }

  /** Any body in the place of what is there, of whatever kind it is: scales. */
  put(resource: Resource, place: Place, body: object): Promise<JsonObject> {
    return this.#write('PUT', placePath(resource, place), body)
  }

  delete(resource: Resource, place: Place, options: DeleteOptions = {}): Promise<JsonObject> {
    return this.#write('DELETE', placePath(resource, place), deleteBody(options))
  }

  deleteCollection(resource: Resource, list: ListOptions, options: DeleteOptions = {}): Promise<JsonObject> {
    return this.#write('DELETE', `${pathOf(resource, list.namespace)}${queryOf(list)}`, deleteBody(options))
  }

  /** Any path: discovery, metrics, health. */
  raw(path: string, accept?: string): Promise<JsonObject> {
    return this.#call('GET', path, accept)
  }

  /** Ends when the server ends it or the signal aborts; rejects with StatusError where the server refuses or reports an error. */
  async *watch<T extends ApiObject>(
    resource: Resource<T>,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    const path = `${pathOf(resource, options.namespace)}${queryOf(options, 'true')}`
    const response = await this.#transport.send({ method: 'GET', path, headers: this.#headers(), signal })
    if (response.status !== 200) throw await refusal(response)
    yield* watchEvents<T>(response.chunks(), this.#objects)
  }

  async #call(method: string, path: string, accept = this.#accept.object): Promise<JsonObject> {
    const headers = { ...this.#headers(), accept }
    return answer(await this.#send({ method, path, headers }))
  }

  async #write(method: string, path: string, body: unknown, type: string = JSON_TYPE): Promise<JsonObject> {
    const headers = { 'content-type': type, ...this.#headers() }
    return answer(await this.#send({ method, path, headers, body: Buffer.from(JSON.stringify(body)) }))
  }

  /** Again where the server says when: it had no room, and has done nothing. */
  async #send(request: ClientRequest): Promise<ClientResponse> {
    for (let retries = 0; ; retries++) {
      const response = await this.#transport.send(request)
      const wait = response.status === 429 ? Number(response.headers['retry-after']) : NaN
      if (!(wait >= 0) || retries >= MAX_RETRIES) return response
      await response.body()
      await new Promise<void>((resolve) => SYSTEM_CLOCK.after(wait * 1000, resolve))
    }
  }

  #headers(): Record<string, string> {
    return { accept: this.#accept.object, 'user-agent': this.#userAgent }
  }
}

const placePath = (resource: Resource, { namespace, name, subresource }: Place): string =>
  pathOf(resource, namespace, name, ...(subresource ? [subresource] : []))

const typed = <T extends ApiObject>(resource: Resource<T>, object: T): T =>
  Object.assign({}, object, { apiVersion: apiVersionOfResource(resource), kind: resource.kind })

const deleteBody = (options: DeleteOptions): DeleteOptions => ({
  ...options,
  kind: 'DeleteOptions',
  apiVersion: 'v1',
})

function queryOf({ namespace: _, ...options }: WatchOptions & Partial<PatchOptions>, watch?: string): string {
  const query = new URLSearchParams(watch === undefined ? {} : { watch })
  for (const [name, value] of Object.entries(options)) if (value !== undefined) query.set(name, String(value))
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}

async function answer(response: ClientResponse): Promise<JsonObject> {
  if (response.status >= 300) throw await refusal(response)
  return JSON.parse((await response.body()).toString()) as JsonObject
}

/** What an answer says that is no success. Servers in front of the API may answer with anything. */
export async function refusal(response: ClientResponse): Promise<StatusError> {
  const text = (await response.body()).toString()
  return refusalOf(response.status, text)
}

function refusalOf(code: number, text: string): StatusError {
  try {
    const status = JSON.parse(text) as Json
    if (isObject(status) && status['kind'] === 'Status') return statusError(status as unknown as Status, code)
  } catch {
    // No JSON: the text is all there is.
  }
  return new StatusError({ code, message: text.slice(0, 500) || `the server answered ${code}` })
}

/** A Status as the error that it tells of. */
export function statusError(status: Status, code = 500): StatusError {
  return new StatusError({
    code: status.code ?? code,
    message: status.message ?? '',
    ...(status.reason ? { reason: status.reason } : {}),
    ...(status.details ? { details: status.details } : {}),
  })
}

const hasReason =
  (reason: string) =>
  (error: unknown): boolean =>
    error instanceof StatusError && error.reason === reason

export const isNotFound = hasReason('NotFound')
export const isConflict = hasReason('Conflict')
export const isAlreadyExists = hasReason('AlreadyExists')
/** The version that a watch or list asked for is forgotten: list again. */
export const isGone = (error: unknown): boolean => error instanceof StatusError && error.code === 410

/** Nothing can be made in this namespace any more. */
export const isTerminating = (error: unknown): boolean =>
  error instanceof StatusError &&
  (error.status.details?.causes ?? []).some(({ reason }) => reason === 'NamespaceTerminating')
