// The cloud that this machine is: addresses of the loopback for balancers, nodes' machines as the nodes tell, routes in mind.
// Follows the role of a cloud's own package beside k8s.io/cloud-provider.
import { createServer } from 'node:net'
import type { CloudProvider } from '../provider.ts'
import { type Pool, poolOf } from './addresses.ts'
import { type LocalParts, localBalancers } from './balancers.ts'
import { localInstances, PROVIDER } from './machines.ts'
import { localRoutes } from './routetable.ts'
import { localStorage } from './storage.ts'

/** Of the loopback, which is 127.0.0.0/8 where the system has more than one address of it. */
export const BALANCER_RANGE = '127.64.0.0/16'
/** What is shared where it has one alone. */
const ONE_FOR_ALL = '127.0.0.1/32'

export interface LocalOptions extends Omit<LocalParts, 'pool'> {
  /** Absent: as many addresses of the loopback as the system has. */
  readonly range?: string | undefined
  /** How many zones the nodes are in. */
  readonly zones: number
}

/** Throws where the range is none. */
export async function localProvider({ range, zones, ...parts }: LocalOptions): Promise<CloudProvider> {
  const pool = range === undefined ? await loopbackPool() : poolOf(range)
  if (!pool) throw new Error(`${range} is no range of IPv4 addresses, of 12 bits or more`)
  const balancers = localBalancers({ ...parts, pool })
  return {
    name: PROVIDER,
    balancers,
    instances: localInstances(zones),
    routes: localRoutes(),
    storage: localStorage(),
    stop: () => balancers.stop(),
  }
}

/** All of 127.0.0.0/8 are this machine on Linux; elsewhere only the first is. */
async function loopbackPool(): Promise<Pool | undefined> {
  const probe = createServer()
  const isThere = await new Promise<boolean>((resolve) => {
    probe.once('error', () => resolve(false))
    probe.listen(0, '127.64.0.1', () => probe.close(() => resolve(true)))
  })
  return poolOf(isThere ? BALANCER_RANGE : ONE_FOR_ALL)
}
