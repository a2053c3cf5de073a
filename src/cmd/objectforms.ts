// Objects in the versions in which they are served, for the webhooks of admission.
// Follows k8s.io/apiserver/pkg/admission/conversion.go and pkg/endpoints/installer.go (which resources are equivalent).
import type { PolicyNeeds } from '../admission/policies/needs.ts'
import type { ObjectForms } from '../admission/webhooks/forms.ts'
import type { Scopes } from '../handlers/scope.ts'
import { parseGroupVersion } from '../machinery/gvk.ts'
import { subresourceFor } from '../registry/subresources.ts'
import { decoderFor } from '../schema/decode.ts'
import type { Resource } from '../schema/resource.ts'
import type { StructType } from '../schema/type.ts'
import { typeOf } from '../schema/types.ts'

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
    shown(object, resource, subresource) {
      const part = subresource === '' ? undefined : subresourceFor(resource, subresource)
      if (part?.mode === 'action' || part?.mode === 'connection') return object
      const whole = scopes().of(resource).toServed(object)
      return part?.mode === 'projection' ? part.get(whole) : whole
    },
    taken(value, { resource, subresource }, object) {
      const scope = scopes().of(resource)
      const part = subresource === '' ? undefined : subresourceFor(resource, subresource)
      if (!part || part.mode === 'whole') return scope.toStorage(scope.decode(value).object)
      const decoded = decoderOf(resource, subresource)(value).object
      if (part.mode !== 'projection') return decoded
      return scope.toStorage(part.update(scope.toServed(object), decoded))
    },
  }
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
