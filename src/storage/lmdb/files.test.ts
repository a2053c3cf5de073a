// Opening a store that is in use, not writable, not ours or damaged: one clear error each.

import { spawn } from 'node:child_process'
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { open } from 'lmdb'
import { afterAll, describe, expect, it } from 'vitest'
import { put } from '../contract.probe.suite.ts'
import { DATA_FILE } from './files.ts'
import { openLmdb } from './storage.ts'

const base = mkdtempSync(join(tmpdir(), 'dinghy-files-'))
let next = 0
const folder = (): string => join(base, String(next++))
afterAll(() => rmSync(base, { recursive: true }))

/** A store with some hundred objects, closed. */
async function filled(): Promise<string> {
  const path = folder()
  const storage = await openLmdb(path)
  await Promise.all(Array.from({ length: 500 }, (_, i) => put(storage, `/a/${i}`, 'v'.repeat(60_000))))
  await storage.close()
  return path
}

describe('the files of a store', () => {
  it('are readable by their owner only', async () => {
    const path = join(folder(), 'deep', 'er')
    const storage = await openLmdb(path)
    await put(storage, '/a/x', 'v')
    await storage.close()
    expect(statSync(path).mode & 0o777).toBe(0o700)
    for (const name of readdirSync(path)) expect(statSync(join(path, name)).mode & 0o777).toBe(0o600)
  })

  it('become so where they were not', async () => {
    const path = folder()
    mkdirSync(path)
    writeFileSync(join(path, DATA_FILE), '', { mode: 0o644 })
    await (await openLmdb(path)).close()
    expect(statSync(join(path, DATA_FILE)).mode & 0o777).toBe(0o600)
  })
})

describe('a store that cannot be opened', () => {
  it('because this process has it open already', async () => {
    const path = folder()
    const storage = await openLmdb(path)
    await expect(openLmdb(path)).rejects.toMatchObject({
      code: 'EALREADYOPEN',
      message: `the data folder ${path} is in use by process ${process.pid}`,
    })
    const link = folder()
    symlinkSync(path, link)
    await expect(openLmdb(link)).rejects.toMatchObject({ code: 'EALREADYOPEN' })
    await put(storage, '/a/x', 'v')
    await storage.close()
    await (await openLmdb(path)).close()
  })

  it('because another process has it open, until that dies', async () => {
    const path = folder()
    const other = await holder(path)
    await expect(openLmdb(path)).rejects.toMatchObject({
      code: 'EALREADYOPEN',
      message: `the data folder ${path} is in use by process ${other.pid}`,
    })
    await other.kill()
    await (await openLmdb(path)).close()
  })

  it('because the folder cannot be made', async () => {
    const file = folder()
    writeFileSync(file, '')
    await expect(openLmdb(join(file, 'data'))).rejects.toMatchObject({
      code: 'EACCES',
      message: expect.stringMatching(/^cannot write to the data folder [^\n]+$/),
    })
  })

  it('because its file is something else', async () => {
    const path = folder()
    mkdirSync(path)
    writeFileSync(join(path, DATA_FILE), 'a diary, not a store\n'.repeat(1000))
    await expect(openLmdb(path)).rejects.toMatchObject({ code: 'EFOREIGN' })
    writeFileSync(join(path, DATA_FILE), 'short')
    await expect(openLmdb(path)).rejects.toMatchObject({ code: 'EFOREIGN' })
  })

  it('because its file is an lmdb of somebody else', async () => {
    const path = folder()
    mkdirSync(path)
    const other = open({ path: join(path, DATA_FILE) })
    await other.put('recipe', 'soup')
    await other.close()
    await expect(openLmdb(path)).rejects.toMatchObject({ code: 'EFOREIGN' })
  })

  it('because its file is cut off', async () => {
    const path = await filled()
    const file = join(path, DATA_FILE)
    const size = statSync(file).size
    const copy = folder()
    mkdirSync(copy)
    for (const part of [0.4, 0.01]) {
      copyFileSync(file, join(copy, DATA_FILE))
      truncateSync(join(copy, DATA_FILE), Math.floor((size * part) / 4096) * 4096)
      await expect(openLmdb(copy)).rejects.toMatchObject({ code: 'ECORRUPT' })
    }
  })

  it('because its header is overwritten', async () => {
    const path = await filled()
    const fd = openSync(join(path, DATA_FILE), 'r+')
    writeSync(fd, Buffer.alloc(4096, 0xff), 0, 4096, 0)
    closeSync(fd)
    await expect(openLmdb(path)).rejects.toMatchObject({ code: 'EFOREIGN' })
  })
})

/** Another process that holds the store open. */
async function holder(path: string): Promise<{ pid: number; kill: () => Promise<void> }> {
  const script = join(base, 'holder.mjs')
  buildSync({
    stdin: {
      contents: `import { openLmdb } from './storage.ts'
        const storage = await openLmdb(process.argv[2])
        process.stdout.write('open')
        setInterval(() => storage.get('/a/x'), 1000)`,
      resolveDir: import.meta.dirname,
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: script,
    alias: { lmdb: import.meta.resolve('lmdb') },
    external: ['file:*'],
  })
  const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve)
    child.once('exit', () => reject(new Error('the other process ended')))
  })
  const kill = async (): Promise<void> => {
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }
  return { pid: child.pid as number, kill }
}
