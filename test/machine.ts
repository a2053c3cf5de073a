// The machine that the tests run on.
import { networkInterfaces } from 'node:os'

/**
 * An IPv4 address of this machine that endpoints of a Service may have: neither loopback nor link-local, which are refused.
 * Undefined where it has none, without a network.
 */
export const MACHINE_ADDRESS: string | undefined = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(
    ({ family, internal, address }) => family === 'IPv4' && !internal && !address.startsWith('169.254.'),
  )?.address
