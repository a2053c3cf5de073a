// What metadata may hold, for every kind alike: the causes of a faulty ObjectMeta, in upstream's order.
// Called by generic.ts. Follows k8s.io/apimachinery/pkg/api/validation (objectmeta.go) and apis/meta/v1/validation.
import { labelsCauses } from '../machinery/labels.ts'
import type { KubeObject, ManagedFieldsEntry, ObjectMeta, OwnerReference } from '../machinery/object.ts'
import { parseGroupVersion } from '../machinery/gvk.ts'
import { goQuote } from '../machinery/quote.ts'
import { badRequest, cause, type StatusCause } from '../machinery/status.ts'
import { dns1123LabelErrors, pathSegmentErrors, qualifiedNameErrors } from '../machinery/validation.ts'
import { semanticEqual } from './equality.ts'

/** Keys and values of all annotations together, in bytes; what etcd and watchers can bear. */
export const MAX_ANNOTATION_BYTES = 256 * 1024
/** Longest name of a field manager, in bytes. */
const MAX_MANAGER_BYTES = 128
/** Longest name of a subresource in managedFields, in bytes. */
const MAX_SUBRESOURCE_BYTES = 256

const STANDARD_FINALIZERS: ReadonlySet<string> = new Set(['kubernetes', 'orphan', 'foregroundDeletion'])
export const FIELD_IMMUTABLE = 'field is immutable'

const own = (map: Record<string, string> | undefined): string[] => (map ? Object.keys(map) : [])

/** Annotations: keys are qualified names in any case, the total size is bounded. */
export function annotationCauses(
  annotations: Record<string, string> | undefined,
  field: string,
  causes: StatusCause[],
): void {
  let bytes = 0
  for (const key of own(annotations)) {
    for (const fault of qualifiedNameErrors(key.toLowerCase())) causes.push(cause.invalid(field, key, fault))
    bytes += Buffer.byteLength(key) + Buffer.byteLength(annotations?.[key] ?? '')
  }
  if (bytes > MAX_ANNOTATION_BYTES) causes.push(cause.tooLong(field, MAX_ANNOTATION_BYTES))
}

/** The reference with its keys in the order in which upstream shows them. */
const shownOwner = (ref: OwnerReference): OwnerReference => ({
  apiVersion: ref.apiVersion ?? '',
  kind: ref.kind ?? '',
  name: ref.name ?? '',
  uid: ref.uid ?? '',
  ...(ref.controller === undefined ? {} : { controller: ref.controller }),
  ...(ref.blockOwnerDeletion === undefined ? {} : { blockOwnerDeletion: ref.blockOwnerDeletion }),
})

function ownerReferenceCauses(ref: OwnerReference, field: string, causes: StatusCause[]): void {
  const version = parseGroupVersion(ref.apiVersion ?? '')?.version
  if (!version)
    causes.push(cause.invalid(`${field}.apiVersion`, ref.apiVersion ?? '', 'version must not be empty'))
  if (!ref.kind) causes.push(cause.invalid(`${field}.kind`, ref.kind ?? '', 'must not be empty'))
  if (!ref.name) causes.push(cause.invalid(`${field}.name`, ref.name ?? '', 'must not be empty'))
  if (!ref.uid) causes.push(cause.invalid(`${field}.uid`, ref.uid ?? '', 'must not be empty'))
  if (ref.apiVersion === 'v1' && ref.kind === 'Event') {
    causes.push(cause.invalid(field, shownOwner(ref), '/v1, Kind=Event is disallowed from being an owner'))
  }
}

function ownerReferencesCauses(refs: readonly OwnerReference[], field: string, causes: StatusCause[]): void {
  let first = ''
  for (const ref of refs) {
    ownerReferenceCauses(ref, field, causes)
    if (ref.controller !== true) continue
    const current = `${ref.kind}/${ref.name}`
    if (first) {
      const why = `Only one reference can have Controller set to true. Found "true" in references for ${first} and ${current}`
      causes.push(cause.invalid(field, refs.map(shownOwner), why))
    } else first = current
  }
}

function finalizerCauses(finalizers: readonly string[], field: string, causes: StatusCause[]): void {
  for (const name of finalizers) {
    for (const fault of qualifiedNameErrors(name)) causes.push(cause.invalid(field, name, fault))
  }
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    const why = 'finalizer orphan and foregroundDeletion cannot be both set'
    causes.push(cause.invalid(field, finalizers, why))
  }
}

/** The stricter finalizer rule of the built-in kinds: a standard name, or one with a domain. */
export function kubeFinalizerCauses(meta: ObjectMeta, causes: StatusCause[]): void {
  meta.finalizers?.forEach((name, i) => {
    if (name.includes('/') || STANDARD_FINALIZERS.has(name)) return
    const why = 'name is neither a standard finalizer name nor is it fully qualified'
    causes.push(cause.invalid(`metadata.finalizers[${i}]`, name, why))
  })
}

const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u

/** A field manager's name: short and printable. */
export function fieldManagerCauses(manager: string, field: string, causes: StatusCause[]): void {
  if (Buffer.byteLength(manager) > MAX_MANAGER_BYTES) causes.push(cause.tooLong(field, MAX_MANAGER_BYTES))
  if (!UNPRINTABLE.test(manager)) return
  let position = 0
  for (const char of manager) {
    if (UNPRINTABLE.test(char)) {
      const code = `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
      causes.push(cause.invalid(field, manager, `invalid character ${code} (at position ${position})`))
    }
    position += Buffer.byteLength(char)
  }
}

function managedFieldsCauses(
  entries: readonly ManagedFieldsEntry[],
  field: string,
  causes: StatusCause[],
): void {
  entries.forEach((entry, i) => {
    const at = `${field}[${i}]`
    if (entry.operation !== 'Apply' && entry.operation !== 'Update') {
      causes.push(cause.invalid(`${at}.operation`, entry.operation ?? '', 'must be `Apply` or `Update`'))
    }
    if (entry.fieldsType && entry.fieldsType !== 'FieldsV1') {
      causes.push(cause.invalid(`${at}.fieldsType`, entry.fieldsType, 'must be `FieldsV1`'))
    }
    if (entry.manager) fieldManagerCauses(entry.manager, `${at}.manager`, causes)
    if (entry.subresource && Buffer.byteLength(entry.subresource) > MAX_SUBRESOURCE_BYTES) {
      causes.push(cause.tooLong(`${at}.subresource`, MAX_SUBRESOURCE_BYTES))
    }
  })
}

/** What the rules of create and of update have in common; `finalizers` are checked on create only. */
function sharedCauses(meta: ObjectMeta, withFinalizers: boolean, causes: StatusCause[]): void {
  if (meta.labels) causes.push(...labelsCauses(meta.labels, 'metadata.labels'))
  annotationCauses(meta.annotations, 'metadata.annotations', causes)
  if (meta.ownerReferences) ownerReferencesCauses(meta.ownerReferences, 'metadata.ownerReferences', causes)
  if (withFinalizers && meta.finalizers) finalizerCauses(meta.finalizers, 'metadata.finalizers', causes)
  if (meta.managedFields) managedFieldsCauses(meta.managedFields, 'metadata.managedFields', causes)
}

/** `rule` may go by the object, too. */
type NameRuleOf = (name: string, prefix: boolean, object: KubeObject) => string[]

function nameCauses(object: KubeObject, rule: NameRuleOf, causes: StatusCause[]): void {
  const meta = object.metadata
  if (meta.generateName) {
    for (const fault of rule(meta.generateName, true, object)) {
      causes.push(cause.invalid('metadata.generateName', meta.generateName, fault))
    }
  }
  if (!meta.name) causes.push(cause.required('metadata.name', 'name or generateName is required'))
  else
    for (const fault of rule(meta.name, false, object))
      causes.push(cause.invalid('metadata.name', meta.name, fault))
}

function namespaceCauses(meta: ObjectMeta, namespaced: boolean, causes: StatusCause[]): void {
  if (!namespaced) {
    if (meta.namespace) causes.push(cause.forbidden('metadata.namespace', 'not allowed on this type'))
  } else if (!meta.namespace) causes.push(cause.required('metadata.namespace'))
  else {
    for (const fault of dns1123LabelErrors(meta.namespace)) {
      causes.push(cause.invalid('metadata.namespace', meta.namespace, fault))
    }
  }
}

/** The causes of metadata as a whole, whatever stood there before. */
export function metadataCauses(object: KubeObject, namespaced: boolean, rule: NameRuleOf): StatusCause[] {
  const causes: StatusCause[] = []
  const meta = object.metadata
  nameCauses(object, rule, causes)
  namespaceCauses(meta, namespaced, causes)
  if ((meta.generation ?? 0) < 0) {
    causes.push(cause.invalid('metadata.generation', meta.generation, 'must be greater than or equal to 0'))
  }
  sharedCauses(meta, true, causes)
  return causes
}

const IMMUTABLE = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const

function newFinalizerCauses(meta: ObjectMeta, old: ObjectMeta, causes: StatusCause[]): void {
  if (!old.deletionTimestamp) return
  const extra = (meta.finalizers ?? []).filter((name) => !old.finalizers?.includes(name)).sort()
  if (!extra.length) return
  const names = [...new Set(extra)].map((name) => JSON.stringify(name)).join(', ')
  const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${names}}`
  causes.push(cause.forbidden('metadata.finalizers', why))
}

/** The causes of a change of metadata: what may not change, and the shared rules on the new state. */
export function metadataUpdateCauses(object: KubeObject, old: KubeObject): StatusCause[] {
  const causes: StatusCause[] = []
  const meta = object.metadata
  newFinalizerCauses(meta, old.metadata, causes)
  if (!meta.resourceVersion) {
    causes.push(cause.invalid('metadata.resourceVersion', '', 'must be specified for an update'))
  }
  if ((meta.generation ?? 0) < (old.metadata.generation ?? 0)) {
    causes.push(cause.invalid('metadata.generation', meta.generation ?? 0, 'must not be decremented'))
  }
  for (const key of IMMUTABLE) {
    if (semanticEqual(meta[key] === '' ? undefined : meta[key], old.metadata[key])) continue
    const none = key === 'creationTimestamp' ? null : ''
    causes.push(cause.invalid(`metadata.${key}`, meta[key] ?? none, FIELD_IMMUTABLE))
  }
  sharedCauses(meta, false, causes)
  return causes
}

/** What only an escape can bring into a path, `.` and `..` name nothing that is stored. */
export function requirePathSegment(name: string): void {
  const faults = pathSegmentErrors(name)
  if (faults.length) throw badRequest(`Name parameter invalid: ${goQuote(name)}: ${faults.join(';')}`)
}
