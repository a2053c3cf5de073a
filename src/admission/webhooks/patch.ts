// What a mutating webhook makes of an object: its JSON patch, applied to the version that it saw.
// Follows callAttrMutatingHook in k8s.io/apiserver/pkg/admission/plugin/webhook/mutating/dispatcher.go.
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { goQuote } from '../../machinery/quote.ts'
import { internalError, StatusError } from '../../machinery/status.ts'
import { DecodeError } from '../../schema/decode.ts'
import { findKind } from '../../schema/resources.ts'
import { isSame } from '../../schema/ownership/fieldset-compare.ts'
import { parseJson } from '../../schema/json/json.ts'
import { applyJsonPatch, readJsonPatch } from '../../schema/patch/jsonpatch.ts'
import type { JsonPatch } from '../../schema/patch/jsonpatch-operations.ts'
import type { AdmissionAttributes } from '../plugin.ts'
import type { Forms, ObjectForms } from './forms.ts'
import type { Invocation } from './match.ts'
import { patchFault } from './patchfaults.ts'
import { CallFailure } from './refusals.ts'
import type { Verdict } from './review.ts'

export interface Patching {
  readonly invocation: Invocation
  readonly attributes: AdmissionAttributes
  readonly forms: Forms
  readonly verdict: Verdict
}

/** Puts the patched object into the attributes. Whether anything changed; throws CallFailure, or a StatusError. */
export async function patchObject(objects: ObjectForms, patching: Patching): Promise<boolean> {
  const { invocation, attributes, forms, verdict } = patching
  const { name } = invocation.hook
  const operations = readOperations(name, verdict.patch as Buffer)
  if (operations.length === 0) return false
  const { object } = await forms.of(invocation.resource)
  if (!object) {
    throw internalError(
      `admission webhook ${JSON.stringify(name)} attempted to modify the object, which is not supported for this operation`,
    )
  }
  if (verdict.patchType !== 'JSONPatch') {
    throw new CallFailure(name, `unsupported patch type ${JSON.stringify(verdict.patchType)}`)
  }
  const place = { resource: invocation.resource, subresource: attributes.subresource }
  const value = withKind(apply(name, object.shown, operations), object.shown)
  checkKind(value, object.shown)
  try {
    attributes.object = await objects.taken(value, place, object.of)
  } catch (error) {
    if (error instanceof DecodeError) throw internalError(error.message)
    throw error
  }
  const now = await forms.of(invocation.resource)
  return now.object?.text !== object.text && !isSame(now.object?.shown as Json, object.shown)
}

/** What the patch took of these is what it was. */
function withKind(value: Json, { kind = '', apiVersion = '' }: KubeObject): Json {
  if (!isObject(value) || (value['kind'] && value['apiVersion'])) return value
  return { ...value, kind: value['kind'] || kind, apiVersion: value['apiVersion'] || apiVersion }
}

/** A patch cannot make another kind of an object. */
function checkKind(value: Json, { kind = '', apiVersion = '' }: KubeObject): void {
  if (!isObject(value) || (value['kind'] === kind && value['apiVersion'] === apiVersion)) return
  const [group] = parts(apiVersion)
  const [givenGroup, given] = parts(String(value['apiVersion']))
  const gvk = { group: givenGroup, version: given, kind: String(value['kind']) }
  if (!findKind(gvk)) {
    throw internalError(
      `no kind ${goQuote(gvk.kind)} is registered for version ${goQuote(String(value['apiVersion']))} in scheme "pkg/runtime/scheme.go:111"`,
    )
  }
  const inside = group === '' ? 'core' : group.split('.', 1)[0]
  throw new StatusError({
    code: 500,
    message: `converting (${given}.${String(value['kind'])}) to (${inside}.${kind}): unknown conversion`,
  })
}

const parts = (apiVersion: string): readonly [group: string, version: string] => {
  const slash = apiVersion.indexOf('/')
  return slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)]
}

/**
 * Who owns which field is not the webhooks' to say: what cannot be read when all were asked is put back as it was before,
 * with a warning.
 */
export function keepOwners(
  { object, warn }: AdmissionAttributes,
  before: KubeObject['metadata'] | undefined,
): void {
  // What connections are asked for has no metadata.
  const owners = object?.metadata?.managedFields
  if (!object || owners === before?.managedFields || !Array.isArray(owners)) return
  if (owners.every(({ operation }) => operation === 'Apply' || operation === 'Update')) return
  warn(OWNERS_LOST)
  const { managedFields: _bad, ...metadata } = object.metadata
  const kept = before?.managedFields
  object.metadata = kept ? { ...metadata, managedFields: kept } : metadata
}

const OWNERS_LOST =
  '.metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating admission controller; please fix your requests: operation must be `Apply` or `Update`'

function readOperations(webhook: string, patch: Buffer): Json[] {
  try {
    const { value } = parseJson(patch)
    if (value === null) return []
    if (Array.isArray(value)) return value
    throw new Error(`json: cannot unmarshal ${kindOf(value)} into Go value of type jsonpatch.Patch`)
  } catch (error) {
    const why = (error as Error).message
    throw new CallFailure(webhook, `received undecodable patch in webhook response: ${why}`)
  }
}

const kindOf = (value: Json): string =>
  Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value

/** DEVIATION: upstream takes any number of operations; here as many as a client's patch may have. */
function apply(webhook: string, object: JsonObject, operations: Json[]): Json {
  const patch = read(webhook, operations)
  try {
    return applyJsonPatch(object, patch)
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    throw internalError(patchFault(object, operations, patch))
  }
}

function read(webhook: string, operations: Json[]): JsonPatch {
  const other = operations.find((operation) => operation !== null && !isObject(operation))
  if (other !== undefined) {
    const why = `json: cannot unmarshal ${kindOf(other)} into Go value of type jsonpatch.Operation`
    throw new CallFailure(webhook, `received undecodable patch in webhook response: ${why}`)
  }
  try {
    return readJsonPatch(operations)
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    throw internalError(error.message)
  }
}
