// Opens the engine that the command line asks for; loads no other.
// Above the engines; follows k8s.io/apiserver/pkg/storage/storagebackend/factory.

import type { Storage } from './interface.ts'

export type StorageOptions =
  | { readonly memory: true }
  /** A folder for the engine's own files. */
  | { readonly dataDir: string }

/** Throws `StorageOpenError`, whose message is for the operator. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  if ('memory' in options) {
    const { MemoryStorage } = await import('./memory.ts')
    return new MemoryStorage()
  }
  const { openLmdb } = await import('./lmdb/storage.ts')
  return openLmdb(options.dataDir)
}
