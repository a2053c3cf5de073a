// Shared informers: one list and watch per resource for everybody in a process, whose copy they read and whose changes
// they hear of. Follows k8s.io/client-go/tools/cache/shared_informer.go and informers/factory.go.
import type { Api } from './api.ts'
import type { Clock } from './clock.ts'
import { type Copy, reflect } from './reflector.ts'
import { type ApiObject, keyOf, type Resource } from './resource.ts'
import { type IndexBy, type Reader, Store } from './store.ts'

/** Hears of changes, after the copy has them. What it throws is a defect and ends nothing. */
export interface Handler<T> {
  added?(object: T): void
  updated?(object: T, before: T): void
  deleted?(object: T): void
}

export interface InformerLog {
  warn(details: object, message: string): void
  error(details: object, message: string): void
}

export interface InformerOptions {
  readonly api: Api
  readonly clock: Clock
  readonly log: InformerLog
}

export class Informer<T extends ApiObject> {
  readonly resource: Resource<T>
  readonly #options: InformerOptions
  readonly #store = new Store<T>()
  readonly #handlers: Handler<T>[] = []
  #running: Promise<void> | undefined
  #isSynced = false
  #synced: () => void = () => undefined
  /** Resolves when the copy is whole for the first time. */
  readonly synced = new Promise<void>((resolve) => (this.#synced = resolve))

  constructor(resource: Resource<T>, options: InformerOptions) {
    this.resource = resource
    this.#options = options
  }

  get reader(): Reader<T> {
    return this.#store
  }

  get hasSynced(): boolean {
    return this.#isSynced
  }

  index(name: string, by: IndexBy<T>): this {
    this.#store.index(name, by)
    return this
  }

  /** One that comes late hears of everything that is there as added. */
  handle(handler: Handler<T>): this {
    this.#handlers.push(handler)
    for (const object of this.#store.list()) this.#tell(() => handler.added?.(object))
    return this
  }

  /** Begins once; resolves when the signal has aborted and all is quiet. */
  run(signal: AbortSignal): Promise<void> {
    const { api, clock, log } = this.#options
    const { resource } = this
    const failed = (error: unknown): void =>
      log.warn(
        { resource: resource.resource, error: String(error) },
        'a watch failed; it will be tried again',
      )
    this.#running ??= reflect({ api, resource, clock, failed }, this.#copy(), signal)
    return this.#running
  }

  #copy(): Copy<T> {
    return {
      set: (object) => this.#set(slim(object)),
      remove: (object) => this.#remove(keyOf(object), object),
      replace: (objects) => {
        for (const key of [...this.#store.keys()]) if (!objects.has(key)) this.#remove(key)
        for (const object of objects.values()) this.#set(slim(object))
        this.#isSynced = true
        this.#synced()
      },
    }
  }

  #set(object: T): void {
    const before = this.#store.get(keyOf(object))
    if (before !== undefined && before.metadata.resourceVersion === object.metadata.resourceVersion) return
    // Another object of the same name: the one that it replaced is gone, whether or not that was seen.
    if (before !== undefined && before.metadata.uid !== object.metadata.uid) this.#remove(keyOf(object))
    const replaced = this.#store.set(object)
    for (const handler of this.#handlers) {
      this.#tell(() =>
        replaced === undefined ? handler.added?.(object) : handler.updated?.(object, replaced),
      )
    }
  }

  /** `last` is the object as it was when it went; unknown where the deletion was missed. */
  #remove(key: string, last?: T): void {
    const removed = this.#store.remove(key)
    const object = last ?? removed
    if (removed === undefined || object === undefined) return
    for (const handler of this.#handlers) this.#tell(() => handler.deleted?.(object))
  }

  #tell(call: () => void): void {
    try {
      call()
    } catch (error) {
      const details = {
        resource: this.resource.resource,
        error: error instanceof Error ? error.stack : String(error),
      }
      this.#options.log.error(details, 'a handler of changes failed')
    }
  }
}

/** Who owns which field matters to nobody here, and is a third of many objects; upstream's managers drop it, too. */
function slim<T extends ApiObject>(object: T): T {
  delete object.metadata.managedFields
  return object
}

/** The informers of one process. */
export class Informers {
  readonly #options: InformerOptions
  readonly #informers = new Map<string, Informer<ApiObject>>()
  #signal: AbortSignal | undefined

  constructor(options: InformerOptions) {
    this.#options = options
  }

  /** The one informer of this resource; begun at once where the others are running. */
  of<T extends ApiObject>(resource: Resource<T>): Informer<T> {
    const key = keyOfResource(resource)
    let informer = this.#informers.get(key)
    if (!informer) {
      informer = new Informer<ApiObject>(resource as Resource, this.#options)
      this.#informers.set(key, informer)
      if (this.#signal) void informer.run(this.#signal)
    }
    return informer as unknown as Informer<T>
  }

  /** Whether somebody has asked for this one. */
  has(resource: Resource): boolean {
    return this.#informers.has(keyOfResource(resource))
  }

  /** Begins all; resolves when every copy is whole. */
  async start(signal: AbortSignal): Promise<void> {
    this.#signal = signal
    const all = [...this.#informers.values()]
    for (const informer of all) void informer.run(signal)
    await Promise.all(all.map((informer) => informer.synced))
  }
}

const keyOfResource = ({ group, version, resource }: Resource): string => `${group}/${version}/${resource}`
