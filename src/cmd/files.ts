// Files that the operator names.
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { StartError } from './options.ts'

/** Throws StartError, which names the file, where it cannot be read. */
export function fileBytes(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new StartError(
      `cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
      error,
    )
  }
}

/** Where data and keys of `dinghy up` are unless it is told otherwise. */
export const defaultDataDir = (): string =>
  join(process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'dinghy')

export const fileText = (path: string): string => fileBytes(path).toString()
