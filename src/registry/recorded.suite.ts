// Replays recorded scenarios of the upstream server against strategies alone: no server, no store, no admission. Each
// write goes through decode, defaults, preparation and validation, and its refusals are held against the recorded ones.
// Used by recorded.test.ts.
import { readFileSync } from 'node:fs'
import type { GroupResource } from '../machinery/gvk.ts'
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import type { Lister } from '../machinery/lister.ts'
import type { KubeObject } from '../machinery/object.ts'
import { StatusError, type StatusCause } from '../machinery/status.ts'
import { convert } from '../schema/convert.ts'
import { DecodeError, decoderFor } from '../schema/decode.ts'
import { applyJsonPatch, readJsonPatch } from '../schema/patch/jsonpatch.ts'
import { mergePatch } from '../schema/patch/mergepatch.ts'
import type { Resource } from '../schema/resource.ts'
import { findResource } from '../schema/resources.ts'
import { strategicMergePatch } from '../schema/patch/strategicmerge.ts'
import { typeForKind } from '../schema/types.ts'
import { defaultsFor } from './defaults.ts'
import { goesWithUpdate, planDelete } from './deletion.ts'
import { beforeCreate, beforeUpdate, validateCreate, validateUpdate } from './generic.ts'
import { strategyFor } from './strategies.ts'
import type { DeleteOptions, WriteContext } from './strategy.ts'

export interface Step {
  readonly do?: string
  readonly body?: Json
  readonly type?: string
}
export interface Scenario {
  readonly name: string
  readonly steps: readonly Step[]
}
export interface Recorded {
  readonly status: number
  readonly body?: Json
}

export interface Outcome {
  readonly step: string
  readonly expected: string[]
  readonly found: string[]
}

const NAMESPACE = 'ns-replay'
const VARIABLES: Readonly<Record<string, string>> = { NS: NAMESPACE, ID: 'replay' }
const WHOLE: ReadonlySet<string> = new Set(['', 'status', 'ephemeralcontainers', 'finalize', 'approval'])

export function readScenarios(file: string): { readonly scenarios: readonly Scenario[] } {
  return JSON.parse(readFileSync(file, 'utf8')) as { scenarios: Scenario[] }
}

function substitute(value: Json): Json {
  if (typeof value === 'string') {
    return value
      .replace(/\$\{x\*(\d+)\}/g, (_match, count: string) => 'x'.repeat(Number(count)))
      .replace(/\$\{(\w+)\}/g, (match, name: string) => VARIABLES[name] ?? match)
  }
  if (Array.isArray(value)) return value.map(substitute)
  if (!isObject(value)) return value
  const entries = Object.entries(value).map(([key, item]) => [substitute(key), substitute(item ?? null)])
  return Object.fromEntries(entries) as JsonObject
}

interface Target {
  readonly method: string
  readonly resource: Resource
  readonly namespace: string
  readonly name: string
  readonly subresource: string
  readonly query: URLSearchParams
}

/** undefined: no write of an object that strategies see. */
function targetOf(request: string): Target | undefined {
  const [method = '', url = ''] = request.split(' ')
  const { pathname, searchParams: query } = new URL(url, 'http://host')
  const parts = decodeURIComponent(pathname).split('/').filter(Boolean)
  const group = parts[0] === 'api' ? '' : (parts[1] ?? '')
  const [version = '', ...rest] = parts.slice(parts[0] === 'api' ? 1 : 2)
  const scoped = rest[0] === 'namespaces' && rest.length > 2 && rest[2] !== 'status' && rest[2] !== 'finalize'
  const [resourceName = '', name = '', subresource = ''] = scoped ? rest.slice(2) : rest
  const resource = findResource(group, version, resourceName)
  if (!resource || !resource.verbs.includes('get')) return undefined
  return { method, resource, namespace: scoped ? (rest[1] ?? '') : '', name, subresource, query }
}

const shown = (causes: readonly StatusCause[]): string[] =>
  causes.map((cause) => `${cause.field} ${cause.reason} ${loose(cause.message ?? '')}`)

/** Messages without what the recording hides, and without the diffs that are not copied. */
const loose = (message: string): string =>
  message
    .split('\n')[0]!
    .replace(/\b\d+\.\d+\.\d+\.\d+\b/g, '<clusterip>')
    .replaceAll(NAMESPACE, '<ns>')
    .replaceAll(VARIABLES['ID'] as string, '<id>')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|<uid\d>/g, '<uid>')
    .replace(/"\d{4}-\d\d-\d\dT[^"]*"/g, '"<time>"')

const GO_VALUE = /value: [{[].*"[A-Z]\w*":.*[}\]]/

/** Where upstream shows a value as Go has it, only the rest is compared. */
function loosened(expected: string[], found: string[]): Pick<Outcome, 'expected' | 'found'> {
  const bare = (text: string): string => text.replace(/value: [{[].*[}\]]/, 'value: <value>')
  const asGo = expected.map((text) => GO_VALUE.test(text))
  return {
    expected: expected.map((text, i) => (asGo[i] ? bare(text) : text)),
    found: found.map((text, i) => (asGo[i] ? bare(text) : text)),
  }
}

const causesOf = (body: Json | undefined): StatusCause[] | undefined => {
  const details = isObject(body) ? body['details'] : undefined
  const causes = isObject(details) ? details['causes'] : undefined
  return Array.isArray(causes) ? (causes as StatusCause[]) : undefined
}

/** What admission would have filled in. */
function admit(object: KubeObject, target: Target): void {
  if (target.resource.name === 'pods' && isObject(object['spec']))
    object['spec']['serviceAccountName'] ??= 'default'
}

/** One scenario's cluster: what was accepted so far. */
export class Replay {
  readonly #objects = new Map<string, KubeObject>()
  #revision = 1

  /** undefined: a step that this replay does not judge. */
  step(step: Step, recorded: Recorded): Outcome | undefined {
    const target = step.do ? targetOf(String(substitute(step.do))) : undefined
    if (!target || !WHOLE.has(target.subresource)) return undefined
    const accepted = recorded.status === 200 || recorded.status === 201
    const expected = causesOf(recorded.body)
    if (!accepted && !(recorded.status === 422 && expected)) return undefined
    if (/\$\{(RV|U|IP|UID)/.test(JSON.stringify(step.body ?? ''))) return undefined
    // What the handlers refuse before a strategy is asked.
    if (expected?.some((cause) => cause.field === 'patch' || cause.field === 'force')) return undefined
    const found = this.#run(target, step)
    if (found === undefined) return undefined
    const label = `${step.do} ${JSON.stringify(step.body ?? null).slice(0, 300)}`
    return { step: label, ...loosened(accepted ? [] : shown(expected ?? []), shown(found)) }
  }

  #run(target: Target, step: Step): StatusCause[] | undefined {
    try {
      if (target.method === 'POST') return this.#create(target, substitute(step.body ?? null))
      if (target.method === 'PUT')
        return this.#update(target, () => this.#decode(target, substitute(step.body ?? null)))
      if (target.method === 'PATCH') return this.#update(target, (old) => this.#patched(target, old, step))
      if (target.method === 'DELETE') this.#delete(target, substitute(step.body ?? null))
      return undefined
    } catch (error) {
      if (error instanceof StatusError && error.code === 422) return error.status.details?.causes ?? []
      if (error instanceof DecodeError) return undefined
      throw error
    }
  }

  #context(target: Target): WriteContext {
    return {
      resource: target.resource,
      subresource: target.subresource,
      user: { name: 'admin', groups: ['system:masters'] },
      namespace: target.namespace,
      dryRun: target.query.has('dryRun'),
      now: new Date(),
      lister: this.lister,
      warn: () => undefined,
    }
  }

  readonly lister: Lister = {
    ready: () => Promise.resolve(),
    get: (resource, namespace, name) => this.#objects.get(this.#key(resource, namespace, name)),
    list: (resource) =>
      [...this.#objects]
        .filter(([key]) => key.startsWith(`${resource.resource}.${resource.group}/`))
        .map(([, object]) => object),
    version: () => this.#revision,
  }

  #key = ({ group, resource }: GroupResource, namespace: string, name: string): string =>
    `${resource}.${group}/${namespace}/${name}`

  #keyOf(target: Target, name: string): string {
    const { group, name: resource } = target.resource
    return this.#key({ group, resource }, target.namespace, name)
  }

  #decode(target: Target, body: Json): KubeObject {
    const gvk = { group: target.resource.group, version: target.resource.version, kind: target.resource.kind }
    const type = typeForKind(gvk)
    if (!type) throw new Error(`no type for ${gvk.kind}`)
    const { object } = decoderFor(type)(body)
    defaultsFor(gvk)?.(object)
    return this.#convert(object, target, true)
  }

  #convert(object: KubeObject, target: Target, inwards: boolean): KubeObject {
    const { group, version, kind, storage } = target.resource
    if (storage.group === group && storage.version === version) return object
    const [served, stored] = [
      { group, version, kind },
      { ...storage, kind },
    ]
    return inwards ? convert(object, served, stored) : convert(object, stored, served)
  }

  #create(target: Target, body: Json): StatusCause[] | undefined {
    const object = this.#decode(target, body)
    const strategy = strategyFor(target.resource)
    const context = this.#context(target)
    admit(object, target)
    beforeCreate(object, strategy, context)
    const causes = validateCreate(object, strategy, context)
    if (!causes.length && !context.dryRun) this.#keep(target, object)
    else void strategy.abandon?.(object, context)
    return causes
  }

  #keep(target: Target, object: KubeObject): void {
    object.metadata.resourceVersion = String(++this.#revision)
    this.#objects.set(this.#keyOf(target, object.metadata.name ?? ''), structuredClone(object))
  }

  #update(target: Target, change: (old: KubeObject) => KubeObject): StatusCause[] | undefined {
    const old = this.#objects.get(this.#keyOf(target, target.name))
    if (!old) return undefined
    const object = change(old)
    const strategy = strategyFor(target.resource)
    const context = this.#context(target)
    object.metadata.resourceVersion = old.metadata.resourceVersion ?? ''
    beforeUpdate(object, old, strategy, context)
    const causes = validateUpdate(object, old, strategy, context)
    if (causes.length || context.dryRun) void strategy.abandon?.(object, context)
    else if (goesWithUpdate(object, old, strategy)) this.#objects.delete(this.#keyOf(target, target.name))
    else this.#keep(target, object)
    return causes
  }

  #patched(target: Target, old: KubeObject, step: Step): KubeObject {
    const patch = substitute(step.body ?? null)
    const current = this.#convert(structuredClone(old), target, false)
    const { group, version, kind } = target.resource
    const type = typeForKind({ group, version, kind })
    if (step.type === 'application/merge-patch+json') return this.#decode(target, mergePatch(current, patch))
    if (step.type === 'application/json-patch+json') {
      return this.#decode(target, applyJsonPatch(current, readJsonPatch(patch)))
    }
    if (!type || !isObject(patch)) throw new DecodeError('not a strategic merge patch')
    return this.#decode(target, strategicMergePatch(current, patch, type))
  }

  #delete(target: Target, body: Json): void {
    const key = this.#keyOf(target, target.name)
    const stored = this.#objects.get(key)
    if (!stored) return
    const options: DeleteOptions = isObject(body) ? (body as DeleteOptions) : {}
    const plan = planDelete(stored, strategyFor(target.resource), options, this.#context(target))
    if (plan.step === 'remove' || (plan.step === 'mark' && plan.then === 'remove')) this.#objects.delete(key)
    else if (plan.step === 'mark') this.#keep(target, plan.object)
  }
}
