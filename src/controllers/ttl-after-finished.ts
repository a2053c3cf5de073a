// Jobs that say for how long they are kept once they are finished go after that. Follows
// k8s.io/kubernetes/pkg/controller/ttlafterfinished.
import { type Api, isNotFound } from '../client/api.ts'
import { type Controller, type ControllerContext, queueOf } from '../client/controller.ts'
import type { Job } from '../client/kinds/batch.v1.gen.ts'
import { keyOf, splitKey } from '../client/resource.ts'
import { JOBS } from '../client/resources.ts'
import { onceSynced } from '../client/synced.ts'

/** As upstream's --concurrent-ttl-after-finished-syncs. */
const WORKERS = 5

export function ttlAfterFinishedController(context: ControllerContext, workers = WORKERS): Controller {
  const { api, clock, informers, log } = context
  const queue = queueOf(context, 'ttl_jobs_to_delete')
  const jobs = informers.of(JOBS)
  const wake = (job: Job): void => {
    if (expiryOf(job) !== undefined) queue.add(keyOf(job))
  }
  jobs.handle({ added: wake, updated: wake })
  /** Whether the time has come; else the key comes again when it has. */
  const isExpired = (job: Job): boolean => {
    const expiry = expiryOf(job)
    if (expiry === undefined) return false
    const left = expiry - clock.now()
    if (left > 0) queue.addAfter(keyOf(job), left)
    return left <= 0
  }
  const reconcile = async (key: string): Promise<void> => {
    const job = jobs.reader.get(key)
    if (job !== undefined && isExpired(job)) await removeFresh(api, key, isExpired)
  }
  return onceSynced([jobs], {
    name: 'ttl-after-finished-controller',
    queue,
    workers,
    reconcile,
    log,
  })
}

/** ms since 1970; undefined for a job that stays, is not finished, or goes already. */
export function expiryOf({ metadata, spec, status }: Job): number | undefined {
  const { ttlSecondsAfterFinished } = spec
  if (ttlSecondsAfterFinished === undefined || metadata.deletionTimestamp !== undefined) return undefined
  const end = status?.conditions?.find(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  )
  const endedAt = Date.parse(end?.lastTransitionTime ?? '')
  return Number.isNaN(endedAt) ? undefined : endedAt + ttlSecondsAfterFinished * 1000
}

/** The copy may be old: somebody may just have given the job more time. */
async function removeFresh(api: Api, key: string, isExpired: (job: Job) => boolean): Promise<void> {
  try {
    const fresh = await api.get(JOBS, splitKey(key))
    if (!isExpired(fresh)) return
    const preconditions = { uid: fresh.metadata.uid }
    await api.delete(JOBS, splitKey(key), { propagationPolicy: 'Foreground', preconditions })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
