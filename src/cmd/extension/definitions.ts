// CustomResourceDefinitions at work: what they define is served from the moment that their names are accepted; their
// status is kept; those that are deleted take their objects with them. What it needs is loaded with the first definition.
// Follows k8s.io/apiextensions-apiserver/pkg/apiserver and pkg/controller (status, establish, finalizer).
import type { CacheEvent } from '../../storage/cache/history.ts'
import { definitionsScope, type DefinitionParts } from './definition-parts.ts'
import type { DefinitionWork } from './definition-work.ts'
import type { Registrations } from './registrations.ts'
import { hasRegistered } from './registrations-start.ts'

export class Definitions {
  readonly #parts: DefinitionParts
  #work: Promise<DefinitionWork> | undefined
  #loaded: DefinitionWork | undefined
  #registrations: Registrations | undefined
  #unsubscribe: (() => void) | undefined

  constructor(parts: DefinitionParts) {
    this.#parts = parts
  }

  /** Resolves when everything is served that was defined before. */
  async begin(): Promise<void> {
    const { cache } = definitionsScope(this.#parts.scopes)
    await cache.ready()
    this.#unsubscribe = cache.subscribe((events) => this.#changed(events))
    const known = cache.index.entries(undefined)
    if (known.length) (await this.#load()).begin(known)
    else if (hasRegistered(this.#parts.scopes)) await this.#register()
  }

  #changed(events: readonly CacheEvent[]): void {
    if (events.length === 0) return
    if (this.#loaded) return this.#loaded.changed(events)
    this.#load().then(
      (work) => work.changed(events),
      (error: unknown) =>
        this.#parts.log.error({ error: String(error) }, 'what serves custom resources could not be loaded'),
    )
  }

  #load(): Promise<DefinitionWork> {
    this.#work ??= import('./definition-work.ts').then(async (module) => {
      const work = new module.DefinitionWork(this.#parts)
      await this.#register()
      this.#loaded = work
      return work
    })
    return this.#work
  }

  async #register(): Promise<void> {
    const { Registrations } = await import('./registrations.ts')
    this.#registrations = new Registrations(this.#parts)
  }

  async stop(): Promise<void> {
    this.#unsubscribe?.()
    this.#registrations?.stop()
    await this.#loaded?.stop()
  }
}
