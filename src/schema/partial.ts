// Objects reduced to their metadata: what `Accept: …;as=PartialObjectMetadata;g=meta.k8s.io;v=v1` asks for.
// Follows k8s.io/apiserver/pkg/endpoints/handlers/response.go and k8s.io/apimachinery/pkg/api/meta.
import type { GroupVersionKind } from '../machinery/gvk.ts'
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { notAcceptable, type StatusError } from '../machinery/status.ts'

/** The versions of meta.k8s.io that tables and partial objects exist in. */
export type MetaVersion = 'v1' | 'v1beta1'

/** What a list says of itself; absent keys are left out. */
export interface ListMetadata extends JsonObject {
  resourceVersion?: string
  continue?: string
  remainingItemCount?: number
}

/** The PartialObjectMetadata of an object; shares the metadata with it. */
export function partialObject(object: KubeObject, version: MetaVersion): KubeObject {
  return {
    kind: 'PartialObjectMetadata',
    apiVersion: `meta.k8s.io/${version}`,
    metadata: object.kind === 'DaemonSet' ? withoutTemplateGeneration(object.metadata) : object.metadata,
  }
}

/** For upstream a field, which only the whole object of apps/v1 shows as an annotation. */
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'

function withoutTemplateGeneration(metadata: KubeObject['metadata']): KubeObject['metadata'] {
  const { annotations, ...others } = metadata
  if (annotations?.[TEMPLATE_GENERATION] === undefined) return metadata
  const { [TEMPLATE_GENERATION]: _, ...kept } = annotations
  return Object.keys(kept).length > 0 ? { ...others, annotations: kept } : others
}

/** The PartialObjectMetadataList of objects; shares their metadata with them. */
export function partialList(
  objects: readonly KubeObject[],
  metadata: ListMetadata,
  version: MetaVersion,
): JsonObject {
  const items = objects.map((object) => partialObject(object, version))
  return {
    kind: 'PartialObjectMetadataList',
    apiVersion: `meta.k8s.io/${version}`,
    metadata,
    // Upstream's empty slice is nil here, which JSON shows as null.
    items: items.length > 0 ? items : null,
  }
}

/** Upstream's message names the Go type: the group's first label is the package. */
function goType({ group, kind }: Pick<GroupVersionKind, 'group' | 'kind'>): string {
  if (group === '' || group === 'events.k8s.io') return `*core.${kind}`
  if (group === 'internal.apiserver.k8s.io') return `*apiserverinternal.${kind}`
  return `*${group.split('.')[0]}.${kind}`
}

/** 406: one partial object was asked of a request that answers with a list. `list` is the list's kind. */
export function listIsNoObject(list: Pick<GroupVersionKind, 'group' | 'kind'>): StatusError {
  return notAcceptable(
    `you requested PartialObjectMetadata, but the requested object is a list (${goType(list)})`,
  )
}

/** 406: a list of partial objects was asked of a request that answers with one object. */
export function objectIsNoList(object: Pick<GroupVersionKind, 'group' | 'kind'>): StatusError {
  return notAcceptable(
    `you requested PartialObjectMetadataList, but the requested object is not a list (${goType(object)})`,
  )
}
