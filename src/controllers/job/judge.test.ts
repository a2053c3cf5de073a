import { describe, expect, it } from 'vitest'
import type { Job, JobSpec, JobStatus } from '../../client/kinds/batch.v1.gen.ts'
import type { Pod } from '../../client/kinds/core.v1.gen.ts'
import {
  FAILURES,
  INDEX,
  nextBackoff,
  NO_BACKOFF,
  remainingBackoff,
  surplusPods,
  TRACKING,
} from './jobpods.ts'
import { endingOf, isAllDone, view, wantedActive } from './judge.ts'

const NOW = Date.parse('2026-01-01T00:10:00Z')
const at = (secondsAgo: number): string => new Date(NOW - secondsAgo * 1000).toISOString()

const jobOf = (spec: Partial<JobSpec> = {}, status: JobStatus = {}): Job => ({
  metadata: { name: 'j' },
  spec: { parallelism: 2, completions: 4, template: { metadata: {}, spec: { containers: [] } }, ...spec },
  status,
})

interface Shape {
  index?: number
  failures?: number
  endedAgo?: number
  gone?: boolean
  restarts?: number
}

let number = 0
function podOf(phase: string, { index, failures, endedAgo = 100, gone, restarts = 0 }: Shape = {}): Pod {
  const name = `p${number++}`
  const annotations: Record<string, string> = {}
  if (index !== undefined) annotations[INDEX] = String(index)
  if (failures !== undefined) annotations[FAILURES] = String(failures)
  const state = phase === 'Running' ? {} : { terminated: { exitCode: 1, finishedAt: at(endedAgo) } }
  const container = {
    name: 'c',
    state,
    lastState: {},
    ready: false,
    restartCount: restarts,
    image: '',
    imageID: '',
  }
  return {
    metadata: {
      name,
      uid: name,
      annotations,
      finalizers: [TRACKING],
      ...(gone ? { deletionTimestamp: at(0) } : {}),
    },
    spec: { containers: [] },
    status: { phase, containerStatuses: [container] },
  }
}

const seen = (job: Job, pods: readonly Pod[]) => view(job, pods, new Set())
const ending = (job: Job, pods: readonly Pod[]): unknown => {
  const found = endingOf(seen(job, pods), NOW)
  return found && [found.type, found.reason]
}

describe('pods whose finalizers went', () => {
  it('stay counted in a pass, though the news of it comes in its midst', () => {
    const pod = podOf('Failed')
    const released = new Set([pod.metadata.uid as string])
    const { isProcessed } = view(jobOf(), [pod], released)
    released.clear()
    expect(isProcessed(pod)).toBe(true)
  })
})

describe('the end of a job', () => {
  const failed = podOf('Failed')
  const indexed = { completionMode: 'Indexed', completions: 3 }
  it.each<[string, Job, Pod[], unknown]>([
    ['goes on', jobOf({ backoffLimit: 1 }), [failed], undefined],
    ['too many failures', jobOf({ backoffLimit: 0 }), [failed], ['FailureTarget', 'BackoffLimitExceeded']],
    [
      'failures before',
      jobOf({ backoffLimit: 1 }, { failed: 1 }),
      [failed],
      ['FailureTarget', 'BackoffLimitExceeded'],
    ],
    [
      'a pod that is deleted',
      jobOf({ backoffLimit: 0 }),
      [podOf('Running', { gone: true })],
      ['FailureTarget', 'BackoffLimitExceeded'],
    ],
    [
      'one that is deleted and waited for',
      jobOf({ backoffLimit: 0, podReplacementPolicy: 'Failed' }),
      [podOf('Running', { gone: true })],
      undefined,
    ],
    [
      'restarts inside pods',
      jobOf({
        backoffLimit: 2,
        template: { metadata: {}, spec: { containers: [], restartPolicy: 'OnFailure' } },
      }),
      [podOf('Running', { restarts: 2 })],
      ['FailureTarget', 'BackoffLimitExceeded'],
    ],
    [
      'time',
      jobOf({ activeDeadlineSeconds: 10 }, { startTime: at(10) }),
      [],
      ['FailureTarget', 'DeadlineExceeded'],
    ],
    ['time left', jobOf({ activeDeadlineSeconds: 10 }, { startTime: at(9) }), [], undefined],
    [
      'told before',
      jobOf({}, { conditions: [{ type: 'FailureTarget', status: 'True', reason: 'X' }] }),
      [],
      ['Failed', 'X'],
    ],
    [
      'failed indexes',
      jobOf({ ...indexed, backoffLimitPerIndex: 1 }, { completedIndexes: '0,1' }),
      [podOf('Failed', { index: 2, failures: 1 })],
      ['FailureTarget', 'FailedIndexes'],
    ],
    [
      'too many failed indexes',
      jobOf({ ...indexed, backoffLimitPerIndex: 0, maxFailedIndexes: 1 }, { failedIndexes: '0' }),
      [podOf('Failed', { index: 2, failures: 0 })],
      ['FailureTarget', 'MaxFailedIndexesExceeded'],
    ],
    [
      'enough by the policy',
      jobOf({ ...indexed, successPolicy: { rules: [{ succeededIndexes: '0-2', succeededCount: 2 }] } }),
      [podOf('Succeeded', { index: 0 }), podOf('Succeeded', { index: 2 })],
      ['SuccessCriteriaMet', 'SuccessPolicy'],
    ],
  ])('%s', (_name, job, pods, expected) => {
    expect(ending(job, pods)).toEqual(expected)
  })
})

describe('how many pods a job wants', () => {
  it('is what is left, at most what it may have at once', () => {
    expect(wantedActive(seen(jobOf({}, { succeeded: 1 }), []))).toBe(2)
    expect(wantedActive(seen(jobOf({}, { succeeded: 3 }), []))).toBe(1)
    expect(wantedActive(seen(jobOf({ completions: undefined }, { succeeded: 1 }), [podOf('Running')]))).toBe(
      1,
    )
    expect(isAllDone(seen(jobOf({}, { succeeded: 4 }), []), 0)).toBe(true)
    expect(isAllDone(seen(jobOf({}, { succeeded: 4 }), []), 1)).toBe(false)
  })

  it('counts no pod twice', () => {
    const pod = podOf('Succeeded')
    const uid = pod.metadata.uid ?? ''
    expect(seen(jobOf({}, { uncountedTerminatedPods: { succeeded: [uid] } }), [pod]).succeeded).toBe(1)
    expect(view(jobOf({}, { succeeded: 1 }), [pod], new Set([uid])).succeeded).toBe(1)
  })

  it('parts with doubles and strays of an indexed job', () => {
    const pods = [0, 0, 1, 9].map((index) => podOf('Running', { index }))
    const surplus = surplusPods(jobOf({ completionMode: 'Indexed' }), [...pods, podOf('Running')], 0, NOW)
    expect(surplus.map(({ metadata }) => metadata.annotations?.[INDEX]).sort()).toEqual(['0', '9', undefined])
  })
})

describe('the back-off', () => {
  it('doubles with each failure in a row, and ends with a success', () => {
    const one = nextBackoff(NO_BACKOFF, [], [podOf('Failed', { endedAgo: 4 })])
    expect(remainingBackoff(one, NOW)).toBe(6000)
    const two = nextBackoff(one, [], [podOf('Failed', { endedAgo: 4 })])
    expect(remainingBackoff(two, NOW)).toBe(16_000)
    expect(remainingBackoff({ failures: 50, lastAt: NOW }, NOW)).toBe(600_000)
    expect(
      nextBackoff(two, [podOf('Succeeded', { endedAgo: 1 })], [podOf('Failed', { endedAgo: 2 })]),
    ).toEqual(NO_BACKOFF)
    expect(
      nextBackoff(two, [podOf('Succeeded', { endedAgo: 3 })], [podOf('Failed', { endedAgo: 2 })]).failures,
    ).toBe(1)
  })
})
