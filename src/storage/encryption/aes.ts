// AES as values are encrypted by it: GCM, CBC, and GCM with a key of its own for each value, derived from a seed.
// One cipher a function; follows k8s.io/apiserver/pkg/storage/value/encrypt/aes, whose bytes these are.
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import type { Transformer } from './transformer.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16
const BLOCK_BYTES = 16
/** What is put before a value encrypted by a derived key, and derives it; of a seed at least as much. */
export const SEED_BYTES = 32

const TOO_SHORT = 'the stored data was shorter than the required size'
/** Go's words for a tag that does not fit: the wrong key, or bytes that were changed or moved. */
const NOT_AUTHENTIC = 'cipher: message authentication failed'

/** Nonce, ciphertext, tag; bound to the key of the store. */
export function gcm(secret: Buffer): Transformer {
  return {
    fromStorage: (data, key) => ({ value: openGcm(secret, data, key), stale: false }),
    toStorage: (value, key) => sealGcm(secret, value, key),
  }
}

function sealGcm(secret: Buffer, value: Buffer, key: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(`aes-${gcmBits(secret)}-gcm`, secret, nonce)
  cipher.setAAD(Buffer.from(key))
  return Buffer.concat([nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()])
}

function openGcm(secret: Buffer, data: Buffer, key: string): Buffer {
  if (data.length < NONCE_BYTES) throw new Error(TOO_SHORT)
  if (data.length < NONCE_BYTES + TAG_BYTES) throw new Error(NOT_AUTHENTIC)
  const decipher = createDecipheriv(`aes-${gcmBits(secret)}-gcm`, secret, data.subarray(0, NONCE_BYTES))
  decipher.setAAD(Buffer.from(key))
  decipher.setAuthTag(data.subarray(data.length - TAG_BYTES))
  const value = decipher.update(data.subarray(NONCE_BYTES, data.length - TAG_BYTES))
  try {
    // Of GCM the end has no bytes, only the verdict.
    decipher.final()
  } catch {
    throw new Error(NOT_AUTHENTIC)
  }
  return value
}

type GcmBits = 128 | 192 | 256
const gcmBits = (secret: Buffer): GcmBits => (secret.length * 8) as GcmBits

/** Initial vector and ciphertext, padded as PKCS#7 says. Nothing binds it to its place. */
export function cbc(secret: Buffer): Transformer {
  const algorithm = `aes-${secret.length * 8}-cbc`
  return {
    toStorage(value) {
      const vector = randomBytes(BLOCK_BYTES)
      const cipher = createCipheriv(algorithm, secret, vector)
      return Buffer.concat([vector, cipher.update(value), cipher.final()])
    },
    fromStorage(data) {
      if (data.length < BLOCK_BYTES) throw new Error(TOO_SHORT)
      if (data.length % BLOCK_BYTES !== 0)
        throw new Error('the stored data is not a multiple of the block size')
      if (data.length === BLOCK_BYTES) throw new Error('invalid PKCS7 data (empty or not padded)')
      const decipher = createDecipheriv(algorithm, secret, data.subarray(0, BLOCK_BYTES))
      try {
        return {
          value: Buffer.concat([decipher.update(data.subarray(BLOCK_BYTES)), decipher.final()]),
          stale: false,
        }
      } catch {
        throw new Error('invalid padding on input')
      }
    },
  }
}

/** 32 random bytes, and GCM by the key that these and the seed derive. */
export function derivedGcm(seed: Buffer): Transformer {
  if (seed.length < SEED_BYTES) throw new Error(`invalid seed length ${seed.length} used for key generation`)
  return {
    fromStorage(data, key) {
      if (data.length < SEED_BYTES) throw new Error(TOO_SHORT)
      const secret = derivedKey(seed, data.subarray(0, SEED_BYTES))
      return { value: openGcm(secret, data.subarray(SEED_BYTES), key), stale: false }
    },
    toStorage(value, key) {
      const info = randomBytes(SEED_BYTES)
      return Buffer.concat([info, sealGcm(derivedKey(seed, info), value, key)])
    },
  }
}

/** HKDF's expansion by SHA-256, of which a key of 32 bytes is the first block. */
const derivedKey = (seed: Buffer, info: Buffer): Buffer =>
  createHmac('sha256', seed).update(info).update(FIRST_BLOCK).digest()

const FIRST_BLOCK = Buffer.from([1])
