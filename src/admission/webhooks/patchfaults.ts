// Which operation of a JSON patch does not apply, in the words of upstream's library, which clients are shown.
// Follows gopkg.in/evanphx/json-patch.v4.
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { haltOf, MAX_COPIED_BYTES } from '../../schema/patch/jsonpatch.ts'
import type { JsonPatch } from '../../schema/patch/jsonpatch-operations.ts'

/** Why the patch is refused; it was, as a whole, before. */
export function patchFault(object: JsonObject, operations: readonly Json[], patch: JsonPatch): string {
  const { at = 0, document = object, copied = 0 } = haltOf(object, patch) ?? {}
  if (copied > MAX_COPIED_BYTES) {
    return `Unable to complete the copy, the accumulated size increase of copy is ${copied}, exceeding the limit ${MAX_COPIED_BYTES}`
  }
  const operation = operations[at]
  return isObject(operation) ? faultOfOne(operation, document) : UNKNOWN
}

const UNKNOWN = 'Unexpected kind: unknown'

function faultOfOne(operation: JsonObject, document: Json): string {
  const { op, path, from } = operation
  const at = typeof path === 'string' ? path : ''
  const hasParent = parentOf(document, at) !== undefined
  if (typeof path !== 'string' && typeof op === 'string') return pathless(op)
  switch (op) {
    case 'add':
      return hasParent
        ? `error in add for path: '${at}': Unable to access invalid index: ${lastStep(at)}: invalid index referenced`
        : `add operation does not apply: doc is missing path: "${at}": missing value`
    case 'remove':
      return hasParent
        ? `error in remove for path: '${at}': Unable to remove nonexistent key: ${lastStep(at)}: missing value`
        : `remove operation does not apply: doc is missing path: "${at}": missing value`
    case 'replace':
      if (at === '') return 'replace operation value must be object or array: %!w(<nil>)'
      return `replace operation does not apply: doc is missing ${hasParent ? 'key' : 'path'}: ${at}: missing value`
    case 'test':
      return hasParent
        ? `testing value ${at} failed: test failed`
        : `test operation does not apply: is missing path: ${at}: missing value`
    case 'move':
    case 'copy':
      return faultOfMove(op, { from: typeof from === 'string' ? from : '', path: at }, document)
    default:
      return `Unexpected kind: ${typeof op === 'string' ? op : 'unknown'}`
  }
}

/** Operations that need no more than a path say less of one that is missing. */
const BRIEF = ['add', 'remove']

const pathless = (op: string): string =>
  `${op} operation failed to decode path: ${BRIEF.includes(op) ? '' : 'operation missing path field: '}missing value`

function faultOfMove(
  op: 'move' | 'copy',
  { from, path }: { readonly from: string; readonly path: string },
  document: Json,
): string {
  if (parentOf(document, from) === undefined) {
    return `${op} operation does not apply: doc is missing from path: ${from}: missing value`
  }
  if (op === 'move' && valueAt(document, stepsOf(from)) === undefined) {
    const moved = lastStep(from)
    return `error in move for path: '${moved}': Unable to remove nonexistent key: ${moved}: missing value`
  }
  if (parentOf(document, path) === undefined) {
    return `${op} operation does not apply: doc is missing destination path: ${path}: missing value`
  }
  return `${op} operation does not apply: doc is missing from path: ${from}: missing value`
}

const lastStep = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

const stepsOf = (path: string): string[] =>
  path
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))

function valueAt(document: Json, steps: readonly string[]): Json | undefined {
  let value: Json | undefined = document
  for (const step of steps) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as JsonObject)[step]
  }
  return value
}

/** The container that a pointer's last step is a key of. */
function parentOf(document: Json, path: string): Json | undefined {
  if (!path.includes('/')) return undefined
  const value = valueAt(document, stepsOf(path).slice(0, -1))
  return typeof value === 'object' && value !== null ? value : undefined
}
