// The lmdb engine's files: made with tight modes, and looked at before lmdb maps them into memory,
// where a damaged file would be a signal and not an error.
// Before the database is opened; no upstream counterpart (etcd's bbolt checks its own files).

import { chmodSync, closeSync, fstatSync, mkdirSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { StorageOpenError } from '../open-error.ts'

export const DATA_FILE = 'store.mdb'
export const LOCK_FILE = 'store.mdb-lock'

const MAGIC = 0xbeefc0de
/** Where lmdb's file header keeps what we look at (lmdb-js' data version 2, little endian). */
const AT = { magic: 24, version: 28, pageSize: 48, freeRoot: 88, mainRoot: 136, lastPage: 144, txn: 152 }
const META_BYTES = 160
const DATA_VERSION = 2
/** A root of an empty tree. */
const NO_PAGE = 2n ** 64n - 1n
/** Pages that were allocated and freed in one commit may be missing at the end of a sound file. */
const MISSING_TAIL_MAX = 16n * 1024n * 1024n

/** Makes the folder (0700) and the files (0600) where they are missing; throws {@link StorageOpenError}. */
export function prepareFiles(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    for (const name of [DATA_FILE, LOCK_FILE]) {
      const path = join(folder, name)
      const fd = openSync(path, 'a+', 0o600)
      const mode = fstatSync(fd).mode & 0o777
      closeSync(fd)
      if ((mode & 0o077) !== 0) chmodSync(path, 0o600)
    }
    return join(folder, DATA_FILE)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StorageOpenError('EACCES', `cannot write to the data folder ${folder}: ${reason}`, error)
  }
}

/** Throws {@link StorageOpenError} unless the file is empty or a sound lmdb file by its headers. */
export function checkFile(path: string): void {
  const fd = openSync(path, 'r')
  try {
    const size = BigInt(fstatSync(fd).size)
    if (size === 0n) return
    const pageSize = checkHeader(path, readHeader(fd, 0))
    const headers = [readHeader(fd, 0), readHeader(fd, pageSize)]
    for (const header of headers) checkHeader(path, header)
    const [first, second] = headers as [Buffer, Buffer]
    const newest = first.readBigUInt64LE(AT.txn) > second.readBigUInt64LE(AT.txn) ? first : second
    checkSize(path, newest, size)
  } finally {
    closeSync(fd)
  }
}

function readHeader(fd: number, at: number): Buffer {
  const header = Buffer.alloc(META_BYTES)
  readSync(fd, header, 0, META_BYTES, at)
  return header
}

/** Answers the page size. */
function checkHeader(path: string, header: Buffer): number {
  if (header.readUInt32LE(AT.magic) !== MAGIC) {
    throw new StorageOpenError('EFOREIGN', `${path} is not a Dinghy store`)
  }
  const version = header.readUInt32LE(AT.version)
  if (version !== DATA_VERSION) {
    throw new StorageOpenError('EFOREIGN', `${path} has lmdb data version ${version}, not ${DATA_VERSION}`)
  }
  const pageSize = header.readUInt32LE(AT.pageSize)
  if (pageSize < 512 || pageSize > 65536 || (pageSize & (pageSize - 1)) !== 0) {
    throw new StorageOpenError('ECORRUPT', `${path} is damaged: page size ${pageSize}`)
  }
  return pageSize
}

function checkSize(path: string, header: Buffer, size: bigint): void {
  const pageSize = BigInt(header.readUInt32LE(AT.pageSize))
  const roots = [AT.freeRoot, AT.mainRoot].map((at) => header.readBigUInt64LE(at))
  const needed = roots.filter((page) => page !== NO_PAGE).map((page) => (page + 1n) * pageSize)
  needed.push((header.readBigUInt64LE(AT.lastPage) + 1n) * pageSize - MISSING_TAIL_MAX)
  if (needed.some((bytes) => size < bytes)) {
    throw new StorageOpenError('ECORRUPT', `${path} is damaged: it is cut off at ${size} bytes`)
  }
}
