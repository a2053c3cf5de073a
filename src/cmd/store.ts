// Opens the engine that the options name, and turns its refusals into one clear line.
import type { Storage } from '../storage/interface.ts'
import { openStorage } from '../storage/open.ts'
import { StorageOpenError } from '../storage/open-error.ts'
import { type ApiServerOptions, StartError } from './options.ts'

export async function openStore(options: ApiServerOptions): Promise<Storage> {
  try {
    return await openStorage(options.storage)
  } catch (error) {
    if (error instanceof StorageOpenError) throw new StartError(error.message, error)
    throw error
  }
}
