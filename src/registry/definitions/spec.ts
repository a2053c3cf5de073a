// The rules for definitions: what is refused when one is created or updated.
// Follows k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation (validation.go).
import { isObject, type JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { cause, type StatusCause } from '../../machinery/status.ts'
import { dns1035LabelErrors, dns1123SubdomainErrors } from '../../machinery/validation.ts'
import { isKnownFormat } from '../../schema/custom/formats.ts'
import { isSame } from '../../schema/ownership/fieldset-compare.ts'
import { APPROVAL, approvalOf, isProtectedGroup } from '../custom/approval.ts'
import { isTrue } from '../custom/definition.ts'
import { FIELD_IMMUTABLE } from '../metadata.ts'
import { bundleCauses, conversionCauses } from './conversion.ts'
import { type Shared, versionsForm } from './goform.ts'
import { listOf, schemasIn, textAt } from './reading.ts'
import {
  columnCauses,
  deprecationCauses,
  selectableCauses,
  subresourceCauses,
  validationCauses,
} from './version.ts'

const objectAt = (object: JsonObject, key: string): JsonObject => {
  const value = object[key]
  return isObject(value) ? value : {}
}

const schemaIn = (version: JsonObject): JsonObject | undefined => {
  const schema = objectAt(version, 'schema')['openAPIV3Schema']
  return isObject(schema) ? schema : undefined
}

/** What all versions say alike is told once: upstream's causes name it so. */
function sharedIn(versions: readonly JsonObject[]): Shared {
  const [first] = versions
  const same = (key: string): boolean =>
    first?.[key] !== undefined &&
    first[key] !== null &&
    versions.every((version) => isSame(version[key], first[key]))
  return {
    schema: same('schema'),
    subresources: same('subresources'),
    additionalPrinterColumns: same('additionalPrinterColumns'),
    selectableFields: same('selectableFields'),
  }
}

interface Where {
  readonly shared: Shared
  /** Versions whose schema is stored as it is. */
  readonly known: ReadonlySet<string>
  readonly path: string
}

function knownSchemas(versions: readonly JsonObject[], before: readonly JsonObject[]): ReadonlySet<string> {
  const had = new Map(before.map((version) => [textAt(version, 'name'), schemaIn(version)]))
  const names = versions
    .map((version) => ({ name: textAt(version, 'name'), schema: schemaIn(version) }))
    .filter(({ name, schema }) => schema !== undefined && isSame(schema, had.get(name)))
  return new Set(names.map(({ name }) => name))
}

/** Causes for which a new definition is refused, metadata's common ones aside. */
export function definitionCauses(definition: KubeObject): StatusCause[] {
  return [
    ...specCauses(objectAt(definition, 'spec')),
    ...statusCauses(definition),
    ...approvalCauses(definition, undefined),
    ...preserveCauses(definition, undefined),
  ]
}

/** Causes for which a new state of a definition is refused. */
export function definitionUpdateCauses(definition: KubeObject, old: KubeObject): StatusCause[] {
  const spec = objectAt(definition, 'spec')
  const before = objectAt(old, 'spec')
  return [
    // What was let in once is not refused for being as it was.
    ...(isSame(spec, before) ? [] : specCauses(spec, before)),
    ...(isTrue(old, 'Established') ? bundleCauses(spec, before) : []),
    ...immutableCauses(spec, before, isTrue(old, 'Established')),
    ...statusCauses(definition),
    ...approvalCauses(definition, old),
    ...preserveCauses(definition, old),
  ]
}

function specCauses(spec: JsonObject, before?: JsonObject): StatusCause[] {
  const known = knownSchemas(listOf(spec, 'versions'), before ? listOf(before, 'versions') : [])
  const causes: StatusCause[] = []
  groupCauses(spec, causes)
  const scope = textAt(spec, 'scope')
  if (scope === '') causes.push(cause.required('spec.scope'))
  else if (scope !== 'Cluster' && scope !== 'Namespaced')
    causes.push(cause.notSupported('spec.scope', scope, ['Cluster', 'Namespaced']))
  const versions = listOf(spec, 'versions')
  const shared = sharedIn(versions)
  versions.forEach((version, i) => {
    if (!schemaIn(version)) causes.push(cause.required(`spec.versions[${i}].schema.openAPIV3Schema`))
  })
  versions.forEach((version, i) =>
    versionCauses(version, { shared, known, path: `spec.versions[${i}]` }, causes),
  )
  countCauses(spec, versions, shared, causes)
  const names = objectAt(spec, 'names')
  for (const key of ['plural', 'singular', 'kind', 'listKind'])
    if (textAt(names, key) === '') causes.push(cause.required(`spec.names.${key}`))
  causes.push(...namesCauses(names, 'spec.names'))
  const [first] = versions
  if (first) sharedCauses(first, versions, { shared, known, path: 'spec' }, causes)
  causes.push(...conversionCauses(spec))
  return causes
}

function groupCauses(spec: JsonObject, causes: StatusCause[]): void {
  const group = textAt(spec, 'group')
  const faults = dns1123SubdomainErrors(group)
  if (group === '') causes.push(cause.required('spec.group'))
  else if (faults.length > 0) causes.push(cause.invalid('spec.group', group, faults.join(',')))
  else if (!group.includes('.'))
    causes.push(cause.invalid('spec.group', group, 'should be a domain with at least one dot'))
}

const hasStatus = (version: JsonObject): boolean => isObject(objectAt(version, 'subresources')['status'])

/** What a version says for itself. */
function versionCauses(version: JsonObject, { shared, known, path }: Where, causes: StatusCause[]): void {
  const name = textAt(version, 'name')
  const faults = dns1035LabelErrors(name)
  if (faults.length > 0) causes.push(cause.invalid(`${path}.name`, name, faults.join(',')))
  causes.push(...deprecationCauses(version, path))
  const schema = schemaIn(version)
  if (schema && !shared.schema)
    causes.push(...validationCauses(schema, hasStatus(version), `${path}.schema`, known.has(name)))
  if (!shared.subresources)
    causes.push(...subresourceCauses(objectAt(version, 'subresources'), `${path}.subresources`))
  if (!shared.additionalPrinterColumns) columns(version, `${path}.additionalPrinterColumns`, causes)
  if (!shared.selectableFields) causes.push(...selectableCauses(version, schema, `${path}.selectableFields`))
}

function columns(version: JsonObject, path: string, causes: StatusCause[]): void {
  listOf(version, 'additionalPrinterColumns').forEach((column, i) =>
    causes.push(...columnCauses(column, `${path}[${i}]`)),
  )
}

/** What all versions say alike. */
function sharedCauses(
  first: JsonObject,
  versions: readonly JsonObject[],
  { shared, known, path }: Where,
  causes: StatusCause[],
): void {
  const schema = schemaIn(first)
  if (shared.schema && schema)
    causes.push(
      ...validationCauses(
        schema,
        versions.some(hasStatus),
        `${path}.validation`,
        known.has(textAt(first, 'name')),
      ),
    )
  if (shared.subresources)
    causes.push(...subresourceCauses(objectAt(first, 'subresources'), `${path}.subresources`))
  if (shared.additionalPrinterColumns) columns(first, `${path}.additionalPrinterColumns`, causes)
  if (shared.selectableFields) causes.push(...selectableCauses(first, schema, `${path}.selectableFields`))
}

function countCauses(
  spec: JsonObject,
  versions: readonly JsonObject[],
  shared: Shared,
  causes: StatusCause[],
): void {
  const names = versions.map((version) => textAt(version, 'name'))
  const invalid = (why: string) =>
    causes.push(cause.invalid('spec.versions', versionsForm(spec['versions'], shared), why))
  if (new Set(names).size < names.length) invalid('must contain unique version names')
  if (versions.filter((version) => version['storage'] === true).length !== 1)
    invalid('must have exactly one version marked as storage version')
  const faults = names[0] ? dns1035LabelErrors(names[0]) : []
  if (faults.length > 0) causes.push(cause.invalid('spec.version', names[0], faults.join(',')))
}

/** Rules of names, asked for or accepted. */
function namesCauses(names: JsonObject, path: string): StatusCause[] {
  const causes: StatusCause[] = []
  const label = (field: string, name: string, mixed = false): void => {
    const faults = dns1035LabelErrors(mixed ? name.toLowerCase() : name)
    if (name === '' || faults.length === 0) return
    const why = `${mixed ? 'may have mixed case, but should otherwise match: ' : ''}${faults.join(',')}`
    causes.push(cause.invalid(`${path}.${field}`, name, why))
  }
  label('plural', textAt(names, 'plural'))
  label('singular', textAt(names, 'singular'))
  label('kind', textAt(names, 'kind'), true)
  label('listKind', textAt(names, 'listKind'), true)
  const each = (key: string): void => {
    const list = names[key]
    if (!Array.isArray(list)) return
    list.forEach((name, i) => {
      const faults = dns1035LabelErrors(String(name))
      if (faults.length) causes.push(cause.invalid(`${path}.${key}[${i}]`, String(name), faults.join(',')))
    })
  }
  each('shortNames')
  const kind = textAt(names, 'kind')
  if (kind !== '' && kind === textAt(names, 'listKind'))
    causes.push(cause.invalid(`${path}.listKind`, kind, 'kind and listKind may not be the same'))
  each('categories')
  return causes
}

function immutableCauses(spec: JsonObject, before: JsonObject, established: boolean): StatusCause[] {
  const causes: StatusCause[] = []
  const check = (field: string, now: string, was: string): void => {
    if (now !== was) causes.push(cause.invalid(field, now, FIELD_IMMUTABLE))
  }
  const names = objectAt(spec, 'names')
  const had = objectAt(before, 'names')
  if (established) {
    check('spec.scope', textAt(spec, 'scope'), textAt(before, 'scope'))
    check('spec.names.kind', textAt(names, 'kind'), textAt(had, 'kind'))
  }
  check('spec.group', textAt(spec, 'group'), textAt(before, 'group'))
  check('spec.names.plural', textAt(names, 'plural'), textAt(had, 'plural'))
  return causes
}

/** The rules of what a write to the status says. */
export const acceptedNamesCauses = (definition: KubeObject): StatusCause[] =>
  namesCauses(objectAt(objectAt(definition, 'status'), 'acceptedNames'), 'status.acceptedNames')

function statusCauses(definition: KubeObject): StatusCause[] {
  const status = objectAt(definition, 'status')
  const causes = acceptedNamesCauses(definition)
  const stored = status['storedVersions']
  const known = Array.isArray(stored) ? stored.map(String) : []
  const field = 'status.storedVersions'
  if (known.length === 0) {
    causes.push(cause.invalid(field, stored ?? null, 'must have at least one stored version'))
    return causes
  }
  const versions = listOf(objectAt(definition, 'spec'), 'versions')
  // Each stored version answers for one version: a name that is there twice lacks the second.
  const open = new Set(known)
  for (const version of versions) {
    const name = textAt(version, 'name')
    if (version['storage'] === true && !open.has(name))
      causes.push(cause.invalid(field, known, `must have the storage version ${name}`))
    open.delete(name)
  }
  known.forEach((name, i) => {
    if (!open.has(name)) return
    const why = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`
    causes.push(cause.invalid(`${field}[${i}]`, name, why))
  })
  return causes
}

function approvalCauses(definition: KubeObject, old: KubeObject | undefined): StatusCause[] {
  if (!isProtectedGroup(objectAt(definition, 'spec')['group'])) return []
  const approval = approvalOf(definition)
  if (!approval || (old && approvalOf(old)?.reason === approval.reason)) return []
  const field = `metadata.annotations[${APPROVAL}]`
  if (approval.reason === 'MissingAnnotation') return [cause.required(field, approval.message)]
  if (approval.reason !== 'InvalidAnnotation') return []
  return [cause.invalid(field, definition.metadata.annotations?.[APPROVAL] ?? '', approval.message)]
}

function preserveCauses(definition: KubeObject, old: KubeObject | undefined): StatusCause[] {
  if (old && objectAt(old, 'spec')['preserveUnknownFields'] === true) return []
  if (objectAt(definition, 'spec')['preserveUnknownFields'] !== true) return []
  const why =
    'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead'
  return [cause.invalid('spec.preserveUnknownFields', true, why)]
}

/** Warnings for formats that are not known, those that `old` has not had already. */
export function formatWarnings(definition: KubeObject, old: KubeObject | undefined): string[] {
  const had = new Set(old ? unknownFormats(old) : [])
  return unknownFormats(definition)
    .filter((format) => !had.has(format))
    .map((format) => `unrecognized format ${JSON.stringify(format)}`)
}

function unknownFormats(definition: KubeObject): string[] {
  const formats = new Set<string>()
  for (const version of listOf(objectAt(definition, 'spec'), 'versions')) {
    for (const schema of schemasIn(schemaIn(version) ?? {})) {
      const format = textAt(schema, 'format')
      if (format !== '' && !isKnownFormat(textAt(schema, 'type'), format)) formats.add(format)
    }
  }
  return [...formats]
}
