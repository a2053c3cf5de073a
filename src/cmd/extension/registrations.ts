// The APIServices of custom resources: each served version of a definition's group has one, as long as there is a
// definition with it. Loaded with the first definition.
// Follows k8s.io/kubernetes/pkg/controlplane/controller/crdregistration and
// k8s.io/kube-aggregator/pkg/controllers/autoregister (objects that are managed "true").
import { setTimeout as sleep } from 'node:timers/promises'
import type { Scope } from '../../handlers/scope.ts'
import { CUSTOM_PRIORITY, MANAGED_LABEL } from '../../machinery/apiregistration.ts'
import { isObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { Entry } from '../../storage/cache/entry.ts'
import type { CacheEvent } from '../../storage/cache/history.ts'
import { builtinScope } from './aggregation-parts.ts'
import { apiServiceObject } from '../apiserver/bootstrap-objects.ts'
import { definitionsScope, type DefinitionParts } from './definition-parts.ts'
import { removeInternal, writeInternal } from '../apiserver/internal.ts'
import { overwrite, sameSpec } from './registrations-start.ts'

/** After a failure. */
const AGAIN_MS = 1000

export class Registrations {
  readonly #parts: Pick<DefinitionParts, 'scopes' | 'log'>
  readonly #scope: Scope
  /** What is wanted, by name, with the definitions that want it. */
  readonly #wanted = new Map<string, { readonly object: KubeObject; readonly by: Set<string> }>()
  /** What each definition wants. */
  readonly #byDefinition = new Map<string, readonly string[]>()
  /** Names that are looked after at the moment; true: look again when that is done. */
  readonly #busy = new Map<string, boolean>()
  readonly #unsubscribe: (() => void)[]
  readonly #ended = new AbortController()

  constructor(parts: Pick<DefinitionParts, 'scopes' | 'log'>) {
    this.#parts = parts
    this.#scope = builtinScope(parts.scopes, 'apiregistration.k8s.io', 'apiservices')
    const definitions = definitionsScope(parts.scopes).cache
    const { cache } = this.#scope
    this.#unsubscribe = [
      definitions.subscribe((events) => this.#definitionsChanged(events)),
      cache.subscribe((events) => {
        for (const { entry } of events) this.#look(entry.name)
      }),
    ]
    for (const entry of definitions.index.entries(undefined)) this.#define(entry)
    for (const { name } of cache.index.entries(undefined)) this.#look(name)
  }

  stop(): void {
    this.#ended.abort()
    for (const end of this.#unsubscribe) end()
  }

  #definitionsChanged(events: readonly CacheEvent[]): void {
    for (const { type, entry } of events) {
      if (type === 'DELETED') this.#want(entry.name, [])
      else this.#define(entry)
    }
  }

  #define(entry: Entry): void {
    const spec = entry.object()['spec']
    if (!isObject(spec) || !Array.isArray(spec['versions'])) return
    const group = String(spec['group'])
    const versions = spec['versions'].filter(isObject).filter(({ served }) => served === true)
    this.#want(
      entry.name,
      versions.map(({ name }) =>
        apiServiceObject({ group, version: String(name), ...CUSTOM_PRIORITY }, 'true'),
      ),
    )
  }

  #want(definition: string, objects: readonly KubeObject[]): void {
    const names = objects.map(({ metadata }) => metadata.name ?? '')
    const before = this.#byDefinition.get(definition) ?? []
    if (names.length > 0) this.#byDefinition.set(definition, names)
    else this.#byDefinition.delete(definition)
    for (const name of before) {
      const wanted = this.#wanted.get(name)
      if (names.includes(name) || !wanted) continue
      wanted.by.delete(definition)
      if (wanted.by.size === 0) this.#wanted.delete(name)
      this.#look(name)
    }
    for (const object of objects) {
      const { name = '' } = object.metadata
      const wanted = this.#wanted.get(name)
      if (wanted) wanted.by.add(definition)
      else {
        this.#wanted.set(name, { object, by: new Set([definition]) })
        this.#look(name)
      }
    }
  }

  #look(name: string): void {
    if (this.#busy.has(name)) {
      this.#busy.set(name, true)
      return
    }
    if (!this.#isDue(name)) return
    this.#busy.set(name, false)
    void this.#work(name)
  }

  async #work(name: string): Promise<void> {
    try {
      await this.#sync(name)
    } catch (error) {
      if (this.#ended.signal.aborted) return
      this.#parts.log.warn({ error: String(error), name }, 'an APIService is registered again')
      await sleep(AGAIN_MS, undefined, { ref: false, signal: this.#ended.signal }).catch(() => undefined)
      this.#busy.set(name, true)
    }
    const again = this.#busy.get(name) === true
    this.#busy.delete(name)
    if (again && !this.#ended.signal.aborted) this.#look(name)
  }

  /** Whether it is another than it should be. */
  #isDue(name: string): boolean {
    const wanted = this.#wanted.get(name)
    const known = this.#scope.cache.index.get('', name)?.object()
    if (!known) return wanted !== undefined
    if (known.metadata.labels?.[MANAGED_LABEL] !== 'true') return false
    return !wanted || !sameSpec(known, wanted.object)
  }

  async #sync(name: string): Promise<void> {
    const { cache } = this.#scope
    await cache.fresh()
    if (!this.#isDue(name)) return
    const wanted = this.#wanted.get(name)
    const known = cache.index.get('', name)?.object()
    if (!wanted) return removeInternal(this.#scope, '', name, known?.metadata.uid ?? '')
    if (known) await overwrite(this.#scope, wanted.object)
    else await writeInternal(this.#parts.scopes, wanted.object, 'create')
  }
}
