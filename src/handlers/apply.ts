// Server-side apply: PATCH with a configuration that says which fields the client wants, as YAML or JSON. It is merged
// with whatever is newest inside the write loop, and creates what is not there. The merge itself, and who owns what, is
// in schema/managedfields-apply.ts. Follows k8s.io/apiserver/pkg/endpoints/handlers/patch.go (applyPatcher).
import { apiVersionOf, type GroupVersionKind } from '../machinery/gvk.ts'
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import type { KubeObject, ManagedFieldsEntry } from '../machinery/object.ts'
import { badRequest, cause, conflict, invalid, notFound, plainError } from '../machinery/status.ts'
import { ensureNamespace } from '../registry/generic.ts'
import { DecodeError } from '../schema/decode.ts'
import { FieldSetError } from '../schema/ownership/fieldset-items.ts'
import { hasPath } from '../schema/ownership/fieldset.ts'
import {
  fieldsOfLastApplied,
  LAST_APPLIED_MANAGER,
  updateLastApplied,
} from '../schema/ownership/lastapplied.ts'
import { type Applied, applyFields, faultBeforeApply } from '../schema/ownership/managedfields-apply.ts'
import { applyConflict } from '../schema/merge/conflicts.ts'
import { ConversionError, fromUnstructured } from '../schema/merge/unstructured.ts'
import { faultsOf, faultsText } from '../schema/merge/validate.ts'
import { describeObject, kindOf, kindText } from '../schema/merge/words.ts'
import type { StructType } from '../schema/type.ts'
import type { Versions } from '../schema/versions.ts'
import { parseYaml } from '../schema/yaml/yaml.ts'
import { syntaxFault } from './body.ts'
import { type WriteOptions, writeOptions } from './options.ts'
import type { Answer, ApiRequest, Body } from './request.ts'
import type { Scope } from './scope.ts'
import { checkName } from './update.ts'
import { viewOf } from './views.ts'
import { write } from './write.ts'

export const APPLY_PATCH = 'application/apply-patch+yaml'

/** What a configuration is applied to: a kind, and how its objects are read. */
export interface ApplyTarget extends GroupVersionKind {
  readonly type: StructType
  readonly versions: Versions
  readonly resetFields?: readonly string[] | undefined
  /** With defaults. */
  decode(input: Json): { readonly object: KubeObject }
  decodeOnly(input: Json): { readonly object: KubeObject }
}

/** The objects of a scope, or one of the parts of them that share their shape. */
export const applyTarget = (scope: Scope, subresource: string): ApplyTarget => ({
  type: scope.type,
  versions: scope.versions,
  resetFields: scope.strategy.resetFields?.[subresource],
  decode: (input) => scope.kind.decodeMerged?.(input) ?? scope.decode(input),
  decodeOnly: (input) => scope.decodeOnly(input),
  ...scope.gvk,
})

/** PATCH of an object, or of a part that shares its shape, with a configuration. */
export async function apply(scope: Scope, request: ApiRequest): Promise<Answer> {
  const view = viewOf(scope, request, 'object')
  const options = applyOptions(request)
  const { name, subresource } = request.info
  const applier = new Applier(applyTarget(scope, subresource), {
    request,
    options,
    configuration: await readConfiguration(request, options),
  })
  const { entry, created } = await write({
    scope,
    request,
    name,
    subresource,
    dryRun: options.dryRun,
    fieldManager: options.fieldManager,
    allow: 'update',
    tracked: true,
    change(current) {
      if (!current && subresource && !scope.strategy.allowCreateOnUpdate)
        throw notFound(scope.groupResource, name)
      const object = applier.apply(current, scope.environment.now())
      if (!current) makeNew(scope, object, name)
      ensureNamespace(object, { resource: scope.resource, namespace: request.info.namespace })
      checkName(object, name)
      return object
    },
  })
  return { status: created ? 201 : 200, contentType: view.contentType, body: view.object(entry) }
}

const VERSION = /^[0-9]*$/

/** What an apply may say of an object that is not there: no uid; a resourceVersion means nothing. */
function makeNew(scope: Scope, { metadata }: KubeObject, name: string): void {
  const { uid, resourceVersion = '' } = metadata
  if (uid) {
    const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`
    throw conflict(scope.groupResource, name, why)
  }
  if (!VERSION.test(resourceVersion))
    throw plainError(`strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax`)
  delete metadata.resourceVersion
}

/** PatchOptions of an apply: throws invalid without a fieldManager. */
export function applyOptions(request: ApiRequest): WriteOptions {
  const options = writeOptions(request.query, 'PatchOptions')
  if (options.fieldManager === '') {
    const fault = cause.required('fieldManager', 'is required for apply patch')
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [fault])
  }
  return options
}

/** A body that was read, or why it could not be: upstream says so only when it has found what to apply it to. */
export type Configuration =
  { readonly value: JsonObject; readonly duplicates: readonly string[] } | { readonly refusal: Error }

/** Reads the body, and checks it against nothing yet. */
export async function readConfiguration(request: ApiRequest, options: WriteOptions): Promise<Configuration> {
  const body = await request.body()
  try {
    const { value, duplicates } = await parse(body, options.fieldValidation !== 'Ignore')
    if (value === null) return { value: {}, duplicates }
    if (isObject(value)) return { value, duplicates }
    const why = `json: cannot unmarshal ${goKind(value)} into Go value of type map[string]interface {}`
    return {
      refusal: badRequest(`error decoding YAML: error unmarshaling JSON: while decoding JSON: ${why}`),
    }
  } catch (error) {
    const why = syntaxFault(error)
    if (why === undefined) throw error
    return { refusal: badRequest(`error decoding YAML: error converting YAML to JSON: ${why}`) }
  }
}

const parse = (body: Body, findDuplicates: boolean) => parseYaml(body.bytes, { findDuplicates })

const goKind = (value: Json): string =>
  Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value

interface Applying {
  readonly request: ApiRequest
  readonly options: WriteOptions
  readonly configuration: Configuration
}

/** One configuration, applied to what is newest as often as the write loop turns. */
export class Applier {
  readonly #target: ApplyTarget
  readonly #applying: Applying
  #checked = false

  constructor(target: ApplyTarget, applying: Applying) {
    this.#target = target
    this.#applying = applying
  }

  /** The new object with its owners, fresh. Throws what upstream answers where there is none. */
  apply(live: KubeObject | undefined, now: Date): KubeObject {
    const { configuration, options } = this.#applying
    if ('refusal' in configuration) throw configuration.refusal
    const { value } = configuration
    if (!this.#checked) this.#check(value, live)
    this.#checked = true
    const applied = this.#merge(live, value, now)
    const object = this.#decode(applied, value)
    if (options.fieldManager === LAST_APPLIED_MANAGER) updateLastApplied(object, value)
    setOwners(object, applied.managedFields)
    this.#reportDuplicates(configuration.duplicates)
    return object
  }

  /** Of the expected kind, without owners, and in the shape of its type. */
  #check(value: JsonObject, live: KubeObject | undefined): void {
    const { type, versions } = this.#target
    const found = kindOf(value)
    const { group, version, kind } = this.#target
    if (found.group !== group || found.version !== version || found.kind !== kind)
      throw badRequest(`invalid object type: ${kindText(found)}`)
    const { metadata } = value
    if (
      isObject(metadata) &&
      Array.isArray(metadata['managedFields']) &&
      metadata['managedFields'].every(isObject)
    )
      throw badRequest('metadata.managedFields must be nil')
    const faults = faultsOf(type, value)
    if (faults.length === 0) return
    const why = live && faultBeforeApply({ live, versions, apiVersion: apiVersionOf(this.#target) })
    const own = `failed to create typed patch object (${describeObject(value)}): ${faultsText(faults)}`
    throw plainError(why ?? own)
  }

  #merge(live: KubeObject | undefined, value: JsonObject, now: Date): Applied {
    const { options } = this.#applying
    const force = options.force === true
    const merged = this.#mergeOnce(live, value, { now, force })
    if (force || merged.conflicts.length === 0) return merged
    let { conflicts } = merged
    if (live && options.fieldManager === LAST_APPLIED_MANAGER) {
      const allowed = fieldsOfLastApplied(live, this.#target.type)
      conflicts = conflicts.filter(({ path }) => !hasPath(allowed, path))
    }
    if (conflicts.length > 0) throw applyConflict(conflicts)
    return this.#mergeOnce(live, value, { now, force: true })
  }

  #mergeOnce(live: KubeObject | undefined, applied: JsonObject, how: { now: Date; force: boolean }): Applied {
    const { request, options } = this.#applying
    const { type, versions, resetFields } = this.#target
    try {
      return applyFields({
        type,
        live,
        applied,
        ...how,
        manager: options.fieldManager,
        apiVersion: apiVersionOf(this.#target),
        subresource: request.info.subresource,
        resetFields,
        versions,
      })
    } catch (error) {
      if (error instanceof FieldSetError) throw plainError(error.message)
      if (error instanceof DecodeError) throw plainError(`failed to convert new object: ${error.message}`)
      throw error
    }
  }

  #decode({ object, changed }: Applied, value: JsonObject): KubeObject {
    const { type, decode, decodeOnly } = this.#target
    if (!changed) return decodeOnly(object).object
    try {
      return decode(object).object
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
    }
    try {
      return decode(fromUnstructured(type, object)).object
    } catch (error) {
      if (!(error instanceof ConversionError)) throw error
      const what = `unable to convert unstructured object to ${kindText(this.#target)}: ${error.message}`
      throw plainError(`failed to convert new object (${describeObject(value)}) to proper version: ${what}`)
    }
  }

  #reportDuplicates([text]: readonly string[]): void {
    if (text === undefined) return
    const { request, options } = this.#applying
    if (options.fieldValidation === 'Strict')
      throw badRequest(`error strict decoding YAML: error converting YAML to JSON: ${text}`)
    for (const line of text.split('\n').slice(1)) request.warn(line.trim())
  }
}

function setOwners(object: KubeObject, managedFields: ManagedFieldsEntry[] | undefined): void {
  if (managedFields) object.metadata.managedFields = managedFields
  else delete object.metadata.managedFields
}
