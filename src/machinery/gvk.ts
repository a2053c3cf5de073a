// Group, version, kind and resource: how the API names its types.
// Follows k8s.io/apimachinery/pkg/runtime/schema.

export interface GroupVersion {
  readonly group: string
  readonly version: string
}
export interface GroupVersionKind extends GroupVersion {
  readonly kind: string
}
export interface GroupVersionResource extends GroupVersion {
  readonly resource: string
}
export interface GroupResource {
  readonly group: string
  readonly resource: string
}

/** "apps/v1" or "v1" (the core group has the empty name); undefined where there is more than one slash. */
export function parseGroupVersion(apiVersion: string): GroupVersion | undefined {
  const parts = apiVersion.split('/')
  if (parts.length === 1) return { group: '', version: apiVersion }
  if (parts.length === 2) return { group: parts[0] as string, version: parts[1] as string }
  return undefined
}

/** The `apiVersion` of objects of this group and version. */
export function apiVersionOf(gv: GroupVersion): string {
  return gv.group === '' ? gv.version : `${gv.group}/${gv.version}`
}

/** "deployments.apps", or "pods" in the core group: how error messages name a resource. */
export function qualifiedResource(gr: GroupResource): string {
  return gr.group === '' ? gr.resource : `${gr.resource}.${gr.group}`
}
