// The kinds that lie in a store, where they are served, and a valid object of each: what the tests of this folder write.
import { apiVersionOf } from '../../src/machinery/gvk.ts'
import type { JsonObject } from '../../src/machinery/json.ts'
import type { Resource } from '../../src/schema/resource.ts'
import { builtinResources } from '../../src/schema/resources.ts'
import { SAMPLES } from './samples.ts'

/** The kinds that lie in a store: those that can be created there, in each version that is served. */
export const storedResources = (): readonly Resource[] =>
  builtinResources().filter(({ storagePrefix, verbs }) => storagePrefix !== '' && verbs.includes('create'))

export const keyOf = ({ group, name }: Resource): string => `${group}/${name}`

/** The path of its collection. */
export function collectionOf({ group, version, name, namespaced }: Resource, namespace = 'default'): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  return namespaced ? `${root}/namespaces/${namespace}/${name}` : `${root}/${name}`
}

/** What of a sample one object of a pair changes, so that both may be there. */
export interface Variant {
  readonly name: string
  /** An address for the kind whose names are addresses. */
  readonly address: string
  /** PEM, base64. */
  readonly signingRequest: string
}

/** A valid object of the kind; undefined for a version of a kind that another version's sample stands for. */
export function sampleOf(resource: Resource, variant: Variant): JsonObject | undefined {
  const sample =
    resource.group === resource.storage.group || resource.name === 'events'
      ? SAMPLES[keyOf(resource)]
      : undefined
  if (!sample || (resource.name === 'horizontalpodautoscalers' && resource.version === 'v1')) return undefined
  const { metadata, ...content } = structuredClone(sample) as { metadata?: JsonObject } & JsonObject
  const object: JsonObject = {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata: { name: variant.name, annotations: { note: 'a "quoted" <text> & more' }, ...metadata },
    ...content,
  }
  settle(keyOf(resource), object, variant)
  return object
}

/** Names that follow from the content, or the other way round. */
function settle(key: string, object: JsonObject, { name, address, signingRequest }: Variant): void {
  const metadata = object['metadata'] as JsonObject
  const spec = object['spec'] as JsonObject
  if (key === 'events.k8s.io/events') metadata['name'] = `${name}.v1`
  if (key === 'networking.k8s.io/ipaddresses') metadata['name'] = address
  if (key === 'certificates.k8s.io/certificatesigningrequests') spec['request'] = signingRequest
  if (key === 'apiregistration.k8s.io/apiservices') {
    metadata['name'] = `v1.${name}.example.com`
    spec['group'] = `${name}.example.com`
  }
  if (key === 'apiextensions.k8s.io/customresourcedefinitions') {
    metadata['name'] = `widgets.${name}.example.com`
    spec['group'] = `${name}.example.com`
  }
}
