// Node ports of a Service, and the port of its health check: kept, asked for, or given out.
// Called by services.ts before validation. Follows pkg/registry/core/service/storage/alloc.go.
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { cause, internalError, invalid, plainError } from '../machinery/status.ts'
import type { Refusal, ServiceAllocators } from './allocators.ts'
import { numberAt, objectAt, objectsAt, textAt } from './reading.ts'
import type { Taken } from './serviceips.ts'

const isLoadBalancer = (spec: JsonObject): boolean => spec['type'] === 'LoadBalancer'
const portsOf = (spec: JsonObject): readonly JsonObject[] => objectsAt(spec['ports'])
const nodePortsOf = (spec: JsonObject): number[] =>
  portsOf(spec)
    .map((port) => numberAt(port['nodePort']))
    .filter((port) => port > 0)

/** Its type has node ports at all. */
export const hasNodePorts = (spec: JsonObject): boolean => spec['type'] === 'NodePort' || isLoadBalancer(spec)

/** Ports that nobody asked for are given out too. */
const givesNodePorts = (spec: JsonObject): boolean =>
  spec['type'] === 'NodePort' || (isLoadBalancer(spec) && spec['allocateLoadBalancerNodePorts'] !== false)

export const needsHealthPort = (spec: JsonObject): boolean =>
  isLoadBalancer(spec) && spec['externalTrafficPolicy'] === 'Local'

/** Node ports that a Service holds, the health check's included. */
export const portsHeld = (spec: JsonObject): number[] =>
  [...nodePortsOf(spec), numberAt(spec['healthCheckNodePort'])].filter((port) => port > 0)

/** Ports that a client leaves out stay as they were given, by the name of the port. */
export function keepNodePorts(spec: JsonObject, old: JsonObject): void {
  if (givesNodePorts(old) && givesNodePorts(spec)) {
    const now = new Set(nodePortsOf(spec))
    const before = new Map(portsOf(old).map((port) => [textAt(port['name']), numberAt(port['nodePort'])]))
    const used = new Set(nodePortsOf(old).filter((port) => now.has(port)))
    for (const port of portsOf(spec)) {
      if (numberAt(port['nodePort'])) continue
      const known = before.get(textAt(port['name'])) ?? 0
      if (known && !used.has(known)) port['nodePort'] = known
    }
  }
  if (needsHealthPort(old) && needsHealthPort(spec) && !numberAt(spec['healthCheckNodePort'])) {
    if (old['healthCheckNodePort'] !== undefined) spec['healthCheckNodePort'] = old['healthCheckNodePort']
  }
}

interface Ways {
  readonly allocators: ServiceAllocators
  readonly taken: Taken
  readonly dryRun: boolean
}

interface Taking extends Ways {
  /** Ports that were asked for in this request: a dry run takes none. */
  readonly asked: Set<number>
}

function take(port: number, { allocators, taken, dryRun, asked }: Taking): Refusal | undefined {
  const refusal = asked.has(port)
    ? { refused: 'provided port is already allocated' }
    : allocators.takePort(port, dryRun)
  if (refusal) return refusal
  asked.add(port)
  if (!dryRun) taken.ports.push(port)
  return undefined
}

function takeWanted(service: KubeObject, port: number, index: number, taking: Taking): void {
  const refusal = take(port, taking)
  if (refusal) {
    const fault = cause.invalid(`spec.ports[${index}].nodePort`, port, refusal.refused)
    throw invalid({ group: '', kind: 'Service' }, service.metadata.name ?? '', [fault])
  }
}

/** So often a port is drawn for a dry run, which holds none: it would be drawn twice. */
const DRY_DRAWS = 100

function takeNext({ allocators, taken, dryRun }: Taking, what: string, spec: JsonObject): number {
  let port = allocators.nextPort(dryRun)
  if (dryRun) {
    const held = portsHeld(spec)
    for (let i = 0; i < DRY_DRAWS && port !== undefined && held.includes(port); i++) {
      port = allocators.nextPort(dryRun)
    }
  }
  if (port === undefined) throw internalError(`failed to allocate a ${what}: range is full`)
  if (!dryRun) taken.ports.push(port)
  return port
}

/** A new Service: ports of the same number in two protocols share one node port. */
function takeNew(service: KubeObject, taking: Taking): void {
  const spec = objectAt(service['spec'])
  const shared = new Map<number, number>()
  for (const [i, port] of portsOf(spec).entries()) {
    const given = numberAt(port['nodePort'])
    if (!given && !givesNodePorts(spec)) continue
    const number = numberAt(port['port'])
    const known = shared.get(number)
    if (known !== undefined) {
      if (!given) port['nodePort'] = known
      else if (given !== known) takeWanted(service, given, i, taking)
      continue
    }
    const other = portsOf(spec).find((p) => numberAt(p['port']) === number && numberAt(p['nodePort']))
    const wanted = numberAt(other?.['nodePort'])
    if (wanted) takeWanted(service, wanted, i, taking)
    const nodePort = wanted || takeNext(taking, 'nodePort', spec)
    port['nodePort'] = nodePort
    shared.set(number, nodePort)
  }
}

function takeChanged(service: KubeObject, old: JsonObject, taking: Taking): void {
  const spec = objectAt(service['spec'])
  const held = new Set(nodePortsOf(old))
  const given = new Set<string>()
  for (const [i, port] of portsOf(spec).entries()) {
    const wanted = numberAt(port['nodePort'])
    if (!wanted && !givesNodePorts(spec)) continue
    if (!wanted) port['nodePort'] = takeNext(taking, 'nodePort', spec)
    else if (!held.has(wanted)) {
      takeWanted(service, wanted, i, taking)
      held.add(wanted)
    }
    const pair = `${textAt(port['protocol'])} ${numberAt(port['nodePort'])}`
    if (given.has(pair)) throw plainError(`duplicate nodePort: {${pair}}`)
    given.add(pair)
  }
}

function takeHealthPort(spec: JsonObject, old: JsonObject | undefined, taking: Taking): void {
  if (!needsHealthPort(spec) || (old && needsHealthPort(old))) return
  const wanted = numberAt(spec['healthCheckNodePort'])
  if (!wanted) {
    spec['healthCheckNodePort'] = takeNext(taking, 'HealthCheck NodePort', spec)
    return
  }
  const refusal = take(wanted, taking)
  if (refusal) {
    throw internalError(`failed to allocate requested HealthCheck NodePort ${wanted}: ${refusal.refused}`)
  }
}

/** Gives the Service the node ports that it needs and has not. Throws invalid, or a 500 when the range is full. */
export function takePorts(service: KubeObject, old: JsonObject | undefined, ways: Ways): void {
  const taking = { ...ways, asked: new Set<number>() }
  const spec = objectAt(service['spec'])
  if (hasNodePorts(spec)) {
    if (old) takeChanged(service, old, taking)
    else takeNew(service, taking)
  }
  takeHealthPort(spec, old, taking)
}
