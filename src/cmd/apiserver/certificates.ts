// Certificates without a restart: our own are renewed before they end, the operator's files are read again when they change.
// Follows k8s.io/apiserver/pkg/server/dynamiccertificates.
import type { Listening } from '../../server/listen.ts'
import type { Identity, Tls } from './identity.ts'
import type { Log } from '../log.ts'
import type { ApiServerOptions } from '../options.ts'

export interface Certificates {
  readonly options: ApiServerOptions
  readonly identity: Identity
  readonly listening: Listening
  readonly log: Log
  /** Told of other CAs of clients or proxies. */
  authoritiesChanged(tls: Tls): Promise<void>
}

/** How often our own are looked at; they are renewed a month before they expire. */
const RENEWAL_INTERVAL_MS = 12 * 60 * 60 * 1000

/** Answers how to stop. */
export async function keepCertificatesFresh(parts: Certificates): Promise<() => void> {
  const { options, identity, listening, log } = parts
  const look = async (): Promise<void> => {
    const renewed = await identity.renew(options)
    if (!renewed) return
    listening.renew(renewed)
    log.info({}, 'renewed the serving certificate')
  }
  const renewal = setInterval(() => {
    look().catch((error: unknown) => log.error({ error: String(error) }, 'could not renew the certificates'))
  }, RENEWAL_INTERVAL_MS).unref()
  const stopWatching = await watchOperatorsFiles(parts)
  return () => {
    clearInterval(renewal)
    stopWatching()
  }
}

async function watchOperatorsFiles(parts: Certificates): Promise<() => void> {
  const { options, identity, listening, log } = parts
  const { tlsCertFile, tlsPrivateKeyFile, clientCaFile, requestHeader } = options
  const files = [tlsCertFile, tlsPrivateKeyFile, clientCaFile, requestHeader?.caFile].filter(
    (file) => file !== undefined,
  )
  if (files.length === 0) return () => undefined
  const { watchFiles } = await import('../filewatch.ts')
  let current = identity.tls
  const look = async (): Promise<void> => {
    // Throws while certificate and key are no pair: one of them was written, the other will be.
    const tls = identity.read(options)
    if (isSame(tls, current)) return
    const before = current
    current = tls
    listening.renew(tls)
    log.info({}, 'read certificates again that have changed')
    if (tls.clientCa !== before.clientCa || tls.proxyCa !== before.proxyCa)
      await parts.authoritiesChanged(tls)
  }
  return watchFiles(files, look, (error) =>
    log.error({ error: String(error) }, 'could not read certificates that have changed'),
  )
}

const isSame = (a: Tls, b: Tls): boolean =>
  a.cert === b.cert && a.key === b.key && a.clientCa === b.clientCa && a.proxyCa === b.proxyCa
