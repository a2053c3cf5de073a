// The folder that keeps keys and certificates: 0700, its files 0600, each written whole or not at all.
// Follows k8s.io/client-go/util/cert and util/keyutil.
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'

/** A fault in the folder or in one of its files; the message is one line that says what to do. */
export class PkiError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.name = 'PkiError'
  }
}

const FOLDER_MODE = 0o700
const FILE_MODE = 0o600
const OTHERS = 0o077
const OTHERS_WRITE = 0o022

/** Where PEM texts are kept by name. */
export interface PemStore {
  /** undefined where it was never written. */
  read(name: string): string | undefined
  write(name: string, pem: string): void
  /** How an error message names it. */
  describe(name: string): string
}

/** Keeps them in memory, as long as the process lives. */
export function memoryStore(): PemStore {
  const kept = new Map<string, string>()
  return {
    read: (name) => kept.get(name),
    write: (name, pem) => void kept.set(name, pem),
    describe: (name) => name,
  }
}

/** Keeps them in `dir`, which is made when absent. Throws PkiError where the folder cannot be used. */
export function folderStore(dir: string): PemStore {
  prepareFolder(dir)
  return {
    read: (name) => readPem(join(dir, name)),
    write: (name, pem) => writePem(join(dir, name), pem),
    describe: (name) => join(dir, name),
  }
}

/** Writes a file whole or not at all, readable by its owner only. Throws PkiError. */
export function writePem(path: string, pem: string): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    writeFileSync(temporary, pem, { mode: FILE_MODE, flag: 'wx' })
    renameSync(temporary, path)
  } catch (error) {
    throw new PkiError(`cannot write ${path}: ${whyOf(error)}`, error)
  }
}

function readPem(path: string): string | undefined {
  try {
    const mode = statSync(path).mode & 0o777
    if (path.endsWith('.key') && (mode & OTHERS) !== 0) {
      throw new PkiError(
        `${path} has mode ${octal(mode)}: a private key must be readable by its owner only (chmod 600 ${path})`,
      )
    }
    const text = readFileSync(path, 'utf8')
    // A file that a crash left empty was never in use: as if it were absent.
    return text.trim() === '' ? undefined : text
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    if (error instanceof PkiError) throw error
    throw new PkiError(`cannot read ${path}: ${whyOf(error)}`, error)
  }
}

function prepareFolder(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: FOLDER_MODE })
    const stat = statSync(dir)
    const mode = stat.mode & 0o777
    if ((mode & OTHERS_WRITE) !== 0) {
      throw new PkiError(`${dir} has mode ${octal(mode)}: others could replace its keys (chmod 700 ${dir})`)
    }
  } catch (error) {
    if (error instanceof PkiError) throw error
    throw new PkiError(`cannot use the folder ${dir} for certificates: ${whyOf(error)}`, error)
  }
}

const octal = (mode: number): string => `0${mode.toString(8)}`

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOTDIR: 'a part of its path is a file',
  EEXIST: 'a file of that name is in the way',
  EISDIR: 'it is a folder',
  ENOSPC: 'no space left on the device',
  EROFS: 'the file system is read-only',
}

function whyOf(error: unknown): string {
  return REASONS[codeOf(error) ?? ''] ?? (error as Error).message
}
