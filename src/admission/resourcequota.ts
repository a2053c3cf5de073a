// ResourceQuota: what is made in a namespace fits into all of its quotas, and is reserved in them before it is stored.
// Follows k8s.io/apiserver/pkg/admission/plugin/resourcequota (controller.go). The requests that come while a namespace's
// quotas are written wait together, and share the next write.
import type { Lister } from '../machinery/lister.ts'
import type { KubeObject } from '../machinery/object.ts'
import { StatusError } from '../machinery/status.ts'
import type { LimitedResource } from './limitedresources.ts'
import type { AdmissionAttributes, AdmissionPlugin, AdmissionTarget } from './plugin.ts'
import { checkQuotas, type Quota, reserved, running } from './quotacheck.ts'

const QUOTAS = { group: '', resource: 'resourcequotas' }
/** Times that a reservation is tried again after others wrote the same quota. */
const RETRIES = 3
/** Not objects that are stored, or never counted. */
const IGNORED: ReadonlySet<string> = new Set([
  'bindings.',
  'componentstatuses.',
  'events.',
  'events.events.k8s.io',
  'tokenreviews.authentication.k8s.io',
  'selfsubjectreviews.authentication.k8s.io',
  'subjectaccessreviews.authorization.k8s.io',
  'selfsubjectaccessreviews.authorization.k8s.io',
  'localsubjectaccessreviews.authorization.k8s.io',
  'selfsubjectrulesreviews.authorization.k8s.io',
])
/** What can use more by an update of this subresource, besides being created. */
const UPDATES: Readonly<Record<string, readonly string[]>> = {
  'pods.': ['', 'resize'],
  'services.': [''],
  'persistentvolumeclaims.': ['', 'status'],
  'resourceclaims.resource.k8s.io': [''],
}

/** Writes a quota's status by compare-and-swap on its resourceVersion; rejects with a Conflict where that is lost. */
export type WriteQuotaStatus = (quota: KubeObject) => Promise<unknown>

interface Waiting {
  readonly attributes: AdmissionAttributes
  settle(refusal?: Error): void
}

export class ResourceQuota implements AdmissionPlugin {
  readonly name = 'ResourceQuota'
  readonly reads = [QUOTAS]
  readonly #write: WriteQuotaStatus
  readonly #now: () => number
  readonly #limited: readonly LimitedResource[]
  /** By namespace, while one batch of it is at work. */
  readonly #waiting = new Map<string, Waiting[]>()

  /** `limited`: what may be used only where a quota covers it. */
  constructor(
    write: WriteQuotaStatus,
    now: () => number = Date.now,
    limited: readonly LimitedResource[] = [],
  ) {
    this.#write = write
    this.#now = now
    this.#limited = limited
  }

  handles({ operation, resource, subresource }: AdmissionTarget): boolean {
    const key = `${resource.name}.${resource.group}`
    if (!resource.namespaced || IGNORED.has(key)) return false
    if (operation === 'CREATE') return subresource === ''
    return operation === 'UPDATE' && (UPDATES[key]?.includes(subresource) ?? false)
  }

  validate(attributes: AdmissionAttributes, lister: Lister): void | Promise<void> {
    const { namespace } = attributes
    const isFree = this.#limited.length === 0 && lister.list(QUOTAS, namespace).length === 0
    if (isFree || !mayCharge(attributes)) return
    return new Promise((resolve, reject) => {
      const settle = (refusal?: Error): void => (refusal ? reject(refusal) : resolve())
      const waiting = this.#waiting.get(namespace)
      if (waiting) return void waiting.push({ attributes, settle })
      this.#waiting.set(namespace, [{ attributes, settle }])
      void this.#work(namespace, lister)
    })
  }

  async #work(namespace: string, lister: Lister): Promise<void> {
    for (;;) {
      const batch = this.#waiting.get(namespace) ?? []
      if (batch.length === 0) break
      this.#waiting.set(namespace, [])
      try {
        await this.#decide(lister.list(QUOTAS, namespace) as Quota[], batch, { namespace, lister })
      } catch (error) {
        for (const { settle } of batch) settle(error as Error)
      }
    }
    this.#waiting.delete(namespace)
  }

  /** Settles the whole batch: who does not fit at once, the others when what they use is reserved. */
  async #decide(
    quotas: readonly Quota[],
    batch: readonly Waiting[],
    where: { readonly namespace: string; readonly lister: Lister },
    retries = RETRIES,
  ): Promise<void> {
    const { kept, after } = this.#fit(quotas, batch)
    const writes = after.flatMap((one) => reserved(one) ?? [])
    const results = await Promise.allSettled(writes.map((quota) => this.#write(quota)))
    const failed = new Set<string>()
    let last: unknown
    for (const [i, result] of results.entries()) {
      if (result.status === 'fulfilled') continue
      failed.add(writes[i]?.metadata.name ?? '')
      last = result.reason
    }
    if (failed.size === 0) return settleAll(kept)
    if (retries === 0 || !isRace(last)) return settleAll(kept, last as Error)
    // What the other quotas hold is reserved; one that is gone restricts nobody.
    const newer = where.lister.list(QUOTAS, where.namespace) as Quota[]
    const again = newer.filter(({ metadata }) => failed.has(metadata.name ?? ''))
    return this.#decide(again, kept, where, retries - 1)
  }

  #fit(quotas: readonly Quota[], batch: readonly Waiting[]) {
    let after = quotas.map(running) as readonly ReturnType<typeof running>[]
    const kept: Waiting[] = []
    for (const waiting of batch) {
      try {
        const next = checkQuotas(after, waiting.attributes, { now: this.#now(), limited: this.#limited })
        if (waiting.attributes.dryRun || next === after) waiting.settle()
        else {
          after = next
          kept.push(waiting)
        }
      } catch (error) {
        waiting.settle(error as Error)
      }
    }
    return { kept, after }
  }
}

function settleAll(batch: readonly Waiting[], refusal?: Error): void {
  for (const { settle } of batch) settle(refusal)
}

const isRace = (error: unknown): boolean =>
  error instanceof StatusError && (error.reason === 'Conflict' || error.reason === 'NotFound')

/** Of pods only a change of scope by its deadline charges anew. */
function mayCharge({ operation, resource, subresource, object, old }: AdmissionAttributes): boolean {
  if (operation === 'CREATE' || resource.name !== 'pods' || subresource !== '') return true
  return isTerminating(object) !== isTerminating(old)
}

const isTerminating = (pod: KubeObject | undefined): boolean => {
  const seconds = (pod?.['spec'] as { activeDeadlineSeconds?: number } | undefined)?.activeDeadlineSeconds
  return seconds !== undefined && seconds >= 0
}
