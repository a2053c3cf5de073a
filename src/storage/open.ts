// Opens the engine that the command line asks for; loads no other.
// Above the engines; follows k8s.io/apiserver/pkg/storage/storagebackend/factory.

import type { Storage } from './interface.ts'

export interface EtcdTls {
  readonly ca: Buffer
  readonly cert?: Buffer
  readonly key?: Buffer
}

export type StorageOptions =
  | { readonly memory: true }
  /** A folder for the engine's own files. */
  | { readonly dataDir: string }
  /** URLs, all http or all https; PEM texts for https. */
  | { readonly etcdServers: readonly string[]; readonly etcdTls?: EtcdTls }

/** Throws `StorageOpenError`, whose message is for the operator. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  if ('memory' in options) {
    const { MemoryStorage } = await import('./memory.ts')
    return new MemoryStorage()
  }
  if ('etcdServers' in options) {
    const { openEtcd } = await import('./etcd/storage.ts')
    const { etcdServers: servers, etcdTls: tls } = options
    return openEtcd({ servers, ...(tls === undefined ? {} : { tls }) })
  }
  const { openLmdb } = await import('./lmdb/storage.ts')
  return openLmdb(options.dataDir)
}
