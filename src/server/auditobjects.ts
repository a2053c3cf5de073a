// Bodies of requests and answers as the audit log holds them: JSON, whatever encoding they came in.
// Follows k8s.io/apiserver/pkg/audit/request.go.
import type { Named } from '../audit/event.ts'
import { parseBody } from '../handlers/body.ts'
import type { Body, WholeAnswer } from '../handlers/request.ts'
import type { Scope } from '../handlers/scope.ts'
import { JSON_TYPE, PROTOBUF_TYPE, YAML_TYPE } from '../handlers/view.ts'
import { apiVersionOf, type GroupVersionKind } from '../machinery/gvk.ts'
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import { jsonText } from '../machinery/jsontext.ts'
import type { Status } from '../machinery/status.ts'
import { typedJson } from '../schema/stringify.ts'

export interface RequestObject {
  readonly json: string
  /** What of its metadata the event's reference may lack. */
  readonly named: Named
}

/** A body that a handler reads, and what it is to be. */
export interface ExpectedBody {
  readonly body: Promise<Body>
  readonly kind: GroupVersionKind
  /** Of bodies that are the resource's own kind. */
  readonly scope: Scope | undefined
}

/** undefined where there was no body, or none that can be read: the answer says why. */
export async function requestObjectOf(
  expected: ExpectedBody,
  verb: string,
  omitManagedFields: boolean,
): Promise<RequestObject | undefined> {
  try {
    const { bytes, mediaType } = await expected.body
    if (bytes.length === 0) return undefined
    if (verb === 'patch') return { json: jsonText(await patchOf(bytes, mediaType)), named: {} }
    const { value } = await parseBody({ bytes, mediaType }, false, expected.kind)
    if (!isObject(value)) return undefined
    if (verb === 'delete' || verb === 'deletecollection') return { json: deleteOptions(value), named: {} }
    return { json: typedJsonOf(value, expected, omitManagedFields), named: namedOf(value) }
  } catch {
    return undefined
  }
}

/** As upstream has it after decoding: with defaults, in the type's order. */
function typedJsonOf(
  { kind: givenKind, apiVersion: given, ...rest }: JsonObject,
  { kind, scope }: ExpectedBody,
  omitManagedFields: boolean,
): string {
  const typed: JsonObject = { kind: givenKind ?? kind.kind, apiVersion: given ?? apiVersionOf(kind), ...rest }
  if (omitManagedFields) dropManagedFields(typed)
  return scope ? typedJson(scope.decode(typed).object, scope.type) : jsonText(typed)
}

/** A patch is JSON, but for those of server-side apply, which may be YAML. */
async function patchOf(bytes: Buffer, mediaType: string): Promise<Json> {
  const type = mediaType.endsWith('+yaml') ? YAML_TYPE : JSON_TYPE
  return (await parseBody({ bytes, mediaType: type }, false)).value
}

/** As upstream names the version that nobody sends. */
function deleteOptions({ kind: _, apiVersion: __, ...rest }: JsonObject): string {
  return jsonText({ kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/__internal', ...rest })
}

function namedOf({ metadata }: JsonObject): Named {
  if (!isObject(metadata)) return {}
  const text = (key: string): string | undefined => {
    const value = metadata[key]
    return typeof value === 'string' ? value : undefined
  }
  const [namespace, name, uid, resourceVersion] = [
    text('namespace'),
    text('name'),
    text('uid'),
    text('resourceVersion'),
  ]
  return { namespace, name, uid, resourceVersion }
}

/** Of a Status what is bounded; of everything else the code alone. */
export function statusOf(answer: WholeAnswer, known?: Status): JsonObject {
  const given = known ?? statusIn(answer)
  if (!given) return { code: answer.status }
  const { status, message, reason, details } = given
  const said = { status, message, reason, details, code: given.code ?? answer.status }
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))
}

const STATUS = '{"kind":"Status"'

function statusIn({ body, contentType }: WholeAnswer): Status | undefined {
  if (contentType !== JSON_TYPE || !Buffer.isBuffer(body)) return undefined
  if (body.toString('latin1', 0, STATUS.length) !== STATUS) return undefined
  return JSON.parse(body.toString()) as Status
}

/** undefined where the answer is no object: a page, a log. */
export async function responseObjectOf(
  { body, contentType = '' }: WholeAnswer,
  omitManagedFields: boolean,
): Promise<string | undefined> {
  const mediaType = contentType.split(';', 1)[0] ?? ''
  if (mediaType !== JSON_TYPE && mediaType !== PROTOBUF_TYPE && mediaType !== YAML_TYPE) return undefined
  const bytes = Buffer.isBuffer(body) ? body : Buffer.concat([...body])
  if (mediaType === JSON_TYPE && !omitManagedFields) return bytes.toString().trimEnd()
  const { value } = await parseBody({ bytes, mediaType }, false)
  if (omitManagedFields && isObject(value)) dropManagedFields(value)
  return jsonText(value)
}

/** Of an object, of the items of a list, of the rows of a table. */
function dropManagedFields(value: JsonObject): void {
  if (isObject(value['metadata'])) delete value['metadata']['managedFields']
  for (const member of ['items', 'rows', 'object']) {
    for (const inner of [value[member]].flat()) if (isObject(inner)) dropManagedFields(inner)
  }
}
