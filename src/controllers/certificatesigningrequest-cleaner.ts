// Deletes requests for certificates that nobody needs any more.
// Follows k8s.io/kubernetes/pkg/controller/certificates/cleaner.
import { X509Certificate } from 'node:crypto'
import { isNotFound } from '../client/api.ts'
import { sleep } from '../client/clock.ts'
import type { Controller, ControllerContext } from '../client/controller.ts'
import type { CertificateSigningRequest } from '../client/kinds/certificates.v1.gen.ts'
import { CERTIFICATE_SIGNING_REQUESTS } from '../client/resources.ts'

const NAME = 'certificatesigningrequest-cleaner-controller'
const HOUR = 3_600_000
/** As upstream: how often it looks, and how long requests that are done, and those that wait, are kept. */
const PERIOD_MS = HOUR
const DONE_MS = HOUR
const WAITING_MS = 24 * HOUR

/** Whether it may go; `now` in ms since 1970. */
export function isOver({ metadata, status }: CertificateSigningRequest, now: number): boolean {
  const { conditions = [], certificate = '' } = status ?? {}
  const isOlder = (time: string | undefined, ms: number): boolean =>
    time !== undefined && now - Date.parse(time) > ms
  if (conditions.length === 0) return isOlder(metadata.creationTimestamp, WAITING_MS)
  return conditions.some(({ type, lastUpdateTime }) => {
    if (type === 'Denied' || type === 'Failed') return isOlder(lastUpdateTime, DONE_MS)
    if (type !== 'Approved') return false
    if (certificate === '') return isOlder(lastUpdateTime, WAITING_MS)
    return isOlder(lastUpdateTime, DONE_MS) || hasExpired(certificate, now)
  })
}

/** `certificate` is base64 of PEM. */
function hasExpired(certificate: string, now: number): boolean {
  try {
    return now > Date.parse(new X509Certificate(Buffer.from(certificate, 'base64')).validTo)
  } catch {
    return false
  }
}

export function requestCleaner({ api, informers, clock, log }: ControllerContext): Controller {
  const requests = informers.of(CERTIFICATE_SIGNING_REQUESTS)
  const remove = (name: string): Promise<unknown> =>
    api.delete(CERTIFICATE_SIGNING_REQUESTS, { name }).catch((error: unknown) => {
      if (!isNotFound(error)) log.warn({ name, error: String(error) }, 'could not delete a request')
    })
  return {
    name: NAME,
    async run(signal) {
      while (!signal.aborted) {
        const over = requests.reader.list().filter((one) => isOver(one, clock.now()))
        for (const { metadata } of over) await remove(metadata.name ?? '')
        await sleep(clock, PERIOD_MS, signal)
      }
    },
  }
}
