// The file of the audit log: its mode, and what becomes of it when it is full.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FileLog, type FileLogOptions } from './filelog.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dinghy-audit-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const warned: string[] = []
const open = (options: Partial<FileLogOptions> = {}): FileLog =>
  new FileLog({
    path: join(folder, 'deep', 'audit.log'),
    maxSize: 1,
    maxAge: 0,
    maxBackups: 0,
    compress: false,
    warn: (why) => warned.push(why),
    ...options,
  })
const files = (): string[] => readdirSync(join(folder, 'deep')).sort()
const text = (name: string): string => readFileSync(join(folder, 'deep', name), 'utf8')
/** Two of them are more than a megabyte. */
const LARGE = JSON.stringify('x'.repeat(600_000))

test('lines are appended to a file that only its owner reads', async () => {
  const first = open()
  expect(first.write('{"a":1}')).toBe(true)
  await first.close()
  const second = open()
  second.write('{"b":2}')
  await second.close()
  expect(text('audit.log')).toBe('{"a":1}\n{"b":2}\n')
  expect(statSync(join(folder, 'deep', 'audit.log')).mode & 0o777).toBe(0o600)
})

test('a full file is set aside under its time, and every event is in one of the two', async () => {
  const log = open()
  log.write(LARGE)
  log.write(LARGE)
  await log.close()
  expect(files()).toEqual([
    expect.stringMatching(/^audit-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}\.log$/),
    'audit.log',
  ])
  expect(files().map(text)).toEqual([`${LARGE}\n`, `${LARGE}\n`])
})

test('old files are thrown away when they are too many or too old; others are left alone', async () => {
  open().write('x')
  const [old, older, ancient] = [1, 2, 40].map((days) => {
    const time = new Date(Date.now() - days * 24 * 60 * 60 * 1000)
      .toISOString()
      .slice(0, -1)
      .replaceAll(':', '-')
    const name = `audit-${time}.log`
    writeFileSync(join(folder, 'deep', name), 'old')
    return name
  })
  writeFileSync(join(folder, 'deep', 'audit-notes.log'), 'mine')
  const log = open({ maxAge: 30, maxBackups: 2 })
  log.write(LARGE)
  log.write(LARGE)
  await log.close()
  expect(files()).toContain(old)
  expect(files()).toContain('audit-notes.log')
  expect(files()).not.toContain(older)
  expect(files()).not.toContain(ancient)
})

test('old files as gzip', async () => {
  const log = open({ compress: true })
  log.write(LARGE)
  log.write(LARGE)
  await log.close()
  const [old = ''] = files()
  expect(old).toMatch(/\.log\.gz$/)
  expect(gunzipSync(readFileSync(join(folder, 'deep', old))).toString()).toBe(`${LARGE}\n`)
  expect(files()).toHaveLength(2)
})

test('without a size, the file grows', async () => {
  const log = open({ maxSize: 0 })
  log.write(LARGE)
  log.write(LARGE)
  await log.close()
  expect(files()).toEqual(['audit.log'])
})

test('what cannot be written is told', async () => {
  const log = open()
  log.write(LARGE)
  rmSync(join(folder, 'deep'), { recursive: true })
  expect(log.write(LARGE)).toBe(false)
  expect(warned.at(-1)).toContain('ENOENT')
  await log.close()
})
