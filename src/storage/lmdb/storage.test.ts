// The lmdb engine against the contract.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { storageContract } from '../contract.suite.ts'
import { openLmdb } from './storage.ts'

const base = mkdtempSync(join(tmpdir(), 'dinghy-lmdb-'))
let next = 0
afterAll(() => rmSync(base, { recursive: true }))

storageContract('lmdb', () => openLmdb(join(base, String(next++))))
