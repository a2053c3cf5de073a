// Values as JSON: what mutations put into objects. Follows cel-go's ConvertToNative of structpb.Value, and
// k8s.io/apiserver/pkg/cel/mutation/dynamic/objects.go.
import type { Json, JsonObject } from '../machinery/json.ts'
import { jsonInteger, MAX_INT64 } from '../machinery/numbers.ts'
import { CelError } from './fault.ts'
import { goDuration, timeText } from './times.ts'
import {
  Duration,
  isKeyed,
  ListValue,
  ObjectValue,
  Optional,
  Timestamp,
  Uint,
  type Keyed,
  type Value,
} from './values.ts'

/** Throws a CelError for what JSON cannot hold. */
export function toJson(value: Value): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return jsonInteger(value)
  if (value instanceof Uint) return value.value <= MAX_INT64 ? jsonInteger(value.value) : Number(value.value)
  if (value instanceof ListValue) return value.values().map(toJson)
  if (isKeyed(value)) return keyedJson(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof Timestamp) return timeText(value)
  if (value instanceof Duration) return goDuration(value)
  throw new CelError(
    `type conversion error from '${value instanceof Optional ? 'optional_type' : 'type'}' to JSON`,
  )
}

function keyedJson(value: Keyed): JsonObject {
  const json: JsonObject = {}
  for (const key of value.keys()) {
    if (typeof key !== 'string') throw new CelError('map keys must be strings')
    Object.defineProperty(json, key, {
      value: toJson(value.get(key) ?? null),
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
  return json
}

/** Objects within an object whose names are not their paths ("Object.spec.wrong"), in upstream's words. */
export function misnamed(value: Value, path: string): string[] {
  if (value instanceof ListValue) return value.values().flatMap((item) => misnamed(item, path))
  if (!isKeyed(value)) return []
  const { name } = value instanceof ObjectValue ? value.type : { name: path }
  const own =
    name === path
      ? []
      : [
          `unexpected type name ${JSON.stringify(name)}, expected ${JSON.stringify(path)}, which matches field name path from root Object type`,
        ]
  return [
    ...own,
    ...value
      .keys()
      .flatMap((key) =>
        misnamed(
          value.get(key) ?? null,
          value instanceof ObjectValue ? `${path}.${String(key as string)}` : path,
        ),
      ),
  ]
}
