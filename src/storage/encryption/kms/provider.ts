// One key service over time: whether it is well, which key it encrypts by, and the seed that values are written by.
// Follows the probes of k8s.io/apiserver/pkg/server/options/encryptionconfig (config.go).
import { randomUUID } from 'node:crypto'
import { goQuote } from '../../../machinery/quote.ts'
import { aggregate, type Transformer } from '../transformer.ts'
import { envelope, hashOf, keyIdFault, newSeed, rfc3339, type WriteState } from './envelope.ts'
import type { KeyService, KeyStatus } from './service.ts'

/** How often a service is asked for its state: while it is well, and while it is not. */
const WELL_INTERVAL_MS = 60_000
const ILL_INTERVAL_MS = 10_000
/** How long after its last good answer values may be written by its seed. */
const WRITE_MS = 3 * 60_000
/** How long an answer stands for those who ask for the health of it. */
const WELL_TTL_MS = 20_000
const ILL_TTL_MS = 3_000

const VERSIONS = ['v2', 'v2beta1']

export interface KeyProvider {
  readonly name: string
  readonly transformer: Transformer
  /** Why it is not well; undefined: it is. */
  check(): Promise<string | undefined>
  close(): void
}

/** Asks once before it resolves, so that a service that is there can be written by at once; later it asks by itself. */
export async function keyProvider(
  name: string,
  service: KeyService,
  now: () => number = Date.now,
): Promise<KeyProvider> {
  const probe = new Probe(name, service, now)
  const first = await probe.check()
  probe.askAgain(first)
  return {
    name,
    transformer: envelope(service, () => probe.current(), now),
    check: () => probe.check(),
    close: () => probe.close(),
  }
}

class Probe {
  private readonly name: string
  private readonly service: KeyService
  private readonly now: () => number
  private state: WriteState | undefined
  private version = ''
  private last: { fault: string | undefined; until: number } = { fault: undefined, until: -Infinity }
  private asking: Promise<string | undefined> | undefined
  private timer: NodeJS.Timeout | undefined
  private closed = false

  constructor(name: string, service: KeyService, now: () => number) {
    this.name = name
    this.service = service
    this.now = now
  }

  current(): WriteState {
    if (!this.state) throw new Error('got unexpected nil transformer')
    return this.state
  }

  /** One question at a time; what was heard just now is good for all. */
  check(): Promise<string | undefined> {
    if (this.asking) return this.asking
    if (this.now() < this.last.until) return Promise.resolve(this.last.fault)
    this.asking = this.ask()
      .then((fault) => {
        const ttl = fault === undefined ? WELL_TTL_MS : ILL_TTL_MS
        this.last = { fault, until: this.now() + ttl }
        return fault
      })
      .finally(() => (this.asking = undefined))
    return this.asking
  }

  askAgain(fault: string | undefined): void {
    if (this.closed) return
    const pause = fault === undefined ? WELL_INTERVAL_MS : ILL_INTERVAL_MS
    this.timer = setTimeout(() => void this.check().then((next) => this.askAgain(next)), pause).unref()
  }

  close(): void {
    this.closed = true
    clearTimeout(this.timer)
    this.service.close()
  }

  private async ask(): Promise<string | undefined> {
    let status: KeyStatus
    try {
      status = await this.service.status()
    } catch (error) {
      return `failed to perform status section of the healthz check for KMS Provider ${this.name}, error: ${messageOf(error)}`
    }
    const faults = [this.healthFault(status), this.versionFault(status), await this.keyFault(status)]
    const said = aggregate(faults.filter((fault) => fault !== undefined))
    return said === '' ? undefined : `kmsv2 Provider ${this.name} is not healthy, error: ${said}`
  }

  private healthFault({ healthz }: KeyStatus): string | undefined {
    return healthz === 'ok' ? undefined : `got unexpected healthz status: ${healthz}`
  }

  private versionFault({ version }: KeyStatus): string | undefined {
    if (!VERSIONS.includes(version)) return `expected KMSv2 API version v2, got ${version}`
    this.version ||= version
    if (this.version === version) return undefined
    return `KMSv2 API version should not change after the initial status response version ${this.version}, got ${version}`
  }

  private async keyFault({ keyId }: KeyStatus): Promise<string | undefined> {
    const fault = keyIdFault(keyId)
    if (fault) return `got invalid KMSv2 KeyID hash ${goQuote(hashOf(keyId))}: ${fault}`
    return this.rotate(keyId)
  }

  /** A new key is a new seed. While that cannot be had, the old one goes on until it is too old. */
  private async rotate(keyId: string): Promise<string | undefined> {
    const { state } = this
    // Before the service is asked: from then on its answer grows old.
    const expiresAt = this.now() + WRITE_MS
    if (state?.key.keyId === keyId) {
      this.state = { ...state, expiresAt }
      return undefined
    }
    const made = await newSeed(this.service).catch((error: unknown) => messageOf(error))
    if (typeof made !== 'string' && made.key.keyId === keyId) {
      this.state = { ...made, expiresAt }
      return undefined
    }
    const hashes = {
      status: hashOf(keyId),
      encrypt: typeof made === 'string' ? '' : hashOf(made.key.keyId),
      state: hashOf(state?.key.keyId ?? ''),
    }
    const errors = `errState=${state ? '<nil>' : 'got unexpected nil transformer'}, errGen=${typeof made === 'string' ? made : '<nil>'}`
    return (
      `failed to rotate DEK uid=${goQuote(randomUUID())}, useSeed=true, ${errors}, ` +
      `statusKeyIDHash=${goQuote(hashes.status)}, encryptKeyIDHash=${goQuote(hashes.encrypt)}, ` +
      `stateKeyIDHash=${goQuote(hashes.state)}, expirationTimestamp=${state ? rfc3339(state.expiresAt) : '0001-01-01T00:00:00Z'}`
    )
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
