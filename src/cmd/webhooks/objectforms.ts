// Objects in the versions in which they are served, for the webhooks of admission.
// Follows k8s.io/apiserver/pkg/admission/conversion.go and pkg/endpoints/installer.go (which resources are equivalent).
import type { PolicyNeeds } from '../../admission/policies/needs.ts'
import type { ObjectForms } from '../../admission/webhooks/forms.ts'
import type { Scope, Scopes } from '../../handlers/scope.ts'
import { replicasPath } from '../../handlers/write.ts'
import { apiVersionOf, parseGroupVersion } from '../../machinery/gvk.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { subresourceFor } from '../../registry/subresources.ts'
import { decoderFor } from '../../schema/decode.ts'
import { scaleOwners } from '../../schema/ownership/managedfields-scale.ts'
import type { Resource } from '../../schema/resource.ts'
import type { StructType } from '../../schema/type.ts'
import { typeOf } from '../../schema/types.ts'

/** `served` lists all resources that are served now. */
export function objectForms(scopes: () => Scopes, served: () => readonly Resource[]): ObjectForms {
  return {
    equivalents: ({ storagePrefix, group, version }) =>
      storagePrefix === ''
        ? []
        : served().filter(
            (other) =>
              other.storagePrefix === storagePrefix && (other.group !== group || other.version !== version),
          ),
    async shown(object, { resource, subresource, owned }) {
      const part = partOf(scopes(), resource, subresource)
      if (part?.mode === 'action' || part?.mode === 'connection') return object
      const scope = scopes().of(resource)
      const { custom } = scope.kind
      const whole = custom ? await custom.inVersion(object) : scope.toServed(object)
      if (part?.mode !== 'projection') return whole
      return owned ? withOwners(part.get(whole), whole, scope) : part.get(whole)
    },
    async taken(value, { resource, subresource }, object) {
      const scope = scopes().of(resource)
      const part = partOf(scopes(), resource, subresource)
      if (!part || part.mode === 'whole') return back(scope, scope.decode(value).object, object)
      const decoded = decoderOf(resource, subresource)(value).object
      if (part.mode !== 'projection') return decoded
      const whole = await this.shown(object, { resource, subresource: '', owned: false })
      return back(scope, part.update(whole, decoded), object)
    },
  }

  /** As admission has it: custom kinds in the version of the request, whose object `of` is. */
  function back(scope: Scope, object: KubeObject, of: KubeObject): KubeObject | Promise<KubeObject> {
    if (!scope.kind.custom) return scope.toStorage(object)
    const { apiVersion } = of
    const row = served().find(
      ({ storagePrefix, group, version }) =>
        storagePrefix === scope.resource.storagePrefix && apiVersionOf({ group, version }) === apiVersion,
    )
    const { custom } = row ? scopes().of(row).kind : scope.kind
    return custom ? custom.inVersion(object) : object
  }
}

/** A Scale, with those who own its replicas. */
function withOwners(part: KubeObject, whole: KubeObject, scope: Scope): KubeObject {
  const { apiVersion } = scope
  const entries = whole.metadata.managedFields
  const managedFields = scaleOwners({ entries, apiVersion, replicasPath: replicasPath(scope) })
  return managedFields ? { ...part, metadata: { ...part.metadata, managedFields } } : part
}

/** How a subresource shows its object; the Scale of a custom kind stands where its definition says. */
function partOf(
  scopes: Scopes,
  resource: Resource,
  subresource: string,
): ReturnType<typeof subresourceFor> | undefined {
  if (subresource === '') return undefined
  if (subresource !== 'scale' || !resource.custom) return subresourceFor(resource, subresource)
  return scopes.of(resource).kind.custom?.scale
}

/** What admission policies need to know of kinds. */
export function policyNeeds(
  scopes: () => Scopes,
  {
    forms,
    authorizer,
    served,
  }: Pick<PolicyNeeds, 'forms' | 'authorizer'> & { served: { all(): readonly Resource[] } },
): PolicyNeeds {
  return {
    forms,
    authorizer,
    resourceOf(apiVersion, kind) {
      const { group, version } = parseGroupVersion(apiVersion) ?? {}
      return served.all().find((row) => row.kind === kind && row.group === group && row.version === version)
    },
    typeOf(resource, subresource) {
      const part = subresource === '' ? undefined : subresourceFor(resource, subresource)
      return !part || part.mode === 'whole' ? scopes().of(resource).type : typeOfPart(resource, subresource)
    },
  }
}

function typeOfPart(resource: Resource, subresource: string): StructType {
  const row = resource.subresources.find(({ name }) => name === subresource)
  const type = row && typeOf(row.definition)
  if (!type) throw new Error(`the facts have no type for ${resource.name}/${subresource}`)
  return type
}

function decoderOf(resource: Resource, subresource: string): ReturnType<typeof decoderFor> {
  return decoderFor(typeOfPart(resource, subresource))
}
