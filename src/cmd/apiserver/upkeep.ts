// What an API server does beside answering requests, from when it is ready until it stops.
// Follows the post-start hooks of k8s.io/kubernetes/pkg/controlplane.
import { hostname } from 'node:os'
import type { Fairness } from '../../fairness/fairness.ts'
import type { Scopes } from '../../handlers/scope.ts'
import { followFlowControl, keepFlowControlObjects } from './flowcontrol.ts'
import { IdentityLease } from './identity-lease.ts'
import type { Log } from '../log.ts'
import { ServiceRepair } from './service-repair.ts'

/** Upstream's intervals. */
const RENEW_MS = 10_000
const COLLECT_MS = 3600_000
const REPAIR_MS = 180_000
const FLOW_CONTROL_MS = 60_000
/** How long the end of the server waits for its last writes: the store may be away. */
const FAREWELL_MS = 2000

export interface UpkeepFacts {
  readonly log: Log
  /** host:port at which others reach this server. */
  readonly address: string | undefined
  /** --service-node-port-range */
  readonly nodePorts: readonly [number, number]
  /** undefined: requests are let in by plain limits. */
  readonly fairness: Fairness | undefined
}

/** Starts it all, without waiting for any of it; answers how to stop. */
export function startUpkeep(scopes: Scopes, facts: UpkeepFacts): () => Promise<void> {
  const { log, address, nodePorts, fairness } = facts
  const failed = (error: unknown): void => {
    if (!stopped) log.warn({ error: String(error) }, 'upkeep has failed; it is tried again')
  }
  let stopped = false
  const lease = new IdentityLease(scopes, hostname(), address)
  const repair = new ServiceRepair(scopes, nodePorts)
  let begun = false
  const tasks = [
    repeat(RENEW_MS, failed, async () => {
      await (begun ? lease.renew() : lease.begin())
      begun = true
    }),
    repeat(COLLECT_MS, failed, () => lease.collect(new Date())),
    repeat(REPAIR_MS, failed, () => repair.look()),
    repeat(FLOW_CONTROL_MS, failed, () => keepFlowControlObjects(scopes)),
  ]
  const stopFlowControl = followFlowControl(scopes, fairness, failed)
  fairness?.start()
  return async () => {
    stopped = true
    stopFlowControl()
    fairness?.stop()
    const end = async (): Promise<void> => {
      await Promise.all(tasks.map((stop) => stop()))
      await lease.end()
    }
    await Promise.race([end().catch(failed), after(FAREWELL_MS)])
  }
}

/** Runs `task` now, and again so long after each end; the answer stops it and waits for one that runs. */
function repeat(
  intervalMs: number,
  failed: (error: unknown) => void,
  task: () => Promise<void>,
): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const run = async (): Promise<void> => {
    await task().catch(failed)
    if (stopped) return
    timer = setTimeout(() => void (running = run()), intervalMs)
    timer.unref()
  }
  let running = run()
  return async () => {
    stopped = true
    clearTimeout(timer)
    await running
  }
}

const after = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
