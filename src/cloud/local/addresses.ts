// Which addresses of this machine balancers get. Follows the role of a cloud's pool of addresses.
import type { Service } from '../../client/kinds/core.v1.gen.ts'

const CIDR = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/
/** More addresses than that no machine gives out. */
const MIN_BITS = 12

export interface Pool {
  /** The first of them, and how many there are. */
  readonly first: number
  readonly size: number
}

/** undefined for what is no IPv4 range of a size that makes sense. */
export function poolOf(cidr: string): Pool | undefined {
  const match = CIDR.exec(cidr)
  if (!match) return undefined
  const [a = 0, b = 0, c = 0, d = 0, bits = 0] = match.slice(1).map(Number)
  if (Math.max(a, b, c, d) > 255 || bits < MIN_BITS || bits > 32) return undefined
  const size = 2 ** (32 - bits)
  const address = ((a * 256 + b) * 256 + c) * 256 + d
  return { first: address - (address % size), size }
}

const textOf = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.')

function* addressesOf({ first, size }: Pool): Generator<string> {
  // The first and the last of a range of several are no machine's.
  for (let i = size > 2 ? 1 : 0; i < (size > 2 ? size - 1 : size); i++) yield textOf(first + i)
}

const contains = (pool: Pool, address: string): boolean => {
  const own = poolOf(`${address}/32`)
  return own !== undefined && own.first >= pool.first && own.first < pool.first + pool.size
}

/** The address that the Service's status tells of. */
export const addressOf = ({ status }: Service): string | undefined => status?.loadBalancer?.ingress?.[0]?.ip

/**
 * The address for a balancer: the one that the Service asks for or has, else one that nobody has. `taken` are all others'.
 * Throws where there is none.
 */
export function chooseAddress(service: Service, pool: Pool, taken: ReadonlySet<string>): string {
  const { loadBalancerIP, ipFamilies } = service.spec ?? {}
  if (ipFamilies && !ipFamilies.includes('IPv4'))
    throw new Error('the local provider has no addresses of IPv6 to give')
  if (loadBalancerIP) {
    if (!contains(pool, loadBalancerIP)) throw new Error(`${loadBalancerIP} is not in the range of addresses`)
    // A pool of one address is shared, port by port.
    if (pool.size > 1 && taken.has(loadBalancerIP)) throw new Error(`${loadBalancerIP} is taken`)
    return loadBalancerIP
  }
  const known = addressOf(service)
  if (known !== undefined && contains(pool, known) && (pool.size === 1 || !taken.has(known))) return known
  for (const address of addressesOf(pool)) if (pool.size === 1 || !taken.has(address)) return address
  throw new Error('there is no address left')
}
