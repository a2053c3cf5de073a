// The frame around protobuf bodies: "k8s\0", then runtime.Unknown with the kind in front of the message itself; and the
// forms of it that save work: lists of items that are encoded already, and events of watches.
// Follows k8s.io/apimachinery/pkg/runtime/serializer/protobuf.
import { apiVersionOf, parseGroupVersion, type GroupVersionKind } from '../../machinery/gvk.ts'
import type { JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { QuantityError } from '../../machinery/quantity.ts'
import type { StructType } from '../type.ts'
import { readObject, resetDepth } from './decode.ts'
import { messageWriter } from './encode.ts'
import * as read from './reader.ts'
import { BYTES, ProtobufError, VARINT } from './reader.ts'
import * as write from './writer.ts'

export { ProtobufError } from './reader.ts'

export const PROTOBUF_MEDIA_TYPE = 'application/vnd.kubernetes.protobuf'
export const PROTOBUF_WATCH_MEDIA_TYPE = 'application/vnd.kubernetes.protobuf;stream=watch'

const MAGIC = Buffer.from('k8s\0', 'latin1')

const tagOf = (number: number, wire = BYTES): number => (number << 3) | wire

/** A body in protobuf, kind and all, from an object with `apiVersion` and `kind`. @throws ProtobufError */
export function encode(object: JsonObject, type: StructType): Buffer {
  checkType(type)
  write.begin()
  openEnvelope()
  messageWriter(type)(object)
  closeEnvelope(String(object['apiVersion'] ?? ''), String(object['kind'] ?? ''), rawBytes())
  return write.finish()
}

/** The message alone, as it stands in lists. @throws ProtobufError */
export function encodeRaw(object: JsonObject, type: StructType): Buffer {
  checkType(type)
  write.begin()
  messageWriter(type)(object)
  return write.finish()
}

/** The envelope around a message that is encoded already. */
export function wrap(raw: Buffer, gvk: GroupVersionKind): Buffer {
  write.begin()
  openEnvelope()
  write.raw(raw)
  closeEnvelope(apiVersionOf(gvk), gvk.kind, rawBytes())
  return write.finish()
}

function checkType(type: StructType): void {
  if (type.message !== undefined) return
  const name = `*v1.${type.name.slice(type.name.lastIndexOf('.') + 1)}`
  throw new ProtobufError(
    `object ${name} does not implement the protobuf marshalling interface and cannot be encoded to a protobuf message`,
  )
}

// Written last to first, like everything: contentType, contentEncoding, then the message, then the kind.
function openEnvelope(): void {
  write.string('')
  write.varint(tagOf(4))
  write.string('')
  write.varint(tagOf(3))
}

function closeEnvelope(apiVersion: string, kind: string, rawBytes: number): void {
  write.varint(rawBytes)
  write.varint(tagOf(2))
  const start = write.mark()
  write.string(kind)
  write.varint(tagOf(2))
  write.string(apiVersion)
  write.varint(tagOf(1))
  write.length(start)
  write.varint(tagOf(1))
  write.raw(MAGIC)
}

/** What openEnvelope wrote: two tags, two lengths. */
const EMPTY_TAIL = Buffer.from([0x1a, 0, 0x22, 0])

/** What was written since openEnvelope. */
const rawBytes = (): number => write.mark() - EMPTY_TAIL.length

export interface ListContent {
  /** The list's own kind: PodList. */
  readonly gvk: GroupVersionKind
  readonly metadata: {
    readonly resourceVersion?: string
    readonly continue?: string
    readonly remainingItemCount?: number
    readonly selfLink?: string
  }
  /** Messages from `encodeRaw`. */
  readonly items: readonly Buffer[]
}

/** A list from items that were encoded before, in parts to be sent one after the other. */
export function* encodeList({ gvk, metadata, items }: ListContent): Generator<Buffer> {
  const heads = items.map((item) => itemHead(item.length))
  let size = 0
  for (let i = 0; i < items.length; i++) size += (items[i] as Buffer).length + (heads[i] as Buffer).length
  yield listHead(gvk, metadata, size)
  for (let i = 0; i < items.length; i++) {
    yield heads[i] as Buffer
    yield items[i] as Buffer
  }
  yield EMPTY_TAIL
}

/** Tag and length. */
function itemHead(length: number): Buffer {
  const head = Buffer.allocUnsafe(MAX_ITEM_HEAD_BYTES)
  head[0] = tagOf(2)
  let at = 1
  for (; length > 0x7f; length >>>= 7) head[at++] = (length & 0x7f) | 0x80
  head[at++] = length
  return head.subarray(0, at)
}

/** A tag, and a length of up to 32 bits. */
const MAX_ITEM_HEAD_BYTES = 6

/** Everything before the items, which take `itemBytes`. */
function listHead(gvk: GroupVersionKind, metadata: ListContent['metadata'], itemBytes: number): Buffer {
  write.begin()
  const start = write.mark()
  if (metadata.remainingItemCount !== undefined) {
    write.integer(metadata.remainingItemCount)
    write.varint(tagOf(4, VARINT))
  }
  write.string(metadata.continue ?? '')
  write.varint(tagOf(3))
  write.string(metadata.resourceVersion ?? '')
  write.varint(tagOf(2))
  write.string(metadata.selfLink ?? '')
  write.varint(tagOf(1))
  write.length(start)
  write.varint(tagOf(1))
  closeEnvelope(apiVersionOf(gvk), gvk.kind, write.mark() + itemBytes)
  return write.finish()
}

/**
 * One frame of a watch: its length in four bytes, then a bare WatchEvent around `object`, which is a whole body
 * (from `encode` or `wrap`).
 */
export function encodeWatchFrame(type: string, object: Buffer): Buffer {
  write.begin()
  const extension = write.mark()
  write.bytes(object)
  write.varint(tagOf(1))
  write.length(extension)
  write.varint(tagOf(2))
  write.string(type)
  write.varint(tagOf(1))
  const event = write.finish()
  const head = Buffer.allocUnsafe(4)
  head.writeUInt32BE(event.length)
  return Buffer.concat([head, event])
}

export interface Envelope {
  readonly apiVersion: string
  readonly kind: string
  /** The message; it shares memory with the body. */
  readonly raw: Buffer
}

/** Opens a body and tells what is in it. @throws ProtobufError */
export function readEnvelope(body: Buffer): Envelope {
  if (body.length === 0) throw new ProtobufError('empty data')
  if (!MAGIC.equals(body.subarray(0, MAGIC.length))) {
    throw new ProtobufError(
      'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
    )
  }
  if (body.length === MAGIC.length) throw new ProtobufError('empty body')
  let envelope: Envelope = { apiVersion: '', kind: '', raw: body.subarray(0, 0) }
  forEachField(read.open(body.subarray(MAGIC.length)), 'Unknown', (number) => {
    if (number === 1) envelope = { ...envelope, ...readTypeMeta() }
    else if (number === 2) envelope = { ...envelope, raw: read.bytes() }
    else if (number === 3 || number === 4) read.bytes()
    else return false
    return true
  })
  return envelope
}

function readTypeMeta(): { apiVersion: string; kind: string } {
  const meta = { apiVersion: '', kind: '' }
  const { end, outer } = read.enter()
  forEachField(end, 'TypeMeta', (number) => {
    if (number === 1) meta.apiVersion = read.string()
    else if (number === 2) meta.kind = read.string()
    else return false
    return true
  })
  read.leave(outer)
  return meta
}

/** Walks a message all of whose known fields have lengths. */
function forEachField(end: number, name: string, take: (number: number) => boolean): void {
  while (read.at < end) {
    const tag = read.varint()
    const wire = tag % 8
    const number = (tag - wire) / 8
    if (wire === 4) throw new ProtobufError(`proto: ${name}: wiretype end group for non-group`)
    if ((number | 0) <= 0)
      throw new ProtobufError(`proto: ${name}: illegal tag ${number | 0} (wire type ${tag})`)
    if (wire !== BYTES || !take(number)) read.skip(wire)
  }
}

/** The object of a message without envelope. @throws ProtobufError */
export function decodeRaw(raw: Buffer, type: StructType): JsonObject {
  resetDepth()
  try {
    return readObject(type, read.open(raw))
  } catch (error) {
    if (error instanceof QuantityError) throw new ProtobufError(error.message)
    throw error
  }
}

export interface DecodeOptions {
  /** The type of a kind; undefined where nothing of that name is known. */
  readonly typeFor: (gvk: GroupVersionKind) => StructType | undefined
  /** What the body is taken for where it does not say. */
  readonly defaults?: GroupVersionKind
}

/** The object of a body, with `kind` and `apiVersion`, keys in the order of the Go struct. @throws ProtobufError */
export function decode(body: Buffer, { typeFor, defaults }: DecodeOptions): KubeObject {
  const envelope = readEnvelope(body)
  const apiVersion = envelope.apiVersion || (defaults ? apiVersionOf(defaults) : '')
  const kind = envelope.kind || (defaults?.kind ?? '')
  const shown = `runtime.TypeMeta{APIVersion:${JSON.stringify(envelope.apiVersion)}, Kind:${JSON.stringify(envelope.kind)}}`
  if (kind === '') throw new ProtobufError(`Object 'Kind' is missing in '${shown}'`)
  if (apiVersion === '') throw new ProtobufError(`Object 'apiVersion' is missing in '${shown}'`)
  const gv = parseGroupVersion(apiVersion)
  const type = gv && typeFor({ ...gv, kind })
  if (!type) throw new ProtobufError(`no kind "${kind}" is registered for version "${apiVersion}"`)
  return { kind, apiVersion, ...decodeRaw(envelope.raw, type) } as KubeObject
}
