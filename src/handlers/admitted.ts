// Admission of requests that store no object of their own: actions on an object, connections through it, reviews.
// Follows createHandler and ConnectResource in k8s.io/apiserver/pkg/endpoints/handlers.
import type { AdmissionAttributes } from '../admission/plugin.ts'
import type { Json, JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { decoderFor } from '../schema/decode.ts'
import type { Subresource } from '../schema/resource.ts'
import { typeOf } from '../schema/types.ts'
import { shownOptions } from './options.ts'
import type { ApiRequest } from './request.ts'
import type { Scope } from './scope.ts'

export interface Passing {
  readonly operation: 'CREATE' | 'CONNECT'
  readonly subresource: string
  /** Of the kind that the place expects. */
  readonly object: KubeObject
  readonly dryRun: boolean
  /** Refuses what admission made of the object, before it is validated. */
  readonly check?: ((object: KubeObject) => void) | undefined
}

/** The object as admission leaves it; rejects with a refusal. */
export async function admitted(scope: Scope, request: ApiRequest, passing: Passing): Promise<KubeObject> {
  const { operation, subresource, object, dryRun, check } = passing
  const { admission } = scope.environment
  const attributes: AdmissionAttributes = {
    operation,
    resource: scope.resource,
    subresource,
    namespace: request.info.namespace,
    name: request.info.name || (object.metadata?.name ?? ''),
    user: request.user,
    dryRun,
    object,
    old: undefined,
    options: operation === 'CREATE' ? shownOptions(request.query, operation) : {},
    warn: (message) => request.warn(message),
    annotate: request.annotate,
    waited: request.waited,
  }
  await admission.admit(attributes)
  check?.(attributes.object ?? object)
  await admission.validate(attributes)
  return attributes.object ?? object
}

const scalar = (text: string, kind: string): Json =>
  kind === 'boolean' ? text !== 'false' && text !== '0' : kind === 'integer' ? Number(text) : text

/** The query of a connection as an object of its kind: PodExecOptions and its like. */
export function connectOptions({ query, info }: ApiRequest, row: Subresource): KubeObject {
  const type = typeOf(row.definition)
  if (!type) throw new Error(`the facts have no type for ${row.definition}`)
  const given: JsonObject = { kind: row.kind, apiVersion: row.version }
  for (const { name, type: of } of type.fields) {
    if (name === 'kind' || name === 'apiVersion' || !query.has(name)) continue
    if (of.kind === 'list') given[name] = query.getAll(name).map((text) => scalar(text, of.item.kind))
    else given[name] = scalar(query.get(name) ?? '', of.kind)
  }
  const marker = `/${row.name}/`
  const at = info.path.indexOf(marker)
  if (row.name === 'proxy' && at >= 0) given['path'] = info.path.slice(at + marker.length - 1)
  return decoderFor(type)(given).object
}
