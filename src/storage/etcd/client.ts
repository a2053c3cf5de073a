// The connection to etcd: by etcd3, loaded only here and only when asked for, with its own retries taken out.
// Below the etcd engine; follows k8s.io/apiserver/pkg/storage/storagebackend/factory (timeouts, keepalive).
//
// etcd3 repeats any call that failed on the way. A write may have been done all the same, and repeated its
// compare fails: the caller would hear of a conflict with itself. So we repeat calls, and know that we did.

import type { Etcd3, IOptions } from 'etcd3'
import { plainError, StatusError, timedOut } from '../../machinery/status.ts'
import { StorageOpenError } from '../open-error.ts'

export interface EtcdOptions {
  /** URLs; all http or all https. */
  readonly servers: readonly string[]
  /** PEM texts, for https. */
  readonly tls?: { readonly ca: Buffer; readonly cert?: Buffer; readonly key?: Buffer }
}

/** One attempt; etcd's own request timeout is some seconds, and it answers then. Another server may answer the next. */
const CALL_TIMEOUT_MS = 10_000

/** At start we wait this long for a server to come up. */
const DIAL_TIMEOUT_MS = 3_000

/**
 * As long as this a call that no server answered is repeated: an election, or the restart of a server. Upstream's bound
 * of a write; its reads wait for the whole minute of a request.
 */
const RETRY_FOR_MS = 34_000

const RETRY_PAUSE_MS = 100

/** Upstream's: a dead connection is noticed within 40 seconds. */
const KEEPALIVE_MS = 30_000
const KEEPALIVE_TIMEOUT_MS = 10_000

/** A server that comes back is used again within this time. */
const RECONNECT_MIN_MS = 100
const RECONNECT_MAX_MS = 1_000

/** gRPC's own limit of 4 MiB is less than a page of a list; upstream's client has this one. */
const ANSWER_MAX_BYTES = 2 ** 31 - 1

type Policy = NonNullable<NonNullable<IOptions['faultHandling']>['global']>

/** Calls once, whatever comes. */
function once(): Policy {
  const nothing = (): { dispose(): void } => ({ dispose: () => undefined })
  return {
    _altReturn: undefined as never,
    onSuccess: nothing,
    onFailure: nothing,
    execute: async (call, signal = new AbortController().signal) => call({ signal }),
  }
}

/** Connects, and waits for a first answer; throws {@link StorageOpenError} when none comes in time. */
export async function connect(options: EtcdOptions): Promise<Etcd3> {
  const { Etcd3 } = await import('etcd3')
  const client = new Etcd3(clientOptions(options))
  try {
    const deadline = Date.now() + DIAL_TIMEOUT_MS
    await repeat(() => client.kv.range({ key: PROBE_KEY, keys_only: true }, { deadline }), deadline)
    return client
  } catch (error) {
    client.close()
    const reason = error instanceof Error ? error.message : String(error)
    const servers = options.servers.join(', ')
    throw new StorageOpenError('EUNREACHABLE', `no etcd server answers at ${servers}: ${reason}`, error)
  }
}

/**
 * Whether all servers answer progress requests in order with the events: so from 3.4.31 and 3.5.13 on (etcd
 * issues 15220 and 17507). A server that does not say counts as one that does not.
 */
export async function answersProgress(options: EtcdOptions): Promise<boolean> {
  const { Etcd3 } = await import('etcd3')
  const one = async (server: string): Promise<boolean> => {
    const client = new Etcd3(clientOptions({ ...options, servers: [server] }))
    try {
      return inOrder((await client.maintenance.status({ deadline: Date.now() + DIAL_TIMEOUT_MS })).version)
    } catch {
      return false
    } finally {
      client.close()
    }
  }
  return (await Promise.all(options.servers.map(one))).every(Boolean)
}

/** Whether an etcd of this version answers progress requests in order. */
export function inOrder(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number.parseFloat)
  if (major !== 3 || minor > 5) return major >= 3
  return minor === 5 ? patch >= 13 : minor === 4 && patch >= 31
}

/** A key nobody writes: reading it costs etcd a consensus on the revision, and nothing else. */
export const PROBE_KEY = Buffer.from('\0')

function clientOptions({ servers, tls }: EtcdOptions): IOptions {
  const options: IOptions = {
    hosts: [...servers],
    faultHandling: { global: once(), host: once },
    defaultCallOptions: ({ isStream }) => (isStream ? {} : { deadline: Date.now() + CALL_TIMEOUT_MS }),
    grpcOptions: {
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
      'grpc.initial_reconnect_backoff_ms': RECONNECT_MIN_MS,
      'grpc.min_reconnect_backoff_ms': RECONNECT_MIN_MS,
      'grpc.max_reconnect_backoff_ms': RECONNECT_MAX_MS,
      'grpc.max_receive_message_length': ANSWER_MAX_BYTES,
      'grpc.max_send_message_length': ANSWER_MAX_BYTES,
    },
  }
  if (tls === undefined) return options
  const { ca, cert, key } = tls
  const pair = cert !== undefined && key !== undefined ? { certChain: cert, privateKey: key } : {}
  return { ...options, credentials: { rootCertificate: ca, ...pair } }
}

/** A call that may be made twice: repeated while servers come and go. Rejects with a StatusError in upstream's words. */
export function repeatable<T>(call: () => Promise<T>): Promise<T> {
  return repeat(call, Date.now() + RETRY_FOR_MS).catch((error: unknown) => {
    throw failureOf(error)
  })
}

/**
 * A swap, which is not the same when made twice: `repeated` says that it may have been done by an attempt
 * whose answer was lost, so that a failed compare may have failed on our own write.
 */
export async function swapping<T>(call: () => Promise<T>): Promise<{ answer: T; repeated: boolean }> {
  let attempts = 0
  const answer = await repeatable(() => {
    attempts++
    return call()
  })
  return { answer, repeated: attempts > 1 }
}

async function repeat<T>(call: () => Promise<T>, deadline: number): Promise<T> {
  let reason: unknown
  for (;;) {
    try {
      return await call()
    } catch (error) {
      const message = messageOf(error)
      if (!isUnreachable(message)) throw error
      // That time is up says less than why it was spent.
      if (reason === undefined || !message.includes('DEADLINE_EXCEEDED')) reason = error
      if (Date.now() + RETRY_PAUSE_MS > deadline) throw reason
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS))
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const isUnreachable = (message: string): boolean =>
  /^(?:4 DEADLINE_EXCEEDED|14 UNAVAILABLE)|etcdserver: (no leader|leader changed|request timed out|not capable)/.test(
    message,
  )

/** What a client is told of a call that failed for good. */
function failureOf(error: unknown): unknown {
  const message = messageOf(error)
  if (error instanceof StatusError) return error
  if (isUnreachable(message)) return timedOut(OUT_OF_TIME, error)
  const [, code, description = ''] = /^\d+ ([A-Z_]+): (.*)$/s.exec(message) ?? []
  if (code === undefined) return error
  if (description.startsWith('etcdserver: ')) return plainError(description, error)
  return plainError(`rpc error: code = ${inCamelCase(code)} desc = ${description}`, error)
}

/** As Go prints the code of an rpc: RESOURCE_EXHAUSTED is ResourceExhausted. */
const inCamelCase = (code: string): string =>
  code.toLowerCase().replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())

const OUT_OF_TIME = 'request did not complete within requested timeout - context deadline exceeded'
