// How Go names JSON values and types in the messages of its decoder. Follows encoding/json and the packages of k8s.io/api.
import type { Json } from '../machinery/json.ts'
import type { Type } from './type.ts'

/** What Go calls a JSON value. */
export function kindOf(value: Json): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

/** "io.k8s.api.core.v1.PodSpec" is "v1.PodSpec" to Go. */
function goStruct(definition: string): string {
  const parts = definition.split('.')
  return parts.slice(-2).join('.')
}

/** What Go prints of a type: "int32", "[]v1.Container", "map[string]string". */
export function goTypeOf(type: Type): string {
  switch (type.kind) {
    case 'struct':
      return goStruct(type.name)
    case 'list':
      return `[]${goTypeOf(type.item)}`
    case 'map':
      return type.value.kind === 'quantity' ? 'v1.ResourceList' : `map[string]${goTypeOf(type.value)}`
    case 'integer':
      return type.format === 'int32' ? 'int32' : 'int64'
    case 'number':
      return 'float64'
    case 'boolean':
      return 'bool'
    case 'bytes':
      return '[]uint8'
    case 'string':
      return 'string'
    case 'quantity':
      return 'resource.Quantity'
    case 'time':
      return 'v1.Time'
    case 'microtime':
      return 'v1.MicroTime'
    case 'duration':
      return 'v1.Duration'
    case 'intOrString':
      return 'intstr.IntOrString'
    case 'any':
      return 'interface {}'
  }
}
