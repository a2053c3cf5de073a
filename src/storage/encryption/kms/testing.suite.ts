// A key service for tests: version 2 over a Unix socket, with keys of its own that can be changed, taken away and broken.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Server, ServerCredentials, status, type ServiceError, type UntypedHandleCall } from '@grpc/grpc-js'
import { decodeMessage, encodeMap, encodeMessage, type Message } from './wire.ts'

export interface TestKeyService {
  /** As a configuration names it. */
  readonly endpoint: string
  keyId: string
  healthz: string
  version: string
  /** What is said to a request to decrypt instead of doing it. */
  refuseToDecrypt: string | undefined
  readonly calls: { status: number; encrypt: number; decrypt: number }
  stop(): Promise<void>
}

type Answer = (request: Message) => Buffer

/** Starts it in a folder, which is its own; `stop` ends it and removes the folder. */
export async function startKeyService(
  keyId = 'key-1',
  folder = mkdtempSync(join(tmpdir(), 'dinghy-kms-')),
): Promise<TestKeyService> {
  const path = join(folder, 'kms.sock')
  const keys = new Map<string, Buffer>()
  const server = new Server()
  const service: TestKeyService = {
    endpoint: `unix://${path}`,
    keyId,
    healthz: 'ok',
    version: 'v2',
    refuseToDecrypt: undefined,
    calls: { status: 0, encrypt: 0, decrypt: 0 },
    stop() {
      server.forceShutdown()
      rmSync(folder, { recursive: true, force: true })
      return Promise.resolve()
    },
  }
  server.addService(definitions(), {
    status: handler(() => statusOf(service)),
    encrypt: handler((request) => encrypted(service, keys, request)),
    decrypt: handler((request) => decrypted(service, keys, request)),
  })
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    )
  })
  return service
}

function definitions() {
  const rpc = (name: string) => ({
    path: `/v2.KeyManagementService/${name}`,
    requestStream: false as const,
    responseStream: false as const,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: decodeMessage,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: decodeMessage,
  })
  return { status: rpc('Status'), encrypt: rpc('Encrypt'), decrypt: rpc('Decrypt') }
}

const handler =
  (answer: Answer): UntypedHandleCall =>
  (call: { request: Message }, done: (error: Partial<ServiceError> | null, bytes?: Buffer) => void) => {
    try {
      done(null, answer(call.request))
    } catch (error) {
      done({ code: status.INVALID_ARGUMENT, details: (error as Error).message })
    }
  }

function statusOf(service: TestKeyService): Buffer {
  service.calls.status++
  const { version, healthz, keyId } = service
  return encodeMessage([
    [1, Buffer.from(version)],
    [2, Buffer.from(healthz)],
    [3, Buffer.from(keyId)],
  ])
}

const ANNOTATION = 'local.kms.test'

function encrypted(service: TestKeyService, keys: Map<string, Buffer>, request: Message): Buffer {
  service.calls.encrypt++
  const key = keys.get(service.keyId) ?? randomBytes(32)
  keys.set(service.keyId, key)
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const ciphertext = Buffer.concat([cipher.update(request.bytes(1)), cipher.final(), cipher.getAuthTag()])
  const answer = encodeMessage([
    [1, ciphertext],
    [2, Buffer.from(service.keyId)],
  ])
  return Buffer.concat([answer, encodeMap(3, new Map([[ANNOTATION, nonce]]))])
}

function decrypted(service: TestKeyService, keys: Map<string, Buffer>, request: Message): Buffer {
  service.calls.decrypt++
  if (service.refuseToDecrypt !== undefined) throw new Error(service.refuseToDecrypt)
  const key = keys.get(request.text(3))
  const nonce = request.map(4).get(ANNOTATION)
  if (!key || !nonce) throw new Error('no such key')
  const ciphertext = request.bytes(1)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce)
  decipher.setAuthTag(ciphertext.subarray(-16))
  const plain = Buffer.concat([decipher.update(ciphertext.subarray(0, -16)), decipher.final()])
  return encodeMessage([[1, plain]])
}
