// PATCH of one object: JSON patch, merge patch, strategic merge patch. The patch is applied inside the write loop, to
// whatever is newest. (Server-side apply is in apply.ts.)
// Follows k8s.io/apiserver/pkg/endpoints/handlers/patch.go.
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import { jsonText } from '../machinery/jsontext.ts'
import type { KubeObject } from '../machinery/object.ts'
import {
  badRequest,
  cause,
  invalid,
  notFound,
  StatusError,
  unsupportedMediaType,
} from '../machinery/status.ts'
import { type Decoded, DecodeError } from '../schema/decode.ts'
import { type NumberTokens, type Parsed, parseJson } from '../schema/json/json.ts'
import { applyJsonPatch, readJsonPatch } from '../schema/patch/jsonpatch.ts'
import { mergePatch } from '../schema/patch/mergepatch.ts'
import { withFittedIntegers } from '../schema/merge/unstructured.ts'
import { goText } from '../schema/merge/words.ts'
import { restoreFault } from '../schema/restore-fault.ts'
import { strategicMergePatch } from '../schema/patch/strategicmerge.ts'
import type { StructType } from '../schema/type.ts'
import { APPLY_PATCH, apply } from './apply.ts'
import { syntaxFault } from './body.ts'
import { type FieldValidation, type WriteOptions, writeOptions } from './options.ts'
import type { Answer, ApiRequest, Body } from './request.ts'
import type { Expected, Scope } from './scope.ts'
import { checkName } from './update.ts'
import { viewOf } from './views.ts'
import { write } from './write.ts'

export const JSON_PATCH = 'application/json-patch+json'
export const MERGE_PATCH = 'application/merge-patch+json'
export const STRATEGIC_PATCH = 'application/strategic-merge-patch+json'

/** A patch that was read once and may be applied many times. `current` is never changed. */
export interface Patch {
  /** The result, and what a strict reader objects to in the patch. */
  apply(current: JsonObject): { readonly value: Json; readonly faults: readonly string[] }
  /** How a refusal shows the patch when the result does not decode; undefined: the result is shown. */
  readonly shown: string | undefined
  /** Whether unknown fields are named by the alphabet instead of in their order: strategic patches have a reader of their own. */
  readonly sorted: boolean
  /** Why the result does not decode, where the reader of such patches has words of its own. */
  readonly fault?: (value: Json) => string | undefined
  /** The result with integers that fit, where that reader makes them. */
  readonly fitted?: (value: JsonObject) => JsonObject
  /** How numbers in the result were written, where the patch tells. */
  readonly tokens?: () => NumberTokens
}

export async function patch(scope: Scope, request: ApiRequest): Promise<Answer> {
  if ((await request.body()).mediaType === APPLY_PATCH) return apply(scope, request)
  const view = viewOf(scope, request, 'object')
  const options = await patchOptions(scope, request)
  const change = patchReader(await request.body(), scope.type)
  const { name, subresource } = request.info
  const { entry } = await write({
    scope,
    request,
    name,
    subresource,
    dryRun: options.dryRun,
    fieldManager: options.fieldManager,
    allow: 'update',
    change(current) {
      if (!current) throw notFound(scope.groupResource, name)
      return patched(
        { request, expected: scope.expected, change: change(), validation: options.fieldValidation },
        current,
      )
    },
  })
  return { status: 200, contentType: view.contentType, body: view.object(entry) }
}

/** Custom kinds have no strategic merge, and no router that refuses other types before. */
function refuseForCustom(mediaType: string): void {
  if (mediaType === JSON_PATCH || mediaType === MERGE_PATCH) return
  throw unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: ${JSON_PATCH}, ${MERGE_PATCH}, ${APPLY_PATCH}`,
  )
}

/** PatchOptions of anything but apply. */
export async function patchOptions(scope: Scope, request: ApiRequest): Promise<WriteOptions> {
  const { mediaType } = await request.body()
  if (scope.resource.custom) refuseForCustom(mediaType)
  if (!PATCH_TYPES.has(mediaType)) throw unsupportedPatch()
  const options = writeOptions(request.query, 'PatchOptions')
  if (options.force !== undefined) {
    const fault = cause.forbidden('force', 'may not be specified for non-apply patch')
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [fault])
  }
  return options
}

interface Patching {
  readonly request: ApiRequest
  readonly expected: Expected
  readonly change: Patch
  readonly validation: FieldValidation
}

/** The patched object, decoded and with defaults; `current` is in the served version. */
export function patched(
  { request, expected, change, validation }: Patching,
  current: KubeObject,
): KubeObject {
  const { value, faults } = change.apply(current)
  let decoded
  try {
    decoded = decodePatched(expected, withType(value, current), change)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    throw undecodable(change, value, change.fault?.(value) ?? error.message)
  }
  const unknown = change.sorted ? decoded.unknownFields.toSorted() : decoded.unknownFields
  const all = [...faults, ...unknown]
  if (all.length && validation === 'Strict') {
    throw undecodable(change, value, `strict decoding error: ${all.join(', ')}`)
  }
  if (validation === 'Warn') for (const fault of all) request.warn(fault)
  checkName(decoded.object, current.metadata.name as string)
  return decoded.object
}

function decodePatched(expected: Expected, value: Json, { tokens, fault, fitted }: Patch): Decoded {
  try {
    return expected.decode(value, tokens)
  } catch (error) {
    if (!(error instanceof DecodeError) || !fitted || !isObject(value) || fault?.(value) !== undefined)
      throw error
    return expected.decode(fitted(value))
  }
}

/** A patch cannot turn an object into another kind; one that drops the kind means the same kind. */
function withType(value: Json, current: KubeObject): Json {
  if (!isObject(value)) return value
  const { kind = current.kind, apiVersion = current.apiVersion } = value
  if (kind === current.kind && apiVersion === current.apiVersion) return { ...value, kind, apiVersion }
  const [shownKind, shownVersion] = [jsonText(kind), jsonText(apiVersion)]
  throw new DecodeError(
    `no kind ${shownKind} is registered for version ${shownVersion} in scheme "pkg/runtime/scheme.go:111"`,
  )
}

function undecodable(change: Patch, value: Json, why: string): StatusError {
  return invalid({ group: '', kind: '' }, '', [cause.invalid('patch', change.shown ?? jsonText(value), why)])
}

const PATCH_TYPES: ReadonlySet<string> = new Set([JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH])

const unsupportedPatch = (): StatusError =>
  new StatusError({
    code: 415,
    reason: 'UnsupportedMediaType',
    message: '415: Unsupported Media Type',
    details: {},
  })

/** Reads the patch once, when there is an object for it: what is not there is said before what cannot be read. */
export function patchReader(body: Body, type: StructType): () => Patch {
  let patch: Patch | undefined
  return () => (patch ??= readPatch(body, type))
}

/** Reads a patch by its Content-Type; throws 415 for types that are no patch, 400 for what cannot be read. */
export function readPatch(body: Body, type: StructType): Patch {
  switch (body.mediaType) {
    case JSON_PATCH:
      return jsonPatchOf(body)
    case MERGE_PATCH:
      return mergePatchOf(body)
    case STRATEGIC_PATCH:
      return strategicPatchOf(body, type)
    default:
      throw unsupportedPatch()
  }
}

function parsed(body: Body, wording: (why: string) => string): Parsed {
  try {
    return parseJson(body.bytes, { findDuplicates: true })
  } catch (error) {
    const why = syntaxFault(error)
    if (why === undefined) throw error
    throw badRequest(wording(why))
  }
}

const decodingPatch = (why: string): string => `error decoding patch: ${why}`

function jsonPatchOf(body: Body): Patch {
  const operations = readJsonPatch(parsed(body, decodingPatch).value)
  return {
    apply: (current) => ({ value: applyJsonPatch(current, operations), faults: operations.strictErrors }),
    shown: undefined,
    sorted: false,
  }
}

function mergePatchOf(body: Body): Patch {
  // What a merge patch changes has the same path in it, lists included.
  const { value, duplicates, tokens } = parsed(body, decodingPatch)
  return {
    apply: (current) => ({ value: mergePatch(current, value), faults: duplicates }),
    shown: undefined,
    sorted: false,
    ...(tokens && { tokens }),
  }
}

function strategicPatchOf(body: Body, type: StructType): Patch {
  const { value, duplicates } = parsed(body, (why) => why)
  if (value !== null && !isObject(value)) {
    throw badRequest(`json: cannot unmarshal ${goKind(value)} into Go value of type map[string]interface {}`)
  }
  const changes = value ?? {}
  return {
    apply: (current) => ({ value: strategicMergePatch(current, changes, type), faults: duplicates }),
    shown: goText(changes),
    sorted: true,
    fault: (value) => restoreFault(type, value),
    fitted: (value) => withFittedIntegers(type, value),
  }
}

const goKind = (value: Json): string =>
  Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
