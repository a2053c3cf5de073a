// Lists and objects as tables, which is what kubectl get asks for: columns from the facts of the release, cells from
// the printers in table/. Follows k8s.io/apiserver/pkg/endpoints/handlers/response.go and
// kubernetes/pkg/printers (tablegenerator.go, storage).
import {
  apiVersionOf,
  type GroupVersionKind,
  parseGroupVersion,
  qualifiedResource,
} from '../machinery/gvk.ts'
import type { Json, JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { badRequest } from '../machinery/status.ts'
import { convert } from './convert.ts'
import { type ListMetadata, type MetaVersion, partialObject } from './partial.ts'
import type { Resource } from './resource.ts'
import { type ColumnDefinition, columnsOf } from './resources.ts'
import { admissionregistration, apiextensions, certificates, rbac } from './table/access.ts'
import { apps, batch } from './table/apps.ts'
import { autoscaling, scale } from './table/autoscaling.ts'
import { NAME_AND_AGE, type Printer, type Printers, type RowCondition } from './table/cells.ts'
import { apiregistration, coordination, flowcontrol, node, policy, scheduling } from './table/cluster.ts'
import { core, events } from './table/core.ts'
import { columnDescription, type Describe } from './table/descriptions.ts'
import { resource as devices } from './table/devices.ts'
import { discovery, networking } from './table/networking.ts'
import { storage } from './table/storage.ts'

const INCLUDE = ['None', 'Metadata', 'Object'] as const
export type IncludeObject = (typeof INCLUDE)[number]

/** What of each object a table carries beside its cells: the `includeObject` parameter. Throws 400 for other texts. */
export function parseIncludeObject(value: string): IncludeObject {
  if (value === '') return 'Metadata'
  const known = INCLUDE.find((name) => name === value)
  if (known !== undefined) return known
  const fault = `includeObject: Invalid value: ${JSON.stringify(value)}: must be 'Metadata', 'Object', 'None', or empty`
  throw badRequest(`Unable to convert to Table as requested: ${fault}`)
}

export interface RowOptions {
  /** Milliseconds since 1970, from which ages are counted. */
  readonly now: number
}

export interface TableOptions extends RowOptions {
  /** Of meta.k8s.io: the table's, and its partial objects'. */
  readonly version: MetaVersion
  readonly includeObject: IncludeObject
  /** False for the second and later events of a watch: the columns are null there. Default true. */
  readonly headers?: boolean
  /** The prose of fields for the columns' descriptions; without it they are empty. */
  readonly describe?: Describe
  /** How objects are shown whose columns are not in the facts. */
  readonly shape?: TableShape | undefined
}

/** Columns, and what is in them. */
export interface TableShape {
  readonly columns: readonly ColumnDefinition[]
  readonly printer: Printer
}

export interface Row extends JsonObject {
  cells: Json[]
  conditions?: RowCondition[]
}

type Named = Pick<Resource, 'group' | 'version' | 'name' | 'kind'>

const PRINTERS: Readonly<Record<string, Printers>> = {
  '': core,
  'admissionregistration.k8s.io': admissionregistration,
  'apiextensions.k8s.io': apiextensions,
  'apiregistration.k8s.io': apiregistration,
  apps,
  autoscaling,
  batch,
  'certificates.k8s.io': certificates,
  'coordination.k8s.io': coordination,
  'discovery.k8s.io': discovery,
  'events.k8s.io': { events },
  'flowcontrol.apiserver.k8s.io': flowcontrol,
  'networking.k8s.io': networking,
  'node.k8s.io': node,
  policy,
  'rbac.authorization.k8s.io': rbac,
  'resource.k8s.io': devices,
  'scheduling.k8s.io': scheduling,
  'storage.k8s.io': storage,
}

const NAME_COLUMN: ColumnDefinition = { name: 'Name', type: 'string', format: 'name' }
const AGE_COLUMN: ColumnDefinition = { name: 'Age', type: 'string' }
const GENERIC_COLUMNS: readonly ColumnDefinition[] = [NAME_COLUMN, AGE_COLUMN]
const SCALE_COLUMNS: readonly ColumnDefinition[] = [
  { name: 'Name', type: 'string' },
  { name: 'Desired', type: 'integer' },
  { name: 'Available', type: 'integer' },
  AGE_COLUMN,
]

interface View extends TableShape {
  /** Under which the columns' descriptions are found. */
  readonly key: string
}

/** How objects of a resource are shown: with name and age where nothing else is known of it. */
function viewOf(resource: Named, object: KubeObject | undefined, shape?: TableShape): View {
  if (object?.kind === 'Scale' && resource.kind !== 'Scale') {
    return { key: 'scale', columns: SCALE_COLUMNS, printer: scale }
  }
  const key = qualifiedResource({ group: resource.group, resource: resource.name })
  if (shape) return { key, ...shape }
  const columns = columnsOf(resource)
  const group = Object.hasOwn(PRINTERS, resource.group) ? PRINTERS[resource.group] : undefined
  const printer =
    group !== undefined && Object.hasOwn(group, resource.name) ? group[resource.name] : undefined
  if (printer === undefined || columns.length === 0) {
    return { key, columns: GENERIC_COLUMNS, printer: NAME_AND_AGE }
  }
  return { key, columns, printer }
}

function kindOf(apiVersion: string, kind: string): GroupVersionKind {
  return { ...(parseGroupVersion(apiVersion) ?? { group: '', version: apiVersion }), kind }
}

/** The object in the version that the printer reads. */
function readable(resource: Named, object: KubeObject, printer: Printer): KubeObject {
  const has = object.apiVersion ?? apiVersionOf(resource)
  if (printer.reads === undefined || printer.reads === has) return object
  return convert(object, kindOf(has, resource.kind), kindOf(printer.reads, resource.kind))
}

function rowOf(resource: Named, object: KubeObject, printer: Printer, now: number): Row {
  const shown = readable(resource, object, printer)
  const conditions = printer.conditions?.(shown)
  return { cells: printer.cells(shown, now), ...(conditions === undefined ? {} : { conditions }) }
}

/** The row of an object, served or stored, without the object itself. Upstream may make several; no kind does. */
export function tableRows(resource: Named, object: KubeObject, options: RowOptions): Row[] {
  return [rowOf(resource, object, viewOf(resource, object).printer, options.now)]
}

/** The bookmark at the end of a streamed list keeps its metadata, whatever is asked for. */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end'

function embedded(object: KubeObject, options: TableOptions): KubeObject | null {
  if (options.includeObject === 'Object') return object
  const marked = object.metadata.annotations?.[INITIAL_EVENTS_END] === 'true'
  return options.includeObject === 'None' && !marked ? null : partialObject(object, options.version)
}

function columnJson(key: string, column: ColumnDefinition, describe: Describe | undefined): JsonObject {
  return {
    name: column.name,
    type: column.type,
    format: column.format ?? '',
    description: column.description ?? columnDescription(key, column.name, describe),
    priority: column.priority ?? 0,
  }
}

/**
 * The Table of objects, which are in the version that is served. `metadata` is the list's; for a single object, or a
 * watch's event, its resourceVersion.
 */
export function tableOf(
  resource: Named,
  objects: readonly KubeObject[],
  metadata: ListMetadata,
  options: TableOptions,
): JsonObject {
  const { key, columns, printer } = viewOf(resource, objects[0], options.shape)
  const sorted = printer.compare === undefined ? objects : [...objects].sort(printer.compare)
  const rows = sorted.map((object) => {
    const { cells, conditions } = rowOf(resource, object, printer, options.now)
    return { cells, ...(conditions && { conditions }), object: embedded(object, options) }
  })
  const headers = options.headers ?? true
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${options.version}`,
    metadata,
    columnDefinitions: headers ? columns.map((c) => columnJson(key, c, options.describe)) : null,
    rows: rows.length === 0 && printer.nullWhenEmpty === true ? null : rows,
  }
}
