// What a server does first may need a key service that is still to come: it is tried until that is there.
// Follows the patience of kube-apiserver's post-start hooks. Loaded when something has failed.
import { setTimeout as delay } from 'node:timers/promises'
import type { HealthCheck } from '../../server/health.ts'
import type { Log } from '../log.ts'

/** How often it is tried again, and for how long: twice as long as upstream's hooks try. */
const AGAIN_MS = 500
const PATIENCE_MS = 60_000

/** Does work that has failed anew, until it is done; rejects with its last fault where all checks are well, or time is up. */
export async function whenKeysAreThere(
  work: () => Promise<void>,
  { checks, log }: { readonly checks: readonly HealthCheck[]; readonly log: Pick<Log, 'warn'> },
): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  for (let isFirst = true; ; isFirst = false) {
    const fault = await faultOf(checks)
    try {
      return await work()
    } catch (error) {
      if (fault === undefined || performance.now() > end) throw error
    }
    if (isFirst) log.warn({ fault }, 'waiting for a key service, without which the cluster cannot be read')
    await delay(AGAIN_MS)
  }
}

async function faultOf(checks: readonly HealthCheck[]): Promise<string | undefined> {
  for (const check of checks) {
    const fault = await check.check()
    if (fault !== undefined) return fault
  }
  return undefined
}
