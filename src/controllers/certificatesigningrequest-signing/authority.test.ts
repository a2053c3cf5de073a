// A CA that is replaced while it signs: whose files are read, and what happens while they do not fit.
import { expect, it } from 'vitest'
import { ensurePki } from '../../pki/pki.ts'
import { CurrentAuthority } from './authority.ts'

it('signs by what the files hold now, and by what they held before while they are no pair', async () => {
  const [old, fresh] = [await ensurePki({ hosts: [] }), await ensurePki({ hosts: [] })]
  const files: { cert: string; key: string | undefined } = { cert: old.caCert, key: old.caKey }
  const current = new CurrentAuthority({
    get cert() {
      return files.cert
    },
    get key() {
      if (files.key === undefined) throw new Error('no such file')
      return files.key
    },
  })
  const faults: string[] = []
  const now = () => current.now((error) => faults.push(String(error)))
  const first = now()
  expect(now()).toBe(first)
  files.cert = fresh.caCert
  expect(now()).toBe(first)
  files.key = undefined
  expect(now()).toBe(first)
  expect(faults).toEqual(['Error: the key is not that of the certificate', 'Error: no such file'])
  files.key = fresh.caKey
  const second = now()
  expect(second).not.toBe(first)
  expect(second.key.equals(first.key)).toBe(false)
  expect([now(), faults.length]).toEqual([second, 2])
})
