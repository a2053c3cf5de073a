import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withCertificates, without } from './apiserver.ts'
import { flagOf } from './etcd.ts'

describe('flags of envtest', () => {
  it('have their value behind them or after an equals sign; the last one counts', () => {
    const argv = ['--a=1', '--b', '2', '--a', '3']
    expect(flagOf(argv, 'a')).toBe('3')
    expect(flagOf(argv, 'b')).toBe('2')
    expect(flagOf(argv, 'c')).toBeUndefined()
    expect(without(argv, 'a')).toEqual(['--b', '2'])
    expect(without(argv, 'b')).toEqual(['--a=1', '--a', '3'])
  })
})

describe('certificates of envtest', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'envtest-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('are served where they are in the folder, and ours kept below it', () => {
    const argv = [`--cert-dir=${folder}`, '--v=1']
    expect(withCertificates(argv)).toEqual(argv)
    for (const name of ['apiserver.crt', 'apiserver.key']) writeFileSync(join(folder, name), '')
    expect(withCertificates(argv)).toEqual([
      '--v=1',
      `--cert-dir=${join(folder, 'dinghy')}`,
      `--tls-cert-file=${join(folder, 'apiserver.crt')}`,
      `--tls-private-key-file=${join(folder, 'apiserver.key')}`,
    ])
    const own = [...argv, '--tls-cert-file=x']
    expect(withCertificates(own)).toEqual(own)
  })
})
