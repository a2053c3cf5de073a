// Services: linked fields are settled, addresses and ports given out, and what a change of type makes void is dropped.
// A strategy of this room. Follows pkg/registry/core/service (strategy.go, storage/storage.go).
import type { JsonObject } from '../machinery/json.ts'
import { nameIsDnsLabel } from '../machinery/names.ts'
import type { KubeObject } from '../machinery/object.ts'
import { allocatorsFor, SERVICES } from './allocators.ts'
import { semanticEqual } from './equality.ts'
import { childOf, numberAt, objectAt, objectsAt, textsAt } from './reading.ts'
import { STATUS_APART } from './rows.ts'
import {
  isExternalName,
  keepClusterIPs,
  pairClusterIPs,
  settleFamilies,
  takeAddresses,
  type Taken,
} from './serviceips.ts'
import { hasNodePorts, keepNodePorts, needsHealthPort, portsHeld, takePorts } from './serviceports.ts'
import type { Strategy, WriteContext } from './strategy.ts'
import { validateService, validateServiceUpdate } from './validation/services.ts'
import { serviceWarnings } from './warnings.ts'

/** What each prepared object took, until it is stored or abandoned. */
const taken = new WeakMap<KubeObject, Taken>()

function allocate(service: KubeObject, old: JsonObject | undefined, context: WriteContext): void {
  const allocators = allocatorsFor(context.lister, context.settings)
  const holds: Taken = { addresses: [], ports: [] }
  taken.set(service, holds)
  try {
    settleFamilies(service, old, allocators.families)
    takeAddresses(service, old, allocators, { taken: holds, dryRun: context.dryRun })
    takePorts(service, old, { allocators, taken: holds, dryRun: context.dryRun })
  } catch (error) {
    abandon(service, context)
    throw error
  }
}

function abandon(service: KubeObject, context: WriteContext): void {
  const allocators = allocatorsFor(context.lister, context.settings)
  const holds = taken.get(service)
  for (const address of holds?.addresses ?? []) allocators.releaseAddress(address)
  for (const port of holds?.ports ?? []) allocators.releasePort(port)
  taken.delete(service)
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
  reads: [SERVICES],
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
  validateCreate: validateService,
  validateUpdate: validateServiceUpdate,
  abandon,
  afterDelete(service, context) {
    const allocators = allocatorsFor(context.lister, context.settings)
    const spec = objectAt(service['spec'])
    for (const address of textsAt(spec['clusterIPs'])) allocators.releaseAddress(address)
    for (const port of portsHeld(spec)) allocators.releasePort(port)
  },
}
