// Which view a request gets. Follows k8s.io/apiserver/pkg/endpoints/handlers/response.go.
import type { JsonObject } from '../machinery/json.ts'
import { jsonText } from '../machinery/jsontext.ts'
import { notAcceptable, type Status } from '../machinery/status.ts'
import { encode as encodeProtobuf } from '../schema/protobuf/envelope.ts'
import { typeForKind } from '../schema/types.ts'
import { toYaml } from '../schema/yaml/yaml.ts'
import { listIsNoObject, objectIsNoList } from '../schema/partial.ts'
import { parseIncludeObject } from '../schema/table.ts'
import type { ApiRequest, WholeAnswer } from './request.ts'
import type { Scope } from './scope.ts'
import { JSON_TYPE, PROTOBUF_TYPE, type View, YAML_TYPE } from './view.ts'
import { JsonView } from './view-json.ts'
import { PartialView } from './view-partial.ts'
import { ProtobufView } from './view-protobuf.ts'
import { TableView } from './view-table.ts'
import { YamlView } from './view-yaml.ts'

/** What the answer is: one object, a collection, or a stream of events. */
export type Shape = 'object' | 'list' | 'watch'

const plainViews = new WeakMap<Scope, JsonView>()

/** The view that the Accept header asks for. Throws 406 for a transformation that does not fit the shape, 400 for odd options. */
export function viewOf(scope: Scope, request: ApiRequest, shape: Shape): View {
  const { accept } = request
  if (accept.as !== undefined) return transformed(scope, request, shape)
  switch (accept.encoding) {
    case 'json':
      return plainView(scope)
    case 'protobuf':
      return new ProtobufView(scope)
    case 'yaml':
      refuseStream(shape)
      return new YamlView(plainView(scope))
  }
}

/** There are no watches in YAML. */
function refuseStream(shape: Shape): void {
  if (shape !== 'watch') return
  const streams = 'application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch'
  throw notAcceptable(`only the following media types are accepted: ${streams}`)
}

function plainView(scope: Scope): JsonView {
  let view = plainViews.get(scope)
  if (!view) plainViews.set(scope, (view = new JsonView(scope)))
  return view
}

function transformed(scope: Scope, request: ApiRequest, shape: Shape): View {
  const { as, asVersion, encoding } = request.accept
  const version = asVersion === 'v1beta1' ? 'v1beta1' : 'v1'
  const { group, kind, listKind } = scope.resource
  if (as === 'PartialObjectMetadata' && shape === 'list')
    return refusing(plainView(scope), () => listIsNoObject({ group, kind: listKind }))
  if (as === 'PartialObjectMetadataList' && shape === 'object')
    return refusing(plainView(scope), () => objectIsNoList({ group, kind }))
  if (encoding === 'yaml') refuseStream(shape)
  const view =
    as === 'Table'
      ? new TableView(scope, parseIncludeObject(request.query.get('includeObject') ?? ''), version)
      : new PartialView(scope, version, encoding)
  return encoding === 'yaml' ? new YamlView(view) : view
}

/** The request is carried out, and only then is its answer what cannot be made: as upstream has it. */
function refusing(view: View, error: () => Error): View {
  const refuse = (): never => {
    throw error()
  }
  return {
    contentType: view.contentType,
    streamContentType: view.streamContentType,
    key: view.key,
    object: refuse,
    list: refuse,
    frame: refuse,
    bookmark: refuse,
    errorFrame: refuse,
  }
}

/** An answer that is no object of the store: a Status or a review, in the encoding that was asked for. */
export function statusBody(
  request: Pick<ApiRequest, 'accept'>,
  status: number,
  object: Status | JsonObject,
): WholeAnswer {
  const { encoding } = request.accept
  if (encoding === 'protobuf') {
    const gvk = gvkOf(object)
    const type = gvk && typeForKind(gvk)
    if (type?.message) return { status, contentType: PROTOBUF_TYPE, body: encodeProtobuf(object, type) }
  }
  if (encoding === 'yaml') return { status, contentType: YAML_TYPE, body: Buffer.from(toYaml(object)) }
  return { status, contentType: JSON_TYPE, body: Buffer.from(`${jsonText(object)}\n`) }
}

function gvkOf(object: JsonObject) {
  const { apiVersion, kind } = object
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return undefined
  const slash = apiVersion.indexOf('/')
  return { group: slash < 0 ? '' : apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1), kind }
}
