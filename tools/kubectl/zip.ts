// Reads one file out of a zip archive, so that tests need no `unzip` program. Stored and deflated entries of archives
// below 4 GiB, which is what packages hold. Whether the bytes are the right ones is checked by those who ask (sha256).
import { inflateRawSync } from 'node:zlib'

const END_OF_DIRECTORY = 0x06054b50
const DIRECTORY_ENTRY = 0x02014b50
const LOCAL_ENTRY = 0x04034b50
const STORED = 0
const DEFLATED = 8
/** The end record without its comment, and the longest comment there can be. */
const END_LENGTH = 22
const LONGEST_COMMENT = 0xffff

interface Entry {
  readonly name: string
  readonly method: number
  readonly packedSize: number
  readonly localOffset: number
}

/** The bytes of the entry `name` in `archive`. Throws an Error where it is no zip archive, or lacks the entry. */
export function readZipEntry(archive: Buffer, name: string): Buffer {
  for (const entry of entries(archive)) {
    if (entry.name === name) return unpack(archive, entry)
  }
  throw new Error(`no ${name} in the archive`)
}

function* entries(archive: Buffer): Generator<Entry> {
  const end = endOfDirectory(archive)
  const count = archive.readUInt16LE(end + 10)
  let at = archive.readUInt32LE(end + 16)
  for (let i = 0; i < count; i++) {
    if (archive.readUInt32LE(at) !== DIRECTORY_ENTRY)
      throw new Error('the directory of the archive is damaged')
    const nameLength = archive.readUInt16LE(at + 28)
    yield {
      name: archive.toString('utf8', at + 46, at + 46 + nameLength),
      method: archive.readUInt16LE(at + 10),
      packedSize: archive.readUInt32LE(at + 20),
      localOffset: archive.readUInt32LE(at + 42),
    }
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32)
  }
}

function endOfDirectory(archive: Buffer): number {
  const lowest = Math.max(0, archive.length - END_LENGTH - LONGEST_COMMENT)
  for (let at = archive.length - END_LENGTH; at >= lowest; at--) {
    if (archive.readUInt32LE(at) === END_OF_DIRECTORY) return at
  }
  throw new Error('not a zip archive')
}

function unpack(archive: Buffer, entry: Entry): Buffer {
  const { localOffset: at, name } = entry
  if (archive.readUInt32LE(at) !== LOCAL_ENTRY) throw new Error(`${name} is damaged: no local header`)
  const start = at + 30 + archive.readUInt16LE(at + 26) + archive.readUInt16LE(at + 28)
  return decompress(archive.subarray(start, start + entry.packedSize), entry)
}

function decompress(packed: Buffer, { method, name }: Entry): Buffer {
  if (method === STORED) return packed
  if (method === DEFLATED) return inflateRawSync(packed)
  throw new Error(`${name} is packed by method ${method}, which is not read here`)
}
