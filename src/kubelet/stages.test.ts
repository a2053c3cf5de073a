// What ConfigMaps say of pods: which pods, in which order, and what does not count.
import { expect, it } from 'vitest'
import type { Pod } from '../client/kinds/core.v1.gen.ts'
import { behaviourOf } from './behaviour.ts'
import { Stages } from './stages.ts'

const pod = (app: string, annotations?: Record<string, string>): Pod => ({
  metadata: { name: 'p', namespace: 'n', labels: { app }, ...(annotations ? { annotations } : {}) },
  spec: { containers: [{ name: 'c', image: 'i', resources: {} }] },
  status: {},
})
const behaviour = (stages: Stages, one: Pod): ReturnType<typeof behaviourOf> =>
  behaviourOf(stages.of(one), {
    container: one.spec.containers[0] as never,
    role: 'app',
    restarts: 0,
    program: undefined,
  })

it('holds for the pods that it selects, in its namespace', () => {
  const stages = new Stages()
  expect(stages.set('n', { crash: '# soon\npods: app in (web, db)\nexit-code: "7"\nrun-for: 3s\n' })).toEqual(
    [],
  )
  expect(behaviour(stages, pod('web'))).toMatchObject({ exitCode: 7, runFor: 3000 })
  const other = pod('cache')
  expect(stages.of(other)).toBe(other)
  const elsewhere = { ...pod('web'), metadata: { ...pod('web').metadata, namespace: 'm' } }
  expect(stages.of(elsewhere)).toBe(elsewhere)
  stages.delete('n')
  expect(behaviour(stages, pod('web')).exitCode).toBe(0)
})

it('the pod itself counts first, then the first stage by its name', () => {
  const stages = new Stages()
  stages.set('n', {
    b: 'start-after: 2s\nready-after: 2s\nstop-after: 2s',
    a: 'start-after: 1s\nready-after: 1s',
  })
  const said = pod('web', { 'simulate.dinghy.dev/start-after': '500ms' })
  expect(behaviour(stages, said)).toMatchObject({ startAfter: 500, readyAfter: 1000, stopAfter: 2000 })
})

it('says what does not count, and takes the rest', () => {
  const stages = new Stages()
  const faults = stages.set('n', {
    bad: 'nonsense',
    worse: 'pods: ((',
    good: 'exit-code: 2',
  })
  expect(faults).toEqual([expect.stringMatching(/^bad: "nonsense" is no/), expect.stringMatching(/^worse: /)])
  expect(behaviour(stages, pod('web')).exitCode).toBe(2)
})
