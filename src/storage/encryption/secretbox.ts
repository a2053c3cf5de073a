// NaCl's secretbox (XSalsa20 and Poly1305) as values are encrypted by it: nonce, tag, ciphertext.
// Follows k8s.io/apiserver/pkg/storage/value/encrypt/secretbox. Loaded with the first configuration that names it.
import { randomBytes } from 'node:crypto'
import { secretbox as box } from '@noble/ciphers/salsa.js'
import type { Transformer } from './transformer.ts'

const NONCE_BYTES = 24
const TAG_BYTES = 16

/** Nothing binds a value to its place. `secret` has 32 bytes. */
export function secretbox(secret: Buffer): Transformer {
  return {
    toStorage(value) {
      const nonce = randomBytes(NONCE_BYTES)
      return Buffer.concat([nonce, box(secret, nonce).seal(value)])
    },
    fromStorage(data) {
      if (data.length < NONCE_BYTES + TAG_BYTES)
        throw new Error('the stored data was shorter than the required size')
      try {
        const opened = box(secret, data.subarray(0, NONCE_BYTES)).open(data.subarray(NONCE_BYTES))
        return { value: Buffer.from(opened.buffer, opened.byteOffset, opened.byteLength), stale: false }
      } catch {
        // Upstream's words, though it is the tag that does not fit.
        throw new Error('output array was not large enough for encryption')
      }
    },
  }
}
