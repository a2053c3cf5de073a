// Custom objects as tables: the columns that their definition names, or name and age.
// Follows k8s.io/apiextensions-apiserver/pkg/registry/customresource/tableconvertor.
import { humanDuration } from '../../machinery/duration.ts'
import type { Json } from '../../machinery/json.ts'
import { isNumeric } from '../../machinery/numbers.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { type JsonPath, parseJsonPath, printed } from '../../schema/custom/jsonpath.ts'
import type { ColumnDefinition } from '../../schema/resources.ts'
import type { TableShape } from '../../schema/table.ts'
import type { Column } from './definition.ts'

/** What a definition without columns has. */
const AGE: Column = {
  name: 'Age',
  type: 'date',
  format: '',
  description: '',
  priority: 0,
  jsonPath: '.metadata.creationTimestamp',
}
const NAME: ColumnDefinition = { name: 'Name', type: 'string', format: 'name' }

interface Cell {
  readonly type: string
  readonly path: JsonPath
}

/** The table of objects with these columns; one that cannot be read ends them. */
export function customTable(asked: readonly Column[]): TableShape {
  const columns: ColumnDefinition[] = [NAME]
  const cells: Cell[] = []
  for (const column of asked.length ? asked : [AGE]) {
    const path = parseJsonPath(column.jsonPath)
    if (!path) break
    cells.push({ type: column.type, path })
    columns.push(headerOf(column))
  }
  return {
    columns,
    printer: {
      cells: (object, now) => [object.metadata.name ?? '', ...cells.map((cell) => cellOf(cell, object, now))],
    },
  }
}

function headerOf({ name, type, format, description, priority, jsonPath }: Column): ColumnDefinition {
  const text = description || `Custom resource definition column (in JSONPath format): ${jsonPath}`
  const isAge = jsonPath === AGE.jsonPath && description === ''
  return { name, type, format, priority, ...(isAge && name === AGE.name ? {} : { description: text }) }
}

function cellOf({ type, path }: Cell, object: KubeObject, now: number): Json {
  const [value] = path(object)
  if (value === undefined) return null
  switch (type) {
    case 'string':
      return printed(value)
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : typeof value === 'bigint' ? value : null
    case 'number':
      return isNumeric(value) ? Number(value) : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date':
      return typeof value === 'string' ? ageOf(value, now) : null
    default:
      return null
  }
}

function ageOf(text: string, now: number): string {
  const time = Date.parse(text)
  return Number.isNaN(time) ? '<invalid>' : humanDuration(now - time)
}
