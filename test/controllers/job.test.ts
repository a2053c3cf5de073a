// Jobs against the API server: pods that end are counted once, whatever the policies make of them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Job, JobSpec } from '../../src/client/kinds/batch.v1.gen.ts'
import type { Pod } from '../../src/client/kinds/core.v1.gen.ts'
import { JOBS } from '../../src/client/resources.ts'
import { jobController } from '../../src/controllers/job/sync.ts'
import { startCluster, type TestCluster, until } from './workloads.ts'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startCluster({ controllers: { 'job-controller': jobController } })
})
afterAll(() => cluster.stop())

const placeOf = (name: string) => ({ namespace: 'default', name })
const get = (name: string): Promise<Job> => cluster.api.get(JOBS, placeOf(name))
const podsOf = (name: string): Promise<readonly Pod[]> => cluster.podsOf(`job-name=${name}`)

function create(name: string, spec: Partial<JobSpec>): Promise<Job> {
  const template = {
    metadata: {},
    spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i', resources: {} }] },
  }
  return cluster.api.create(JOBS, { metadata: placeOf(name), spec: { template, ...spec }, status: {} })
}

/** Waits for so many active pods and ends them. */
async function endPods(
  name: string,
  count: number,
  phase: (pod: Pod) => string,
  exitCode = 1,
): Promise<void> {
  await until(async () => expect(await active(name)).toHaveLength(count))
  for (const pod of await active(name)) {
    const finishedAt = '2020-01-01T00:00:00Z'
    const state = { terminated: { exitCode: phase(pod) === 'Failed' ? exitCode : 0, finishedAt } }
    const status = { name: 'c', image: 'i', imageID: '', restartCount: 0, ready: false, state, lastState: {} }
    await cluster.patchPod(pod, { phase: phase(pod), containerStatuses: [status] })
  }
}

const active = async (name: string): Promise<readonly Pod[]> =>
  (await podsOf(name)).filter(
    ({ metadata, status }) =>
      !metadata.deletionTimestamp && !['Succeeded', 'Failed'].includes(status.phase ?? ''),
  )

const finished = (
  name: string,
  conditions: readonly (readonly string[])[],
  status: object,
): Promise<unknown> =>
  until(async () => {
    const job = await get(name)
    const told = (job.status.conditions ?? []).map((one) => [one.type, one.status, one.reason])
    expect(told).toEqual(conditions)
    expect(job.status).toMatchObject(status)
    const held = (await podsOf(name)).filter(({ metadata }) => metadata.finalizers !== undefined)
    expect(held).toEqual([])
  })

const completed = (reason: string) => [
  ['SuccessCriteriaMet', 'True', reason],
  ['Complete', 'True', reason],
]
const failed = (reason: string) => [
  ['FailureTarget', 'True', reason],
  ['Failed', 'True', reason],
]

describe('a Job without indexes', () => {
  it('runs as many at once as it may, until enough have succeeded', async () => {
    await create('plain', { completions: 3, parallelism: 2 })
    await until(async () =>
      expect((await get('plain')).status).toMatchObject({ active: 2, ready: 0, terminating: 0 }),
    )
    expect((await podsOf('plain'))[0]?.metadata).toMatchObject({
      generateName: 'plain-',
      finalizers: ['batch.kubernetes.io/job-tracking'],
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'plain', controller: true }],
    })
    await endPods('plain', 2, () => 'Succeeded')
    await endPods('plain', 1, () => 'Succeeded')
    await finished('plain', completed('CompletionsReached'), {
      succeeded: 3,
      ready: 0,
      terminating: 0,
      uncountedTerminatedPods: {},
      completionTime: expect.stringMatching(/Z$/),
    })
    expect(await podsOf('plain')).toHaveLength(3)
    await until(async () =>
      expect(await cluster.eventsOf('plain')).toContain('Normal Completed: Job completed'),
    )
  })

  it('fails after as many failures as it may have', async () => {
    await create('limit', { backoffLimit: 1 })
    await endPods('limit', 1, () => 'Failed')
    await endPods('limit', 1, () => 'Failed')
    await finished('limit', failed('BackoffLimitExceeded'), { failed: 2 })
    await until(async () =>
      expect(await cluster.eventsOf('limit')).toContain(
        'Warning BackoffLimitExceeded: Job has reached the specified backoff limit',
      ),
    )
  })

  it('is suspended and resumed', async () => {
    await create('rest', { parallelism: 2, completions: 2 })
    await until(async () => expect((await get('rest')).status.active).toBe(2))
    await cluster.api.patch(JOBS, placeOf('rest'), { spec: { suspend: true } }, { type: 'merge' })
    await until(async () => {
      const { status } = await get('rest')
      expect(await podsOf('rest')).toEqual([])
      expect(status.active).toBeUndefined()
      expect(status.startTime).toBeUndefined()
      expect(status.conditions).toMatchObject([{ type: 'Suspended', status: 'True', reason: 'JobSuspended' }])
    })
    await cluster.api.patch(JOBS, placeOf('rest'), { spec: { suspend: false } }, { type: 'merge' })
    await endPods('rest', 2, () => 'Succeeded')
    await finished('rest', [['Suspended', 'False', 'JobResumed'], ...completed('CompletionsReached')], {
      succeeded: 2,
    })
  })

  it('ignores, counts or fails by its policy', async () => {
    const rules = [
      { action: 'Ignore', onExitCodes: { operator: 'In', values: [7] } },
      { action: 'FailJob', onExitCodes: { containerName: 'c', operator: 'In', values: [42] } },
    ]
    await create('policy', { backoffLimit: 0, podFailurePolicy: { rules } })
    await endPods('policy', 1, () => 'Failed', 7)
    await endPods('policy', 1, () => 'Failed', 42)
    await finished('policy', failed('PodFailurePolicy'), { failed: 1 })
    const { message } = (await get('policy')).status.conditions?.[0] ?? {}
    expect(message).toMatch(
      /^Container c for pod default\/policy-\w+ failed with exit code 42 matching FailJob rule at index 1$/,
    )
  })

  it('is over when its time is, and what runs then has failed', async () => {
    await create('time', { activeDeadlineSeconds: 1, completions: 1 })
    await finished('time', failed('DeadlineExceeded'), { failed: 1 })
    expect(await podsOf('time')).toEqual([])
  })

  it('is left alone where another controller has it', async () => {
    await create('foreign', { managedBy: 'example.com/other' })
    await create('ours', {})
    await until(async () => expect(await podsOf('ours')).toHaveLength(1))
    expect(await podsOf('foreign')).toEqual([])
  })

  it('lets its pods go when it goes', async () => {
    await create('gone', {})
    await until(async () => expect(await podsOf('gone')).toHaveLength(1))
    await cluster.api.delete(JOBS, placeOf('gone'), { propagationPolicy: 'Orphan' })
    const ours = async (): Promise<Job> => get('gone')
    await until(async () => {
      const job = await ours().catch(() => undefined)
      if (job?.metadata.finalizers) {
        await cluster.api.patch(JOBS, placeOf('gone'), { metadata: { finalizers: null } }, { type: 'merge' })
      }
      expect((await podsOf('gone'))[0]?.metadata.finalizers).toBeUndefined()
    })
  })
})

describe('an indexed Job', () => {
  const indexOf = ({ metadata }: Pod): string =>
    metadata.annotations?.['batch.kubernetes.io/job-completion-index'] ?? ''

  it('has one pod for each index', async () => {
    await create('index', { completionMode: 'Indexed', completions: 4, parallelism: 3 })
    await until(async () => expect(await podsOf('index')).toHaveLength(3))
    const pod = (await podsOf('index')).find((one) => indexOf(one) === '2')
    expect(pod?.metadata.generateName).toBe('index-2-')
    expect(pod?.metadata.labels).toMatchObject({ 'batch.kubernetes.io/job-completion-index': '2' })
    expect(pod?.spec.hostname).toBe('index-2')
    expect(pod?.spec.containers[0]?.env?.[0]?.valueFrom?.fieldRef?.fieldPath).toBe(
      "metadata.labels['batch.kubernetes.io/job-completion-index']",
    )
    await endPods('index', 3, () => 'Succeeded')
    await endPods('index', 1, () => 'Succeeded')
    await finished('index', completed('CompletionsReached'), { succeeded: 4, completedIndexes: '0-3' })
  })

  it('tries each index as often as it may', async () => {
    const perIndex = { completionMode: 'Indexed', completions: 2, parallelism: 2, backoffLimitPerIndex: 1 }
    await create('each', perIndex)
    await endPods('each', 2, (pod) => (indexOf(pod) === '0' ? 'Failed' : 'Succeeded'))
    await until(async () => expect((await get('each')).status.completedIndexes).toBe('1'))
    await until(async () =>
      expect((await active('each'))[0]?.metadata.annotations).toMatchObject({
        'batch.kubernetes.io/job-index-failure-count': '1',
      }),
    )
    await endPods('each', 1, () => 'Failed')
    await finished('each', failed('FailedIndexes'), { succeeded: 1, failed: 2, failedIndexes: '0' })
  })

  it('is a success when its policy says so', async () => {
    const successPolicy = { rules: [{ succeededIndexes: '0' }] }
    await create('enough', { completionMode: 'Indexed', completions: 3, parallelism: 3, successPolicy })
    await until(async () => expect(await podsOf('enough')).toHaveLength(3))
    const leader = (await podsOf('enough')).find((one) => indexOf(one) === '0')
    await cluster.patchPod(leader as Pod, { phase: 'Succeeded' })
    await finished('enough', completed('SuccessPolicy'), { succeeded: 1, completedIndexes: '0' })
    expect((await get('enough')).status.failed).toBeUndefined()
  })
})

it('nothing was warned of', () => {
  expect(cluster.warnings).toEqual([])
})
