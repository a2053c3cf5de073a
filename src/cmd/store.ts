// Opens the engine that the options name, and turns its refusals into one clear line.
import { StatusError } from '../machinery/status.ts'
import type { Storage } from '../storage/interface.ts'
import { openStorage, type StorageOptions } from '../storage/open.ts'
import { StorageOpenError } from '../storage/open-error.ts'
import { fileBytes } from './files.ts'
import { type ApiServerOptions, StartError, type StorageChoice } from './options.ts'

function storageOptions(choice: StorageChoice): StorageOptions {
  if (!('etcdServers' in choice)) return choice
  const { etcdServers, etcdTlsFiles: files } = choice
  if (etcdServers.length === 0) throw new StartError('--etcd-servers names no server')
  if (!files) return { etcdServers }
  const { ca, cert, key } = files
  const own = cert !== undefined && key !== undefined ? { cert: fileBytes(cert), key: fileBytes(key) } : {}
  return { etcdServers, etcdTls: { ca: fileBytes(ca), ...own } }
}

export async function openStore(options: ApiServerOptions): Promise<Storage> {
  try {
    return await openStorage(storageOptions(options.storage))
  } catch (error) {
    if (error instanceof StorageOpenError) throw new StartError(error.message, error)
    if (error instanceof StatusError && error.cause instanceof Error)
      throw new StartError(error.cause.message, error)
    throw error
  }
}
