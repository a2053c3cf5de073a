// Opens the engine that the options name, and turns its refusals into one clear line.
import { posix } from 'node:path'
import { StatusError } from '../../machinery/status.ts'
import { builtinResources } from '../../schema/resources.ts'
import type { HealthCheck } from '../../server/health.ts'
import type { Storage } from '../../storage/interface.ts'
import { openStorage, type StorageOptions } from '../../storage/open.ts'
import { StorageOpenError } from '../../storage/open-error.ts'
import { fileBytes } from '../files.ts'
import type { Log } from '../log.ts'
import { type ApiServerOptions, StartError, type StorageChoice } from '../options.ts'

function storageOptions(choice: StorageChoice): StorageOptions {
  if (!('etcdServers' in choice)) return choice
  const { etcdServers, etcdTlsFiles: files } = choice
  if (etcdServers.length === 0) throw new StartError('--etcd-servers names no server')
  if (!files) return { etcdServers }
  const { ca, cert, key } = files
  const own = cert !== undefined && key !== undefined ? { cert: fileBytes(cert), key: fileBytes(key) } : {}
  return { etcdServers, etcdTls: { ca: fileBytes(ca), ...own } }
}

export interface Store {
  readonly storage: Storage
  readonly checks: readonly HealthCheck[]
  /** What is counted beneath the caches; absent: nothing. */
  readonly metrics?: () => string
}

/** What other prefix of keys is asked for, without slashes at its end. */
function prefixOf(choice: StorageChoice): string | undefined {
  if (!('etcdServers' in choice) || choice.etcdPrefix === undefined) return undefined
  const prefix = posix.join('/', choice.etcdPrefix, '.')
  return prefix === '/registry' ? undefined : prefix.replace(/^\/$/, '')
}

/** What encrypts, and another prefix of keys, are put over the engine only where they are asked for. */
export async function openStore(options: ApiServerOptions, log: Log): Promise<Store> {
  const store = await openPrefixed(options, log)
  if (!('etcdServers' in options.storage)) return store
  const { EtcdMeters, metered } = await import('../../storage/etcd/metered.ts')
  const meters = new EtcdMeters()
  const metrics = (): string => (store.metrics?.() ?? '') + meters.text(resourceAt)
  return { ...store, storage: metered(store.storage, meters), metrics }
}

function resourceAt(place: string): { group: string; resource: string } | undefined {
  const found = builtinResources().find(({ storagePrefix }) => storagePrefix === place)
  return found && { group: found.group, resource: found.name }
}

async function openPrefixed(options: ApiServerOptions, log: Log): Promise<Store> {
  const store = await openEncrypted(options, log)
  const prefix = prefixOf(options.storage)
  if (prefix === undefined) return store
  const { prefixed } = await import('../../storage/prefixed.ts')
  return { ...store, storage: prefixed(store.storage, prefix) }
}

async function openEncrypted(options: ApiServerOptions, log: Log): Promise<Store> {
  const { encryption: choice } = options
  if (!choice) return { storage: await openEngine(options), checks: [] }
  const { openEncryption } = await import('./encryption.ts')
  const encryption = await openEncryption(choice, log)
  try {
    const { checks, metrics } = encryption
    return { storage: encryption.over(await openEngine(options)), checks, metrics }
  } catch (error) {
    encryption.close()
    throw error
  }
}

async function openEngine(options: ApiServerOptions): Promise<Storage> {
  try {
    return await openStorage(storageOptions(options.storage))
  } catch (error) {
    if (error instanceof StorageOpenError) throw new StartError(error.message, error)
    if (error instanceof StatusError && error.cause instanceof Error)
      throw new StartError(error.cause.message, error)
    throw error
  }
}
