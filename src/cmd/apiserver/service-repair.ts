// Looks from time to time whether cluster IPs and node ports are recorded as Services hold them, and sets it right.
// Follows pkg/registry/core/service/{ipallocator,portallocator}/controller.
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Scope, Scopes } from '../../handlers/scope.ts'
import { findResource } from '../../schema/resources.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { PORTS_RECORD } from '../../registry/serviceclaims.ts'
import { PortBitmap, type PortSpan } from '../../registry/portbitmap.ts'
import { objectAt, textsAt } from '../../registry/reading.ts'
import {
  type AddressRepair,
  type Finding,
  repairAddresses,
  repairPorts,
} from '../../registry/servicerepair.ts'
import { removeInternal, writeInternal } from './internal.ts'

const ADDRESS_REPORTER = 'ipallocator-repair-controller'
const PORT_REPORTER = 'portallocator-repair-controller'

export class ServiceRepair {
  readonly #scopes: Scopes
  readonly #span: PortSpan
  readonly #services: Scope
  readonly #addresses: Scope
  readonly #ranges: Scope
  /** State of the caches at which nothing was left to do. */
  #clean = ''
  #leaks: ReadonlyMap<number, number> = new Map()

  constructor(scopes: Scopes, span: PortSpan) {
    this.#scopes = scopes
    this.#span = span
    this.#services = scopeAt(scopes, '', 'services')
    this.#addresses = scopeAt(scopes, 'networking.k8s.io', 'ipaddresses')
    this.#ranges = scopeAt(scopes, 'networking.k8s.io', 'servicecidrs')
  }

  /** One look; costs nothing where nothing has changed since all was well. */
  async look(): Promise<void> {
    await this.#services.cache.fresh()
    const services = objectsIn(this.#services)
    // Addresses are claimed before their Service is written: those of all these Services are seen now.
    await Promise.all([this.#addresses.cache.fresh(), this.#ranges.cache.fresh()])
    const state = `${this.#services.cache.changes} ${this.#addresses.cache.changes} ${this.#ranges.cache.changes}`
    if (state === this.#clean) return
    const repairs = repairAddresses({
      services,
      addresses: objectsIn(this.#addresses),
      cidrs: objectsIn(this.#ranges).flatMap((range) => textsAt(objectAt(range['spec'])['cidrs'])),
      now: new Date(),
    })
    for (const repair of repairs) await this.#carryOut(repair)
    await this.#lookAtPorts(services)
    if (repairs.length === 0 && this.#leaks.size === 0) this.#clean = state
  }

  async #carryOut({ finding, remove, create }: AddressRepair): Promise<void> {
    if (finding && this.#hasChanged(finding.about)) return
    if (finding) await this.#tell(finding, ADDRESS_REPORTER)
    if (remove)
      await removeInternal(this.#addresses, '', remove.metadata.name ?? '', remove.metadata.uid ?? '')
    if (create) await writeInternal(this.#scopes, create, 'create')
  }

  /** What has been written or deleted meanwhile is left to the next look. */
  #hasChanged({ kind, metadata: { namespace = '', name = '', resourceVersion } }: KubeObject): boolean {
    const { cache } = kind === 'Service' ? this.#services : this.#addresses
    return String(cache.index.get(namespace, name)?.revision) !== resourceVersion
  }

  async #lookAtPorts(services: readonly KubeObject[]): Promise<void> {
    const { claims } = this.#scopes.environment
    if (!claims) return
    let findings: readonly Finding[] = []
    let leaks = this.#leaks
    await claims.amend(PORTS_RECORD, (record) => {
      const ports = new PortBitmap(this.#span, record)
      const before = ports.record()
      const unchanged = services.filter((service) => !this.#hasChanged(service))
      ;({ findings, leaks } = repairPorts(unchanged, ports, this.#span, this.#leaks))
      const after = ports.record()
      return after['data'] === before['data'] ? undefined : after
    })
    this.#leaks = leaks
    for (const finding of findings) await this.#tell(finding, PORT_REPORTER)
  }

  async #tell({ about, reason, action, note }: Finding, reporter: string): Promise<void> {
    const { name = '', namespace = 'default', uid = '', resourceVersion = '' } = about.metadata
    const { kind = '', apiVersion = '' } = about
    const where = about.metadata.namespace === undefined ? {} : { namespace }
    await writeInternal(
      this.#scopes,
      {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name: `${name}.${randomBytes(8).toString('hex')}`, namespace },
        eventTime: new Date().toISOString().replace('Z', '000Z'),
        reportingController: reporter,
        reportingInstance: `${reporter}-${hostname()}`,
        action,
        reason,
        regarding: { kind, apiVersion, name, uid, resourceVersion, ...where },
        note,
        type: 'Warning',
      },
      'create',
    )
  }
}

const objectsIn = ({ cache }: Scope): KubeObject[] => cache.index.entries().map((entry) => entry.object())

function scopeAt(scopes: Scopes, group: string, name: string): Scope {
  const resource = findResource(group, 'v1', name)
  if (!resource) throw new Error(`nothing serves ${name}`)
  return scopes.of(resource)
}
