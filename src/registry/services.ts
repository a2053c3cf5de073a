// Services: linked fields are settled, addresses and ports given out, and what a change of type makes void is dropped.
// A strategy of this room. Follows pkg/registry/core/service (strategy.go, storage/storage.go).
import type { JsonObject } from '../machinery/json.ts'
import { nameIsDnsLabel } from '../machinery/names.ts'
import type { KubeObject } from '../machinery/object.ts'
import { SERVICE_CIDRS } from './addressranges.ts'
import { allocatorsFor, type ServiceAllocators, SERVICES } from './allocators.ts'
import { semanticEqual } from './equality.ts'
import { childOf, numberAt, objectAt, objectsAt, textsAt } from './reading.ts'
import { STATUS_APART } from './rows.ts'
import { claim, type Holding, holdingNothing, IP_ADDRESSES, unclaim } from './serviceclaims.ts'
import {
  isExternalName,
  keepClusterIPs,
  NONE,
  pairClusterIPs,
  settleFamilies,
  takeAddresses,
  type Taken,
} from './serviceips.ts'
import { hasNodePorts, keepNodePorts, needsHealthPort, portsHeld, takePorts } from './serviceports.ts'
import type { Strategy, WriteContext } from './strategy.ts'
import { validateService, validateServiceUpdate } from './validation/services.ts'
import { balancerWarnings, serviceWarnings } from './warnings/others.ts'

/** Of each prepared object, until it is stored or abandoned. */
const taken = new WeakMap<KubeObject, Holding>()

function allocate(service: KubeObject, old: JsonObject | undefined, context: WriteContext): void {
  const allocators = allocatorsFor(context.lister, context.settings)
  const holds = holdingNothing()
  taken.set(service, holds)
  try {
    settleFamilies(service, old, allocators.families)
    takeAddresses(service, old, allocators, { taken: holds, dryRun: context.dryRun })
    takePorts(service, old, { allocators, taken: holds, dryRun: context.dryRun })
  } catch (error) {
    letGo(holds, allocators)
    taken.delete(service)
    throw error
  }
}

function letGo(holds: Taken, allocators: ServiceAllocators): void {
  for (const address of holds.addresses) allocators.releaseAddress(address)
  for (const port of holds.ports) allocators.releasePort(port)
}

/** What others turned out to have stays taken for a while. */
async function abandon(service: KubeObject, context: WriteContext): Promise<void> {
  const holds = taken.get(service)
  if (!holds) return
  taken.delete(service)
  await giveBack(service, holds, context)
  const allocators = allocatorsFor(context.lister, context.settings)
  for (const address of holds.lost.addresses) allocators.lostAddress(address)
  for (const port of holds.lost.ports) allocators.lostPort(port)
}

function settle(service: KubeObject, allocators: ServiceAllocators): void {
  const holds = taken.get(service)
  for (const address of holds?.addresses ?? []) allocators.settleAddress(address)
  for (const port of holds?.ports ?? []) allocators.settlePort(port)
  taken.delete(service)
}

/** What a stored Service holds. */
function heldBy(service: KubeObject): Taken {
  const spec = objectAt(service['spec'])
  const addresses = textsAt(spec['clusterIPs']).filter((text) => text !== NONE)
  return { addresses, ports: [...new Set(portsHeld(spec))] }
}

async function giveBack(
  service: KubeObject,
  held: Taken & Partial<Holding>,
  context: WriteContext,
): Promise<void> {
  const claimed = held.claimed ?? held
  if (claimed.addresses.length || claimed.ports.length) await unclaim(service, claimed, context)
  letGo(held, allocatorsFor(context.lister, context.settings))
}

const isExternal = (spec: JsonObject): boolean =>
  hasNodePorts(spec) || (spec['type'] === 'ClusterIP' && textsAt(spec['externalIPs']).length > 0)

function dropUnchanged(spec: JsonObject, old: JsonObject, fields: readonly string[]): void {
  for (const field of fields) if (semanticEqual(spec[field], old[field])) delete spec[field]
}

/** Fields that the new type has no use for go, unless the client changed them: then validation speaks. */
function dropForType(service: KubeObject, old: JsonObject): void {
  const spec = objectAt(service['spec'])
  const was = old['type']
  const balanced = spec['type'] === 'LoadBalancer'
  if (isExternalName(spec) && !isExternalName(old)) {
    const pair = ['clusterIP', 'clusterIPs']
    if (pair.every((field) => semanticEqual(spec[field], old[field]))) dropUnchanged(spec, old, pair)
    dropUnchanged(spec, old, ['ipFamilies', 'ipFamilyPolicy'])
  }
  if (hasNodePorts(old) && !hasNodePorts(spec)) {
    const before = new Set(objectsAt(old['ports']).map((port) => numberAt(port['nodePort'])))
    const now = objectsAt(spec['ports']).map((port) => numberAt(port['nodePort']))
    if (now.every((port) => !port || before.has(port))) {
      for (const port of objectsAt(spec['ports'])) delete port['nodePort']
    }
  }
  if (needsHealthPort(old) && !needsHealthPort(spec)) dropUnchanged(spec, old, ['healthCheckNodePort'])
  if (was === 'LoadBalancer' && !balanced) {
    dropUnchanged(spec, old, ['allocateLoadBalancerNodePorts', 'loadBalancerClass'])
  }
  if (isExternal(old) && !isExternal(spec)) dropUnchanged(spec, old, ['externalTrafficPolicy'])
  if (!balanced) service['status'] = { ...objectAt(service['status']), loadBalancer: {} }
}

/** Upstream fills this in for every type and hides it when an ExternalName Service is read. */
function hideInternalPolicy(spec: JsonObject): void {
  if (isExternalName(spec)) delete spec['internalTrafficPolicy']
}

export const services: Strategy = {
  validateName: nameIsDnsLabel,
  allowCreateOnUpdate: true,
  returnsDeleted: true,
  resetFields: STATUS_APART,
  initialStatus: () => ({ loadBalancer: {} }),
  reads: [SERVICES, IP_ADDRESSES, SERVICE_CIDRS],
  prepareForCreate(service, context) {
    const spec = childOf(service, 'spec')
    pairClusterIPs(spec, undefined)
    allocate(service, undefined, context)
    hideInternalPolicy(spec)
  },
  prepareForUpdate(service, stored, context) {
    if (context.subresource === 'status') return
    const spec = childOf(service, 'spec')
    const old = objectAt(stored['spec'])
    keepClusterIPs(spec, old)
    keepNodePorts(spec, old)
    pairClusterIPs(spec, old)
    allocate(service, old, context)
    dropForType(service, old)
    hideInternalPolicy(spec)
  },
  warnings: serviceWarnings,
  statusWarnings: balancerWarnings,
  validateCreate: validateService,
  validateUpdate: validateServiceUpdate,
  claim: async (service, context) => {
    const holds = taken.get(service)
    return !holds || claim(service, holds, context)
  },
  abandon,
  async afterStore(service, stored, context) {
    settle(service, allocatorsFor(context.lister, context.settings))
    if (!stored) return
    const now = heldBy(service)
    const before = heldBy(stored)
    const addresses = before.addresses.filter((address) => !now.addresses.includes(address))
    const ports = before.ports.filter((port) => !now.ports.includes(port))
    if (addresses.length || ports.length) await giveBack(service, { addresses, ports }, context)
  },
  afterDelete: (service, context) => giveBack(service, heldBy(service), context),
}
