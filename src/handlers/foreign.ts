// Stored values as another server may have written them: upstream's protobuf, its JSON, or a version other than ours.
// Stands between storage and the watch cache. Follows k8s.io/apiserver/pkg/storage/etcd3 (decode with defaults).
import { readJson } from '../machinery/jsontext.ts'
import { apiVersionOf, type GroupVersionKind, parseGroupVersion } from '../machinery/gvk.ts'
import type { KubeObject } from '../machinery/object.ts'
import { defaultsFor } from '../registry/defaults.ts'
import { convert } from '../schema/convert.ts'
import { decoderFor } from '../schema/decode.ts'
import { decode as decodeProtobuf } from '../schema/protobuf/envelope.ts'
import { storedJson } from '../schema/stringify.ts'
import type { StructType } from '../schema/type.ts'
import { typeForKind } from '../schema/types.ts'

const BRACE = 0x7b
const NEWLINE = 0x0a

/**
 * The function that makes stored bytes of any writer into ours: JSON of kind `gvk`, whose type is `type`. Bytes that
 * are ours already are given back as they are. As in upstream, what others left out gets its defaults when it is read.
 */
export function foreignReader(gvk: GroupVersionKind, type: StructType): (value: Buffer) => Buffer {
  const head = Buffer.from(
    `{"kind":${JSON.stringify(gvk.kind)},"apiVersion":${JSON.stringify(apiVersionOf(gvk))},`,
  )
  return (value) => {
    if (value[0] !== BRACE) return ours(decodeProtobuf(value, { typeFor: typeForKind }), gvk, type)
    // Upstream ends its JSON with a newline.
    if (value[value.length - 1] !== NEWLINE && head.equals(value.subarray(0, head.length))) return value
    return ours(readJson(value.toString()) as KubeObject, gvk, type)
  }
}

function ours(stored: KubeObject, gvk: GroupVersionKind, type: StructType): Buffer {
  const gv = parseGroupVersion(stored.apiVersion ?? '')
  const same = stored.apiVersion === apiVersionOf(gvk) || !gv
  const object = same ? stored : convert(stored, { ...gv, kind: stored.kind ?? gvk.kind }, gvk)
  const decoded = decoderFor(type)(object).object
  defaultsFor(gvk)?.(decoded)
  return storedJson(decoded, type)
}
