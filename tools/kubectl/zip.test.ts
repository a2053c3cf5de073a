import { deflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readZipEntry } from './zip.ts'

/** A zip archive written by hand: what the format says, nothing more. */
function zip(files: readonly { name: string; text: string; method: number }[], comment = ''): Buffer {
  const locals: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const { name, text, method } of files) {
    const packed = method === 8 ? deflateRawSync(text) : Buffer.from(text)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(name.length, 26)
    local.writeUInt16LE(4, 28)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt16LE(method, 10)
    entry.writeUInt32LE(packed.length, 20)
    entry.writeUInt16LE(name.length, 28)
    entry.writeUInt32LE(offset, 42)
    locals.push(local, Buffer.from(name), Buffer.alloc(4), packed)
    directory.push(entry, Buffer.from(name))
    offset += 34 + name.length + packed.length
  }
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(files.length, 10)
  end.writeUInt32LE(offset, 16)
  end.writeUInt16LE(comment.length, 20)
  return Buffer.concat([...locals, ...directory, end, Buffer.from(comment)])
}

const FILES = [
  { name: 'a/stored', text: 'as it is', method: 0 },
  { name: 'a/deflated', text: 'again '.repeat(1000), method: 8 },
  { name: 'a/other', text: 'x', method: 12 },
]

describe('readZipEntry', () => {
  it('reads stored and deflated entries', () => {
    expect(readZipEntry(zip(FILES), 'a/stored').toString()).toBe('as it is')
    expect(readZipEntry(zip(FILES), 'a/deflated').toString()).toBe('again '.repeat(1000))
  })

  it('finds the directory before a comment', () => {
    expect(readZipEntry(zip(FILES, 'made today'), 'a/stored').toString()).toBe('as it is')
  })

  it('says what it cannot read', () => {
    expect(() => readZipEntry(zip(FILES), 'a')).toThrow('no a in the archive')
    expect(() => readZipEntry(zip(FILES), 'a/other')).toThrow('a/other is packed by method 12')
    expect(() => readZipEntry(Buffer.from('no archive'.repeat(9)), 'a')).toThrow('not a zip archive')
    expect(() => readZipEntry(Buffer.from('short'), 'a')).toThrow('not a zip archive')
  })
})
