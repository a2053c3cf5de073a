// CronJobs and finished Jobs against the API server. Schedules that are due every second make the time short.
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CronJob, CronJobSpec, Job } from '../../src/client/kinds/batch.v1.gen.ts'
import { CRON_JOBS, JOBS } from '../../src/client/resources.ts'
import { cronJobController } from '../../src/controllers/cronjob/sync.ts'
import { ttlAfterFinishedController } from '../../src/controllers/ttl-after-finished.ts'
import { startCluster, type TestCluster, until } from './workloads.ts'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startCluster({
    controllers: {
      'cronjob-controller': cronJobController,
      'ttl-after-finished-controller': ttlAfterFinishedController,
    },
  })
})
afterAll(() => cluster.stop())

const placeOf = (name: string) => ({ namespace: 'default', name })
const template = {
  metadata: {},
  spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i', resources: {} }] },
}

const create = (name: string, spec: Partial<CronJobSpec>): Promise<CronJob> =>
  cluster.api.create(CRON_JOBS, {
    metadata: placeOf(name),
    spec: {
      schedule: '@every 1s',
      jobTemplate: { metadata: { labels: { from: name } }, spec: { template } },
      ...spec,
    },
    status: {},
  })

const jobsOf = async (name: string): Promise<readonly Job[]> =>
  (await cluster.api.list(JOBS, { namespace: 'default', labelSelector: `from=${name}` })).items

function finish(job: Job): Promise<Job> {
  const now = new Date().toISOString().replace(/\.\d+/, '')
  const conditions = ['SuccessCriteriaMet', 'Complete'].map((type) => ({
    type,
    status: 'True',
    lastTransitionTime: now,
    lastProbeTime: now,
  }))
  const status = { ...job.status, startTime: now, completionTime: now, succeeded: 1, conditions }
  return cluster.api.updateStatus(JOBS, { ...job, status })
}

it('starts jobs, keeps count of them, and clears those away that are over', async () => {
  await create('tick', {
    successfulJobsHistoryLimit: 0,
    timeZone: 'Europe/Berlin',
    concurrencyPolicy: 'Forbid',
  })
  await until(async () =>
    expect((await cluster.api.get(CRON_JOBS, placeOf('tick'))).status.active).toHaveLength(1),
  )
  const [job] = await jobsOf('tick')
  expect(job?.metadata).toMatchObject({
    name: expect.stringMatching(/^tick-\d+$/),
    annotations: { 'batch.kubernetes.io/cronjob-scheduled-timestamp': expect.stringMatching(/\+0[12]:00$/) },
    ownerReferences: [{ kind: 'CronJob', name: 'tick', controller: true }],
  })
  await cluster.api.patch(CRON_JOBS, placeOf('tick'), { spec: { suspend: true } }, { type: 'merge' })
  await finish(job as Job)
  await until(async () => {
    const { status } = await cluster.api.get(CRON_JOBS, placeOf('tick'))
    expect(status.active).toBeUndefined()
    expect(status.lastSuccessfulTime).toBeDefined()
    expect(await jobsOf('tick')).toEqual([])
    const events = await cluster.eventsOf('tick')
    expect(events).toContain(`Normal SuccessfulCreate: Created job ${job?.metadata.name}`)
    expect(events).toContain(
      `Normal SawCompletedJob: Saw completed job: ${job?.metadata.name}, condition: Complete`,
    )
  })
})

it('deletes a finished job when its time is over', async () => {
  const job = await cluster.api.create(JOBS, {
    metadata: { ...placeOf('brief'), labels: { from: 'nobody' } },
    spec: { template, ttlSecondsAfterFinished: 1 },
    status: {},
  })
  await finish(job)
  await until(async () => {
    const left = await jobsOf('nobody')
    expect(left.filter(({ metadata }) => !metadata.deletionTimestamp)).toEqual([])
  })
})

it('nothing was warned of', () => {
  expect(cluster.warnings).toEqual([])
})
