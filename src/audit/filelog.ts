// The audit log as a file of JSON lines, set aside when it is large, with old ones thrown away.
// Follows k8s.io/apiserver/plugin/pkg/audit/log and gopkg.in/natefinch/lumberjack.v2.
import {
  closeSync,
  createReadStream,
  createWriteStream,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { AuditSink } from './auditor.ts'

export interface FileLogOptions {
  /** "-" is standard output. */
  readonly path: string
  /** Megabytes; 0: the file grows without end. */
  readonly maxSize: number
  /** Days; 0: however old. */
  readonly maxAge: number
  /** 0: however many. */
  readonly maxBackups: number
  /** Old ones as gzip. */
  readonly compress: boolean
  /** Hears what could not be written or thrown away. */
  warn(why: string): void
}

const FILE_MODE = 0o600
const FOLDER_MODE = 0o700
const MEGABYTE = 1024 * 1024
const DAY_MS = 24 * 60 * 60 * 1000
const STDOUT = 1

export class FileLog implements AuditSink {
  readonly #options: FileLogOptions
  #file: number
  #size: number
  #tidying: Promise<void> = Promise.resolve()

  /** Opens the file, which is made when absent. Throws node's error where it cannot be. */
  constructor(options: FileLogOptions) {
    this.#options = options
    if (options.path !== '-') mkdirSync(dirname(options.path), { recursive: true, mode: FOLDER_MODE })
    this.#file = this.#open()
    this.#size = options.path === '-' ? 0 : fstatSync(this.#file).size
  }

  write(event: string): boolean {
    const line = Buffer.from(`${event}\n`)
    try {
      const { maxSize, path } = this.#options
      const isFull = maxSize > 0 && this.#size > 0 && this.#size + line.length > maxSize * MEGABYTE
      if (isFull && path !== '-') this.#rotate()
      for (let at = 0; at < line.length;) at += writeSync(this.#file, line, at)
      this.#size += line.length
      return true
    } catch (error) {
      this.#options.warn((error as Error).message)
      return false
    }
  }

  async close(): Promise<void> {
    await this.#tidying
    if (this.#options.path !== '-') closeSync(this.#file)
  }

  #open(): number {
    const { path } = this.#options
    return path === '-' ? STDOUT : openSync(path, 'a', FILE_MODE)
  }

  /** The file goes on under the time of now; a new one takes its place. */
  #rotate(): void {
    const { path } = this.#options
    const time = new Date().toISOString().slice(0, -1).replaceAll(':', '-')
    renameSync(path, join(dirname(path), `${this.#prefix()}${time}${extname(path)}`))
    const old = this.#file
    this.#file = this.#open()
    closeSync(old)
    this.#size = 0
    this.#tidying = this.#tidying
      .then(() => this.#tidy())
      .catch((error: unknown) => this.#options.warn((error as Error).message))
  }

  #prefix(): string {
    const { path } = this.#options
    return `${basename(path, extname(path))}-`
  }

  /** Names of old files carry their time, so they sort by age. */
  async #tidy(): Promise<void> {
    const { path, maxAge, maxBackups, compress } = this.#options
    const folder = dirname(path)
    const old = readdirSync(folder)
      .filter((name) => this.#timeOf(name) !== undefined)
      .sort()
      .reverse()
    const oldest = Date.now() - maxAge * DAY_MS
    for (const [i, name] of old.entries()) {
      const isTooMany = maxBackups > 0 && i >= maxBackups
      const isTooOld = maxAge > 0 && (this.#timeOf(name) ?? 0) < oldest
      if (isTooMany || isTooOld) rmSync(join(folder, name), { force: true })
      else if (compress && !name.endsWith('.gz')) await gzip(join(folder, name))
    }
  }

  /** When a file was set aside; undefined for files that are none of this log. */
  #timeOf(name: string): number | undefined {
    const [prefix, end] = [this.#prefix(), extname(this.#options.path)]
    const plain = name.endsWith('.gz') ? name.slice(0, -'.gz'.length) : name
    if (!plain.startsWith(prefix) || !plain.endsWith(end)) return undefined
    const time = plain.slice(prefix.length, plain.length - end.length)
    const [, day, hour, minute, second] = /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d\.\d{3})$/.exec(time) ?? []
    return day === undefined ? undefined : Date.parse(`${day}T${hour}:${minute}:${second}Z`)
  }
}

async function gzip(path: string): Promise<void> {
  const target = createWriteStream(`${path}.gz`, { mode: FILE_MODE })
  await pipeline(createReadStream(path), createGzip(), target)
  rmSync(path)
}
