// The Lease by which an API server says that it lives, and the end of those whose server does not.
// Follows k8s.io/kubernetes/pkg/controlplane/apiserver (identity lease) and controller/apiserverleasegc.
import { createHash, randomUUID } from 'node:crypto'
import type { Scope, Scopes } from '../../handlers/scope.ts'
import { isObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { removeInternal, scopeOf, writeInternal } from './internal.ts'

const NAMESPACE = 'kube-system'
const LABEL = 'apiserver.kubernetes.io/identity'
const SERVER = 'kube-apiserver'
const DURATION_SECONDS = 3600
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'
/** Bytes of the digest that are in the name. */
const DIGEST_BYTES = 16

export class IdentityLease {
  readonly #scopes: Scopes
  readonly #hostname: string
  readonly #address: string | undefined
  readonly #name: string
  readonly #holder: string

  /** `address`: host:port at which other API servers reach this one; undefined: they do not. */
  constructor(scopes: Scopes, hostname: string, address: string | undefined) {
    this.#scopes = scopes
    this.#hostname = hostname
    this.#address = address
    this.#name = identityOf(hostname)
    this.#holder = `${this.#name}_${randomUUID()}`
  }

  /** In place of what an earlier server of this host left. */
  async begin(): Promise<void> {
    await this.end()
    await this.renew()
  }

  async renew(): Promise<void> {
    const scope = this.#scope
    await scope.cache.fresh()
    const stored = scope.cache.index.get(NAMESPACE, this.#name)?.object()
    if (!stored) return void (await writeInternal(this.#scopes, this.#object(new Date()), 'create'))
    const { metadata, spec } = this.#object(new Date())
    const kept = { ...stored.metadata, labels: { ...stored.metadata.labels, ...metadata.labels } }
    await writeInternal(this.#scopes, { ...stored, metadata: kept, spec }, 'update')
  }

  async end(): Promise<void> {
    const scope = this.#scope
    await scope.cache.fresh()
    const stored = scope.cache.index.get(NAMESPACE, this.#name)?.object()
    if (stored) await removeInternal(scope, NAMESPACE, this.#name, stored.metadata.uid ?? '')
  }

  /** Takes the leases away whose servers have not renewed them in time. */
  async collect(now: Date): Promise<void> {
    const scope = this.#scope
    await scope.cache.fresh()
    for (const entry of scope.cache.index.entries(NAMESPACE)) {
      if (entry.labels()[LABEL] !== SERVER || !isExpired(entry.object(), now)) continue
      await removeInternal(scope, NAMESPACE, entry.name, entry.object().metadata.uid ?? '')
    }
  }

  get #scope(): Scope {
    return scopeOf(this.#scopes, this.#object(new Date(0)))
  }

  #object(now: Date): KubeObject {
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        name: this.#name,
        namespace: NAMESPACE,
        labels: { [LABEL]: SERVER, 'kubernetes.io/hostname': this.#hostname },
        ...(this.#address ? { annotations: { 'kubernetes.io/peer-advertise-address': this.#address } } : {}),
      },
      spec: {
        holderIdentity: this.#holder,
        leaseDurationSeconds: DURATION_SECONDS,
        renewTime: now.toISOString().replace('Z', '000Z'),
      },
    }
  }
}

/** A lease without a time or a duration is none of a server's. */
export function isExpired({ spec }: KubeObject, now: Date): boolean {
  const { renewTime, leaseDurationSeconds } = isObject(spec) ? spec : {}
  if (typeof renewTime !== 'string' || typeof leaseDurationSeconds !== 'number') return true
  return Date.parse(renewTime) + leaseDurationSeconds * 1000 < now.getTime()
}

/** The same for every start on this host. */
export function identityOf(hostname: string): string {
  const hash = createHash('sha256')
  for (const text of [hostname, SERVER]) {
    const bytes = Buffer.from(text)
    const length = Buffer.alloc(2)
    length.writeUInt16BE(bytes.length)
    hash.update(length).update(bytes)
  }
  return `apiserver-${base32(hash.digest().subarray(0, DIGEST_BYTES))}`
}

/** RFC 4648 in lower case, without padding. */
function base32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const groups = bits.match(/.{1,5}/g) ?? []
  return groups.map((group) => BASE32[parseInt(group.padEnd(5, '0'), 2)]).join('')
}
