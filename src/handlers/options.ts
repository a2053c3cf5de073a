// Query parameters of the verbs, read and checked as upstream does.
// Follows k8s.io/apimachinery/pkg/apis/meta/v1 (conversion, validation) and pkg/apis/meta/internalversion/validation.
import { fieldManagerCauses } from '../registry/metadata.ts'
import { parseFieldSelector } from '../machinery/fields.ts'
import type { JsonObject } from '../machinery/json.ts'
import { parseLabelSelector } from '../machinery/labels.ts'
import { jsonInteger } from '../machinery/numbers.ts'
import { badRequest, cause, invalid, type StatusCause } from '../machinery/status.ts'

const META = 'meta.k8s.io'
const INT = /^[+-]?\d+$/

/** A whole number as Go's strconv.ParseInt takes it; undefined where the parameter is absent. */
export function intParameter(query: URLSearchParams, name: string): number | bigint | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  if (!INT.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  const value = BigInt(text)
  if (value > 0x7fffffffffffffffn || value < -0x8000000000000000n) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`)
  }
  return jsonInteger(value)
}

/** A flag as upstream's conversion reads it: anything but "false" and "0" is true; undefined where absent. */
export function boolParameter(query: URLSearchParams, name: string): boolean | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  const lower = text.toLowerCase()
  return lower !== 'false' && lower !== '0'
}

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

/** What create, update and patch share. */
export interface WriteOptions {
  readonly dryRun: boolean
  /** "" where the client names no manager. */
  readonly fieldManager: string
  readonly fieldValidation: FieldValidation
  readonly force: boolean | undefined
}

const FIELD_VALIDATIONS = ['', 'Ignore', 'Strict', 'Warn']
const NO_WRITE_OPTIONS: WriteOptions = {
  dryRun: false,
  fieldManager: '',
  fieldValidation: 'Warn',
  force: undefined,
}

/** Reads CreateOptions, UpdateOptions or PatchOptions; `kind` names them in a refusal. */
export function writeOptions(query: URLSearchParams, kind: string): WriteOptions {
  if (query.size === 0) return NO_WRITE_OPTIONS
  const causes: StatusCause[] = []
  const dryRun = query.getAll('dryRun')
  const fieldManager = query.get('fieldManager') ?? ''
  const fieldValidation = query.get('fieldValidation') ?? ''
  if (fieldManager) fieldManagerCauses(fieldManager, 'fieldManager', causes)
  dryRunCauses(dryRun, causes)
  if (!FIELD_VALIDATIONS.includes(fieldValidation)) {
    causes.push(cause.notSupported('fieldValidation', fieldValidation, FIELD_VALIDATIONS))
  }
  if (causes.length) throw invalid({ group: META, kind }, '', causes)
  return {
    dryRun: dryRun.length > 0,
    fieldManager,
    fieldValidation: (fieldValidation || 'Warn') as FieldValidation,
    force: boolParameter(query, 'force'),
  }
}

const CREATE_OPTIONS: JsonObject = { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' }
const UPDATE_OPTIONS: JsonObject = { kind: 'UpdateOptions', apiVersion: 'meta.k8s.io/v1' }

/** What admission is told of the query of a write: only what it says, whichever verb it came with. */
export function shownOptions(query: URLSearchParams, operation: 'CREATE' | 'UPDATE'): JsonObject {
  const options = operation === 'CREATE' ? CREATE_OPTIONS : UPDATE_OPTIONS
  if (query.size === 0) return options
  const dryRun = query.getAll('dryRun')
  const fieldManager = query.get('fieldManager')
  const fieldValidation = query.get('fieldValidation')
  return {
    kind: options['kind'],
    apiVersion: options['apiVersion'],
    ...(dryRun.length ? { dryRun } : {}),
    ...(fieldManager ? { fieldManager } : {}),
    ...(fieldValidation ? { fieldValidation } : {}),
  }
}

/** dryRun must be absent or All. */
export function dryRunCauses(values: readonly string[], causes: StatusCause[]): void {
  if (values.some((v) => v !== 'All')) causes.push(cause.notSupported('dryRun', values, ['All']))
}

/** What list, watch and deletecollection share. */
export interface ListOptions {
  readonly labelSelector: string
  readonly fieldSelector: string
  readonly resourceVersion: string
  readonly resourceVersionMatch: string
  readonly limit: number
  readonly continue: string
  readonly watch: boolean
  readonly allowWatchBookmarks: boolean
  readonly sendInitialEvents: boolean | undefined
  readonly timeoutSeconds: number | undefined
}

const NOT_OLDER_THAN = 'NotOlderThan'
const MATCHES = ['Exact', 'NotOlderThan', '']

/** Reads and checks ListOptions. Follows SetListOptionsDefaults and ValidateListOptions. */
export function listOptions(query: URLSearchParams): ListOptions {
  const watch = boolParameter(query, 'watch') ?? false
  const timeout = intParameter(query, 'timeoutSeconds')
  const options = withInitialEvents({
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    limit: Number(intParameter(query, 'limit') ?? 0),
    continue: query.get('continue') ?? '',
    watch,
    allowWatchBookmarks: boolParameter(query, 'allowWatchBookmarks') ?? false,
    sendInitialEvents: boolParameter(query, 'sendInitialEvents'),
    timeoutSeconds: timeout === undefined ? undefined : Number(timeout),
  })
  const causes = watch ? watchCauses(options) : listCauses(options)
  if (causes.length) {
    // Selectors that cannot be read are told first.
    parseLabelSelector(options.labelSelector)
    parseFieldSelector(options.fieldSelector)
    throw invalid({ group: META, kind: 'ListOptions' }, '', causes)
  }
  return options
}

/** Watches that name no version have always begun with what is there. */
function withInitialEvents(o: ListOptions): ListOptions {
  const isLegacy = o.resourceVersion === '' || o.resourceVersion === '0'
  if (!o.watch || !isLegacy || o.sendInitialEvents !== undefined || o.resourceVersionMatch) return o
  return { ...o, sendInitialEvents: true, resourceVersionMatch: NOT_OLDER_THAN }
}

function watchCauses(o: ListOptions): StatusCause[] {
  const causes: StatusCause[] = []
  const { resourceVersionMatch: match, sendInitialEvents } = o
  const field = 'resourceVersionMatch'
  const forbid = (why: string): void => void causes.push(cause.forbidden(field, why))
  if (sendInitialEvents !== undefined && match !== NOT_OLDER_THAN) {
    forbid(`sendInitialEvents requires setting resourceVersionMatch to ${NOT_OLDER_THAN}`)
  }
  if (!match) return causes
  if (sendInitialEvents === undefined)
    forbid('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')
  if (match !== NOT_OLDER_THAN) causes.push(cause.notSupported(field, match, [NOT_OLDER_THAN]))
  if (o.continue) forbid('resourceVersionMatch is forbidden when continue is provided')
  return causes
}

function listCauses(o: ListOptions): StatusCause[] {
  const causes: StatusCause[] = []
  const match = o.resourceVersionMatch
  if (match) causes.push(...matchCauses(match, o))
  if (o.sendInitialEvents !== undefined) {
    causes.push(cause.forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'))
  }
  return causes
}

function matchCauses(match: string, o: ListOptions): StatusCause[] {
  const causes: StatusCause[] = []
  const field = 'resourceVersionMatch'
  if (!o.resourceVersion) {
    causes.push(
      cause.forbidden(field, 'resourceVersionMatch is forbidden unless resourceVersion is provided'),
    )
  }
  if (o.continue)
    causes.push(cause.forbidden(field, 'resourceVersionMatch is forbidden when continue is provided'))
  if (!MATCHES.includes(match)) causes.push(cause.notSupported(field, match, MATCHES))
  else if (match === 'Exact' && o.resourceVersion === '0') {
    causes.push(cause.forbidden(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
  }
  return causes
}

const UINT = /^\d+$/

/** Why a resourceVersion is none, in upstream's words; undefined where it is one. */
export function resourceVersionFault(text: string): string | undefined {
  if (UINT.test(text)) {
    if (BigInt(text) <= 0xffffffffffffffffn) return undefined
    return `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`
  }
  return `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`
}
