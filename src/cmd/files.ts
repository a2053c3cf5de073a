// Files that the operator names.
import { readFileSync } from 'node:fs'
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

export const fileText = (path: string): string => fileBytes(path).toString()
