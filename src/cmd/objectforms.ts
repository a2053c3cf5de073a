// Objects in the versions in which they are served, for the webhooks of admission.
// Follows k8s.io/apiserver/pkg/admission/conversion.go and pkg/endpoints/installer.go (which resources are equivalent).
import type { ObjectForms } from '../admission/webhooks/forms.ts'
import type { Scopes } from '../handlers/scope.ts'
import { subresourceFor } from '../registry/subresources.ts'
import { decoderFor } from '../schema/decode.ts'
import type { Resource } from '../schema/resource.ts'
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

function decoderOf(resource: Resource, subresource: string): ReturnType<typeof decoderFor> {
  const row = resource.subresources.find(({ name }) => name === subresource)
  const type = row && typeOf(row.definition)
  if (!type) throw new Error(`the facts have no type for ${resource.name}/${subresource}`)
  return decoderFor(type)
}
