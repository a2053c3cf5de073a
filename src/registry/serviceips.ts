// Cluster IPs and IP families of a Service: what its linked fields mean together, and giving out addresses.
// Called by services.ts before validation. Follows pkg/registry/core/service/storage (storage.go, alloc.go).
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { cause, internalError, invalid, type StatusCause } from '../machinery/status.ts'
import { addressFaults, parseAddress, type Family } from './addresses.ts'
import type { ServiceAllocators } from './allocators.ts'
import { objectAt, present, textAt, textsAt } from './reading.ts'

export const NONE = 'None'
export const FAMILIES: readonly string[] = ['IPv4', 'IPv6']
const POLICIES: readonly string[] = ['PreferDualStack', 'RequireDualStack', 'SingleStack']

export const isExternalName = (spec: JsonObject): boolean => spec['type'] === 'ExternalName'
const addressesOf = (spec: JsonObject): readonly string[] => textsAt(spec['clusterIPs'])
const familiesOf = (spec: JsonObject): readonly string[] => textsAt(spec['ipFamilies'])
const policyOf = (spec: JsonObject): string => textAt(spec['ipFamilyPolicy'])
const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((text, i) => text === b[i])
const otherFamily = (family: string): Family => (family === 'IPv4' ? 'IPv6' : 'IPv4')
const hasSelector = (spec: JsonObject): boolean => Object.keys(objectAt(spec['selector'])).length > 0

export const isHeadless = (spec: JsonObject): boolean =>
  addressesOf(spec).length === 1 && addressesOf(spec)[0] === NONE

/** `clusterIP` and `clusterIPs` say the same: a client that knows only the old field changes both. */
export function pairClusterIPs(spec: JsonObject, old: JsonObject | undefined): void {
  const single = textAt(spec['clusterIP'])
  if (!old) {
    if (single && !addressesOf(spec).length) spec['clusterIPs'] = [single]
    return
  }
  const before = textAt(old['clusterIP'])
  const listed = addressesOf(old)
  if (listed.length && !addressesOf(spec).length && before === single) spec['clusterIPs'] = [...listed]
  if (before === single || !same(addressesOf(spec), listed)) return
  if (before && !single) delete spec['clusterIPs']
  else spec['clusterIPs'] = [single]
}

/** What the server gave out stays when a client sends the object without it. */
export function keepClusterIPs(spec: JsonObject, old: JsonObject): void {
  if (isExternalName(spec) || isExternalName(old)) return
  if (!textAt(spec['clusterIP']) && old['clusterIP'] !== undefined) spec['clusterIP'] = old['clusterIP']
  if (!addressesOf(spec).length && addressesOf(old).length) spec['clusterIPs'] = [...addressesOf(old)]
}

function listedAddressCauses(spec: JsonObject, old: JsonObject | undefined, causes: StatusCause[]): boolean {
  const field = 'spec.clusterIPs'
  const addresses = addressesOf(spec)
  const known = old ? addressesOf(old) : []
  const before = causes.length
  addresses.forEach((text, i) => {
    if (i === 0 && text === NONE) {
      if (addresses.length > 1)
        causes.push(cause.invalid(field, addresses, "'None' must be the first and only value"))
    } else if (!known.includes(text)) {
      for (const fault of addressFaults(text)) causes.push(cause.invalid(`${field}[${i}]`, text, fault))
    }
  })
  const sound = causes.length === before
  if (addresses.length > 2) causes.push(cause.invalid(field, addresses, 'may only hold up to 2 values'))
  return sound
}

function pairCauses(spec: JsonObject, causes: StatusCause[]): void {
  const single = textAt(spec['clusterIP'])
  const addresses = addressesOf(spec)
  if (single && !addresses.length) causes.push(cause.required('spec.clusterIPs'))
  else if (single && addresses[0] !== single) {
    causes.push(cause.invalid('spec.clusterIPs', addresses, 'first value must match `clusterIP`'))
  } else if (!single && addresses.length) {
    causes.push(
      cause.invalid('spec.clusterIPs', addresses, 'must be empty when `clusterIP` is not specified'),
    )
  }
}

function familyCauses(spec: JsonObject, causes: StatusCause[]): void {
  const families = familiesOf(spec)
  families.forEach((family, i) => {
    if (!FAMILIES.includes(family)) causes.push(cause.notSupported(`spec.ipFamilies[${i}]`, family, FAMILIES))
    if (families.indexOf(family) < i) causes.push(cause.duplicate(`spec.ipFamilies[${i}]`, family))
  })
  if (present(spec['ipFamilyPolicy']) && !POLICIES.includes(policyOf(spec))) {
    causes.push(cause.notSupported('spec.ipFamilyPolicy', policyOf(spec), POLICIES))
  }
}

/** The faults of `clusterIP`, `clusterIPs`, `ipFamilies` and `ipFamilyPolicy` together. */
export function clusterIPCauses(spec: JsonObject, old: JsonObject | undefined): StatusCause[] {
  const causes: StatusCause[] = []
  if (isExternalName(spec)) return causes
  pairCauses(spec, causes)
  familyCauses(spec, causes)
  if (!listedAddressCauses(spec, old, causes)) return causes
  const addresses = addressesOf(spec)
  const found = addresses.map((text) => parseAddress(text)?.family)
  if (addresses.length > 1 && new Set(found).size !== addresses.length) {
    const why = 'may specify no more than one IP for each IP family'
    causes.push(cause.invalid('spec.clusterIPs', addresses, why))
  }
  if (isHeadless(spec)) return causes
  const families = familiesOf(spec)
  addresses.forEach((text, i) => {
    const family = families[i]
    if (family === undefined || !FAMILIES.includes(family) || found[i] === family) return
    const why = `expected an ${family} value as indicated by \`ipFamilies[${i}]\``
    causes.push(cause.invalid(`spec.clusterIPs[${i}]`, text, why))
  })
  return causes
}

function refuse(service: KubeObject, causes: StatusCause[]): void {
  if (causes.length) throw invalid({ group: '', kind: 'Service' }, service.metadata.name ?? '', causes)
}

const MULTIPLE = "must be 'RequireDualStack' or 'PreferDualStack' when multiple"

/** One policy, one length of both lists. */
function policyCauses(spec: JsonObject, old: JsonObject | undefined): StatusCause[] {
  const policy = policyOf(spec)
  const field = 'spec.ipFamilyPolicy'
  const causes: StatusCause[] = []
  const fewer = (read: (from: JsonObject) => readonly string[]): boolean =>
    old !== undefined && read(spec).length > 0 && read(spec).length < read(old).length
  if (policy !== 'SingleStack') {
    const release = "must be 'SingleStack' to release the secondary"
    if (fewer(addressesOf)) causes.push(cause.invalid(field, policy, `${release} cluster IP`))
    if (fewer(familiesOf)) causes.push(cause.invalid(field, policy, `${release} IP family`))
    return causes
  }
  if (addressesOf(spec).length === 2)
    causes.push(cause.invalid(field, policy, `${MULTIPLE} cluster IPs are specified`))
  if (familiesOf(spec).length === 2)
    causes.push(cause.invalid(field, policy, `${MULTIPLE} IP families are specified`))
  return causes
}

function inferFamilies(spec: JsonObject, cluster: readonly Family[]): StatusCause[] {
  const causes: StatusCause[] = []
  const families = [...familiesOf(spec)]
  const addresses = addressesOf(spec)
  for (const [i, text] of addresses.entries()) {
    const family = parseAddress(text)?.family
    if (text === NONE || !family) break
    if (i < families.length) continue
    if (cluster.includes(family)) families.push(family)
    else
      causes.push(
        cause.invalid(`spec.clusterIPs[${i}]`, addresses, `${family} is not configured on this cluster`),
      )
  }
  if (families.length) spec['ipFamilies'] = families
  return causes
}

const needsNoUpdate = (spec: JsonObject, old: JsonObject | undefined): boolean =>
  old !== undefined &&
  policyOf(spec) === 'PreferDualStack' &&
  policyOf(old) === 'PreferDualStack' &&
  old['type'] === spec['type'] &&
  same(addressesOf(spec), addressesOf(old)) &&
  same(familiesOf(spec), familiesOf(old))

function defaultPolicy(spec: JsonObject, old: JsonObject | undefined): void {
  if (present(spec['ipFamilyPolicy'])) return
  if (old && present(old['ipFamilyPolicy'])) spec['ipFamilyPolicy'] = policyOf(old)
  else if (spec['clusterIP'] === NONE && !hasSelector(spec)) spec['ipFamilyPolicy'] = 'RequireDualStack'
  else spec['ipFamilyPolicy'] = 'SingleStack'
}

/** A Service that goes back to one family, and says no more than that, gives up the second of both lists. */
function dropSecondary(spec: JsonObject, old: JsonObject | undefined): void {
  if (!old || policyOf(spec) !== 'SingleStack') return
  const addresses = addressesOf(spec)
  const families = familiesOf(spec)
  if (addresses.length > 1 && same(addresses, addressesOf(old))) spec['clusterIPs'] = addresses.slice(0, 1)
  if (families.length > 1 && same(families, familiesOf(old))) spec['ipFamilies'] = families.slice(0, 1)
}

/** Fills `ipFamilyPolicy` and `ipFamilies` for this cluster. Throws invalid where they cannot be. */
export function settleFamilies(
  service: KubeObject,
  old: JsonObject | undefined,
  cluster: readonly Family[],
): void {
  const spec = objectAt(service['spec'])
  if (isExternalName(spec) || needsNoUpdate(spec, old)) return
  defaultPolicy(spec, old)
  refuse(service, clusterIPCauses(spec, old))
  dropSecondary(spec, old)
  refuse(service, [...policyCauses(spec, old), ...inferFamilies(spec, cluster)])
  const primary = cluster[0] ?? 'IPv4'
  const single = policyOf(spec) === 'SingleStack'
  const given = familiesOf(spec)
  const families = given.length ? [...given] : [primary as string]
  // Without a selector nobody here knows what the endpoints will be: any families are right.
  const anyFamilies = spec['clusterIP'] === NONE && !hasSelector(spec)
  if (!anyFamilies) refuse(service, clusterCauses(spec, cluster))
  if (!single && families.length === 1 && (anyFamilies || cluster.length === 2)) {
    families.push(otherFamily(families[0] ?? primary))
  }
  spec['ipFamilies'] = families
}

function clusterCauses(spec: JsonObject, cluster: readonly Family[]): StatusCause[] {
  const causes: StatusCause[] = []
  if (policyOf(spec) === 'RequireDualStack' && cluster.length < 2) {
    const why = 'this cluster is not configured for dual-stack services'
    causes.push(cause.invalid('spec.ipFamilyPolicy', policyOf(spec), why))
  }
  familiesOf(spec).forEach((family, i) => {
    if (cluster.some((known) => known === family)) return
    causes.push(cause.invalid(`spec.ipFamilies[${i}]`, family, 'not configured on this cluster'))
  })
  return causes
}

/** Where addresses that were taken are noted, so that they can be given back. */
export interface Taken {
  readonly addresses: string[]
  readonly ports: number[]
}

/** Gives the Service an address of each of its families that has none yet. Throws invalid or, when full, a 500. */
export function takeAddresses(
  service: KubeObject,
  old: JsonObject | undefined,
  allocators: ServiceAllocators,
  write: { readonly taken: Taken; readonly dryRun: boolean },
): void {
  const spec = objectAt(service['spec'])
  if (isExternalName(spec) || addressesOf(spec)[0] === NONE) return
  if (old && !isExternalName(old) && addressesOf(old)[0] === NONE) return
  const held = old && !isExternalName(old) ? addressesOf(old) : []
  const addresses = [...addressesOf(spec)]
  familiesOf(spec).forEach((family, i) => {
    const wanted = addresses[i]
    if (i < held.length) return
    if (wanted) {
      const refusal = allocators.takeAddress(wanted, write.dryRun)
      if (refusal) {
        const why = `failed to allocate IP ${wanted}: ${refusal.refused}`
        refuse(service, [cause.invalid('spec.clusterIPs', addressesOf(spec), why)])
      }
    }
    const address = wanted || allocators.nextAddress(family as Family, write.dryRun)
    if (!address) {
      const name = JSON.stringify(service.metadata.name ?? '')
      throw internalError(`failed to allocate a serviceIP for Service ${name}: range is full`)
    }
    if (!write.dryRun) write.taken.addresses.push(address)
    addresses[i] = address
  })
  if (!addresses.length) return
  spec['clusterIPs'] = addresses
  spec['clusterIP'] = addresses[0] ?? ''
}
