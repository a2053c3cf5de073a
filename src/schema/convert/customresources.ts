// apiextensions.k8s.io/v1beta1, no longer served, but the version in which upstream still stores definitions: what all
// versions share stands once, at the top of the spec. Read only.
// Follows k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1/conversion.go.
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { changed, changedEach, renamed, type Shape } from './shape.ts'

const COLUMN_NAMES = new Map([['JSONPath', 'jsonPath']])

/** What v1 has in each version only, by its older name. */
const SHARED: readonly (readonly [string, string])[] = [
  ['validation', 'schema'],
  ['subresources', 'subresources'],
  ['additionalPrinterColumns', 'additionalPrinterColumns'],
  ['selectableFields', 'selectableFields'],
]

export const definitionV1beta1: Shape = { toHub: (object) => changed(object, 'spec', specToV1) }

function specToV1(spec: JsonObject): JsonObject {
  const { version, validation, subresources, additionalPrinterColumns, selectableFields, ...kept } = spec
  const shared = { validation, subresources, additionalPrinterColumns, selectableFields } as JsonObject
  const versions = Array.isArray(spec['versions']) ? spec['versions'] : []
  const all: readonly Json[] = versions.length
    ? versions
    : [{ name: version ?? '', served: true, storage: true }]
  const next: JsonObject = {
    ...kept,
    versions: all.map((one) => (isObject(one) ? versionToV1(one, shared) : one)),
  }
  // Whoever says nothing means, in this version, that they are kept.
  if (next['preserveUnknownFields'] === false) delete next['preserveUnknownFields']
  else next['preserveUnknownFields'] = true
  return changed(next, 'conversion', conversionToV1)
}

function versionToV1(version: JsonObject, shared: JsonObject): JsonObject {
  const next = { ...version }
  for (const [from, to] of SHARED) {
    const value = shared[from]
    if (value !== undefined && next[to] === undefined) next[to] = value
  }
  return changedEach(next, 'additionalPrinterColumns', (column) => renamed(column, COLUMN_NAMES))
}

function conversionToV1(conversion: JsonObject): JsonObject {
  const { webhookClientConfig, conversionReviewVersions, ...kept } = conversion
  if (webhookClientConfig === undefined && conversionReviewVersions === undefined) return kept
  const webhook: JsonObject = {}
  if (webhookClientConfig !== undefined) webhook['clientConfig'] = webhookClientConfig
  if (conversionReviewVersions !== undefined) webhook['conversionReviewVersions'] = conversionReviewVersions
  return { ...kept, webhook }
}
