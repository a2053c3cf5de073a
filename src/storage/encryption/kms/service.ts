// A key service of version 2, asked by gRPC over a Unix socket. Loaded with the first configuration that names one.
// Follows k8s.io/apiserver/pkg/storage/value/encrypt/envelope/kmsv2 (grpc_service.go) and k8s.io/kms/apis/v2.
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js'
import { decodeMessage, encodeMap, encodeMessage, type Message } from './wire.ts'

export interface KeyStatus {
  readonly version: string
  readonly healthz: string
  readonly keyId: string
}

export interface EncryptedKey {
  readonly ciphertext: Buffer
  readonly keyId: string
  readonly annotations: ReadonlyMap<string, Buffer>
}

/** What a key service does; rejects with Errors in gRPC's words. */
export interface KeyService {
  status(): Promise<KeyStatus>
  encrypt(uid: string, plaintext: Buffer): Promise<EncryptedKey>
  decrypt(uid: string, key: EncryptedKey): Promise<Buffer>
  close(): void
}

const SERVICE = '/v2.KeyManagementService/'

/** How gRPC's codes are called in the errors that Go's client makes. */
const CODES =
  'OK Canceled Unknown InvalidArgument DeadlineExceeded NotFound AlreadyExists PermissionDenied ResourceExhausted FailedPrecondition Aborted OutOfRange Unimplemented Internal Unavailable DataLoss Unauthenticated'.split(
    ' ',
  )

/** `endpoint` is "unix:///path" or, of Linux' abstract names, "unix:///@name"; each call takes at most `timeoutMs`. */
export function keyService(endpoint: string, timeoutMs: number): KeyService {
  const client = new Client(addressOf(endpoint), credentials.createInsecure(), {
    'grpc.default_authority': 'localhost',
    // A service that starts after us is found soon.
    'grpc.max_reconnect_backoff_ms': 5_000,
  })
  const call = (method: string, request: Buffer): Promise<Message> =>
    new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + timeoutMs }
      const answered = (error: ServiceError | null, response?: Message): void => {
        if (error) reject(new Error(`rpc error: code = ${CODES[error.code]} desc = ${error.details}`))
        else resolve(response as Message)
      }
      const path = SERVICE + method
      client.makeUnaryRequest(
        path,
        (bytes: Buffer) => bytes,
        decodeMessage,
        request,
        new Metadata({ waitForReady: true }),
        options,
        answered,
      )
    })
  return {
    async status() {
      const answer = await call('Status', Buffer.alloc(0))
      return { version: answer.text(1), healthz: answer.text(2), keyId: answer.text(3) }
    },
    async encrypt(uid, plaintext) {
      const request = encodeMessage([
        [1, plaintext],
        [2, Buffer.from(uid)],
      ])
      const answer = await call('Encrypt', request)
      return { ciphertext: answer.bytes(1), keyId: answer.text(2), annotations: answer.map(3) }
    },
    async decrypt(uid, { ciphertext, keyId, annotations }) {
      const request = encodeMessage([
        [1, ciphertext],
        [2, Buffer.from(uid)],
        [3, Buffer.from(keyId)],
      ])
      return (await call('Decrypt', Buffer.concat([request, encodeMap(4, annotations)]))).bytes(1)
    },
    close: () => client.close(),
  }
}

function addressOf(endpoint: string): string {
  const path = decodeURIComponent(new URL(endpoint).pathname)
  return path.startsWith('/@') ? `unix-abstract:${path.slice(2)}` : `unix:${path}`
}
