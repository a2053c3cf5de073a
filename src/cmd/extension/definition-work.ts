// What is done for definitions as they come, change and go; see definitions.ts.
// Follows k8s.io/apiextensions-apiserver/pkg/controller/status (naming_controller.go) and controller/finalizer.
import { jsonText } from '../../machinery/jsontext.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Scope } from '../../handlers/scope.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { StatusError } from '../../machinery/status.ts'
import { takenNames, withStatus, withTerminating } from '../../registry/custom/conditions.ts'
import {
  CLEANUP_FINALIZER,
  type Definition,
  definitionOf,
  isTrue,
  type Names,
  type Version,
} from '../../registry/custom/definition.ts'
import { resourcesOf } from '../../registry/custom/resources.ts'
import { violationsOf } from '../../registry/custom/unstructured.ts'
import { webhookConverter } from '../../registry/custom/webhook.ts'
import { inTurns } from '../../schema/turns.ts'
import type { CustomResource } from '../../registry/served.ts'
import type { Entry } from '../../storage/cache/entry.ts'
import type { CacheEvent } from '../../storage/cache/history.ts'
import { definitionsScope, type DefinitionParts } from './definition-parts.ts'
import { removeInternal, updateInternal } from '../apiserver/internal.ts'

/** Between two looks at objects that are still there, and after a failure. */
const LOOK_AGAIN_MS = 1000
/** How many objects of a definition are deleted side by side. */
const DELETES_AT_ONCE = 16

/** A definition as it is served. */
interface Known {
  readonly definition: Definition
  /** What its rows and kinds are made of, as text. */
  readonly made: string
  readonly schema: string
  /** Accepted, or about to be: the write of the status is under way. */
  names: Names
}

export class DefinitionWork {
  readonly #parts: DefinitionParts
  readonly #scope: Scope
  readonly #known = new Map<string, Known>()
  /** Definitions whose status is looked after at the moment; true: look again when that is done. */
  readonly #busy = new Map<string, boolean>()
  /** Whether schemas are structural, by the definition's name. */
  readonly #checked = new Map<string, { readonly key: string; readonly violations: string | undefined }>()
  readonly #ended = new AbortController()

  constructor(parts: DefinitionParts) {
    this.#parts = parts
    this.#scope = definitionsScope(parts.scopes)
  }

  begin(entries: readonly Entry[]): void {
    for (const entry of entries) this.#define(entry)
    for (const { name } of entries) this.#look(name)
  }

  changed(events: readonly CacheEvent[]): void {
    for (const event of events) {
      if (event.type === 'DELETED') this.#forget(event.entry.name)
      else this.#define(event.entry)
      this.#look(event.entry.name)
    }
  }

  async stop(): Promise<void> {
    this.#ended.abort()
    await Promise.resolve()
  }

  // ---- what is served

  #define(entry: Entry): void {
    const object = entry.object()
    const definition = definitionOf(object)
    const { name, names, versions, accepted, ...rest } = definition
    const { storageVersion, preserveUnknownFields, conversion } = rest
    const schema = jsonText([versions, storageVersion, preserveUnknownFields, conversion])
    const made = jsonText([accepted, rest]) + schema
    const before = this.#known.get(name)
    if (before?.made === made) return
    this.#known.set(name, { definition, made, schema, names: accepted })
    const { served, lister, hookCaller } = this.#parts
    const byWebhook = conversion['strategy'] === 'Webhook'
    const resources = resourcesOf(
      definition,
      byWebhook ? webhookConverter(conversion, hookCaller) : undefined,
    )
    served.define(name, resources)
    lister.forget({ group: definition.group, resource: accepted.plural })
    if (!before || before.schema === schema) return
    this.#readAgain(resources)
    const left = before.definition.versions.filter(
      (version) => !resources.some(({ row }) => row.version === version.name),
    )
    this.#drop(before.definition, left)
  }

  /** What is cached is read by the new schemas; watches go on. */
  #readAgain(resources: readonly CustomResource[]): void {
    const { caches, log } = this.#parts
    for (const { row, makeKind } of resources) {
      const cache = caches.find(`/registry/${row.storagePrefix}/`, row.version)
      cache
        ?.reread(makeKind().reader)
        .catch((error: unknown) =>
          log.error({ error: String(error), resource: row.name }, 'objects could not be read again'),
        )
    }
  }

  /** Ends the watches of versions that are served no more. */
  #drop({ group, accepted }: Definition, versions: readonly Version[]): void {
    if (accepted.plural === '') return
    for (const { name } of versions) this.#parts.caches.drop(`/registry/${group}/${accepted.plural}/`, name)
  }

  #forget(name: string): void {
    const known = this.#known.get(name)
    this.#known.delete(name)
    this.#checked.delete(name)
    this.#parts.served.define(name, [])
    if (!known) return
    const { group, accepted } = known.definition
    this.#parts.lister.forget({ group, resource: accepted.plural })
    this.#drop(known.definition, known.definition.versions)
    this.#lookAtOthers(name, group)
  }

  /** Names that have become free may be what others wait for. */
  #lookAtOthers(name: string, group: string): void {
    for (const [other, { definition }] of this.#known) {
      if (other !== name && definition.group === group && !sameNames(definition)) this.#look(other)
    }
  }

  // ---- status

  #look(name: string): void {
    if (this.#busy.has(name)) {
      this.#busy.set(name, true)
      return
    }
    this.#busy.set(name, false)
    void this.#work(name)
  }

  async #work(name: string): Promise<void> {
    try {
      await this.#sync(name)
    } catch (error) {
      if (!this.#ended.signal.aborted) await this.#failed(name, error)
    }
    const again = this.#busy.get(name) === true
    this.#busy.delete(name)
    if (again && !this.#ended.signal.aborted) this.#look(name)
  }

  async #failed(name: string, error: unknown): Promise<void> {
    this.#parts.log.warn({ error: String(error), name }, 'a definition is looked at again')
    await sleep(LOOK_AGAIN_MS, undefined, { ref: false, signal: this.#ended.signal }).catch(() => undefined)
    this.#busy.set(name, true)
  }

  async #sync(name: string): Promise<void> {
    const object = this.#scope.cache.index.get('', name)?.object()
    if (!object) return
    const violations = object.metadata.deletionTimestamp ? undefined : await this.#violationsOf(object)
    // From here on nothing is awaited until the names are taken.
    const known = this.#known.get(name)
    if (!known) return
    if (object.metadata.deletionTimestamp) return this.#finalize(object, known.definition)
    const { group } = known.definition
    const others = [...this.#known].filter(([other, one]) => other !== name && one.definition.group === group)
    const taken = takenNames(others.map(([, { names }]) => names))
    const facts = { taken, violations, now: this.#scope.environment.now() }
    const wanted = withStatus(object, facts)
    if (!wanted) return
    // Others must not be given these names while they are being written.
    known.names = definitionOf(wanted).accepted
    await updateInternal(this.#scope, { name, subresource: 'status' }, (stored) =>
      stored.metadata.uid === object.metadata.uid ? withStatus(stored, facts) : undefined,
    )
  }

  /** Its schemas are looked at once for each generation. */
  async #violationsOf(object: KubeObject): Promise<string | undefined> {
    const { name = '', uid, generation } = object.metadata
    const key = `${uid} ${generation}`
    const checked = this.#checked.get(name)
    if (checked?.key === key) return checked.violations
    const violations = await inTurns(() => violationsOf(object))
    this.#checked.set(name, { key, violations })
    return violations
  }

  // ---- deletion

  async #finalize(object: KubeObject, definition: Definition): Promise<void> {
    const { name = '', finalizers, uid } = object.metadata
    if (!finalizers?.includes(CLEANUP_FINALIZER)) return
    const established = isTrue(object, 'Established')
    if (established) {
      await this.#say(name, 'True', 'InstanceDeletionInProgress', 'CustomResource deletion is in progress')
      await this.#deleteObjects(definition)
    }
    const last = established
      ? { status: 'False', reason: 'InstanceDeletionCompleted', message: 'removed all instances' }
      : { status: 'False', reason: 'NeverEstablished', message: 'resource was never established' }
    const now = this.#scope.environment.now()
    await updateInternal(this.#scope, { name, subresource: 'status' }, (stored) => {
      if (stored.metadata.uid !== uid) return undefined
      const next = withTerminating(stored, last, now) ?? (structuredClone(stored) as KubeObject)
      next.metadata.finalizers = (next.metadata.finalizers ?? []).filter((one) => one !== CLEANUP_FINALIZER)
      return next
    })
  }

  async #say(name: string, status: string, reason: string, message: string): Promise<void> {
    const now = this.#scope.environment.now()
    await updateInternal(this.#scope, { name, subresource: 'status' }, (stored) =>
      withTerminating(stored, { status, reason, message }, now),
    )
  }

  /** Deletes all of them, and waits for those that have finalizers of their own. */
  async #deleteObjects({ name }: Definition): Promise<void> {
    const { served, scopes } = this.#parts
    for (;;) {
      const row = served.rowsOf(name).find(({ version, storage }) => version === storage.version)
      const any = row ?? served.rowsOf(name)[0]
      if (!any) return
      const scope = scopes.of(any)
      await scope.cache.fresh()
      const entries = scope.cache.index.entries(undefined)
      if (entries.length === 0) return
      for (let i = 0; i < entries.length; i += DELETES_AT_ONCE) {
        await Promise.all(entries.slice(i, i + DELETES_AT_ONCE).map((entry) => deleteEntry(scope, entry)))
        if (this.#ended.signal.aborted) return
      }
      await scope.cache.fresh()
      if (scope.cache.index.entries(undefined).length === 0) return
      await sleep(LOOK_AGAIN_MS, undefined, { ref: false, signal: this.#ended.signal })
    }
  }
}

const sameNames = ({ names, accepted }: Definition): boolean =>
  JSON.stringify(names) === JSON.stringify(accepted)

async function deleteEntry(scope: Scope, entry: Entry): Promise<void> {
  const { metadata } = entry.object()
  if (metadata.deletionTimestamp) return
  try {
    await removeInternal(scope, entry.namespace, entry.name, metadata.uid ?? '')
  } catch (error) {
    // Admission may refuse; it is tried again.
    if (!(error instanceof StatusError)) throw error
  }
}
