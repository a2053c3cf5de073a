// Simulated nodes under stock kubectl: what can be asked of their pods, what is refused and why, and how nodes are emptied.
import { describe, expect, it, vi } from 'vitest'
import { PARTS } from '../../src/cmd/parts/parts.ts'
import { findKubectl, type Kubectl, printed, useKubectl } from '../kubectl/driver.ts'

/** Tries until it holds. */
const eventually = (look: () => Promise<void>): Promise<void> =>
  vi.waitFor(look, { timeout: 90_000, interval: 100 })

const program = await findKubectl('1.36')
const TIME = 600_000

async function run(k: Kubectl, name: string, annotations: Readonly<Record<string, string>>): Promise<void> {
  const flags = Object.entries(annotations).map(
    ([key, value]) => `--annotations=simulate.dinghy.dev/${key}=${value}`,
  )
  await k(`run ${name} --image=busybox ${flags.join(' ')}`)
}
const ready = (k: Kubectl, name: string): Promise<string> =>
  k(`wait pod ${name} --for=condition=Ready --timeout=90s`)

describe.skipIf(program === undefined).concurrent('simulated nodes', { timeout: TIME }, () => {
  const kubectl = useKubectl(program, { parts: PARTS, nodes: 2 })

  it('have logs that say that they are simulated', async () => {
    const k = await kubectl.namespace('logs')
    await run(k, 'talker', { log: 'hello', 'log-every': '20ms' })
    await ready(k, 'talker')
    const [first, second] = (await k('logs talker')).split('\n')
    expect(first).toMatch(/^simulated: container talker of pod logs\/talker, run 1; nothing runs here/)
    expect(second).toBe('hello')
    expect(await k('logs talker --tail=0')).toBe('')
    expect(await k('logs talker --tail=1 --timestamps')).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z hello\n$/)
    expect(await k('logs talker --since=1s')).toMatch(/^(simulated.*\n)?(hello\n)+$/)
    expect(await k('logs talker --limit-bytes=9')).toBe('simulated')
    const following = k.start('logs -f talker --tail=1')
    expect(await printed(following, /hello\n[^]*hello\n[^]*hello\n/)).not.toContain('simulated')
    const ended = new Promise((resolve) => following.on('exit', resolve))
    await k('delete pod talker --now')
    expect(await ended).toBe(0)
    expect(await k.fails('logs talker')).toContain('not found')
  })

  it('have logs of runs that ended', async () => {
    const k = await kubectl.namespace('runs')
    await run(k, 'crash', { 'exit-code': '3', failures: '1' })
    await ready(k, 'crash')
    expect(await k('logs crash --previous')).toContain('run 1 ended with exit code 3\n')
    expect(await k('logs crash')).toMatch(/run 2; nothing runs here.*\n$/)
    await run(k, 'slow', { 'start-after': '1h' })
    await k('wait pod slow --for=condition=PodScheduled --timeout=90s')
    await eventually(async () =>
      expect((await k.run('logs slow')).stderr).toContain('is waiting to start: ContainerCreating'),
    )
  })

  it('say that nothing runs to those who want to run something', async () => {
    const k = await kubectl.namespace('programs')
    await run(k, 'pod', {})
    await ready(k, 'pod')
    const because = 'pod programs/pod is simulated, as its node'
    expect(await k.fails('exec pod -- echo hello')).toContain(`${because}`)
    expect(await k.fails('exec pod -- echo hello')).toContain('no command can be run in it')
    expect(await k.fails('attach pod')).toContain('there is nothing to attach to')
    expect(await k.fails(`cp ${k.file('some.txt', 'text')} pod:/tmp/some.txt`)).toContain(because)
    expect(await k.fails('port-forward pod/pod :80')).toContain('nobody listens on its ports')
  })

  it('behave as a ConfigMap of their namespace says', async () => {
    const k = await kubectl.namespace('staged')
    const stage = k.file('stage', 'pods: run=web\nexit-code: 3\nlog: goodbye\n')
    await k(`create configmap simulate.dinghy.dev --from-file=crash=${stage}`)
    await k('run web --image=nginx --restart=Never')
    await k('run other --image=nginx --restart=Never')
    await k('wait pod web --for=jsonpath={.status.phase}=Failed --timeout=90s')
    expect(await k('logs web')).toContain('goodbye\n')
    await ready(k, 'other')
  })

  it('show metrics, summaries and pods through the proxy of nodes', async () => {
    const k = await kubectl.namespace('proxied')
    await run(k, 'busy', { 'cpu-usage': '250m', 'memory-usage': '64Mi' })
    await ready(k, 'busy')
    const node = await k('get pod busy -o jsonpath={.spec.nodeName}')
    const raw = (path: string): Promise<string> => k(`get --raw /api/v1/nodes/${node}/proxy/${path}`)
    expect(await raw('healthz')).toBe('ok')
    expect(await raw('metrics')).toMatch(/^kubelet_running_pods [1-9]/m)
    expect(await raw('metrics/resource')).toMatch(
      /^container_memory_working_set_bytes\{container="busy",namespace="proxied",pod="busy"\} 67108864 \d+$/m,
    )
    const summary = JSON.parse(await raw('stats/summary')) as { pods: { podRef: { name: string } }[] }
    expect(summary.pods.find(({ podRef }) => podRef.name === 'busy')).toMatchObject({
      cpu: { usageNanoCores: 250_000_000 },
      containers: [{ name: 'busy', memory: { workingSetBytes: 67_108_864 } }],
    })
    expect(await k('top pod busy --no-headers')).toMatch(/^busy +250m +64Mi *$/m)
    expect(await k('top node --no-headers')).toMatch(/^node-\d +\d+m +\d+% +\d+Mi +\d+%/m)
    expect(await k('get podmetrics -o name')).toBe('podmetrics.metrics.k8s.io/busy\n')
    expect(await k('get apiservices v1beta1.metrics.k8s.io --no-headers')).toMatch(/ Local +True /)
    expect(JSON.parse(await k('get --raw /apis/metrics.k8s.io/v1beta1'))).toEqual({
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: 'metrics.k8s.io/v1beta1',
      resources: [
        { name: 'nodes', singularName: '', namespaced: false, kind: 'NodeMetrics', verbs: ['get', 'list'] },
        { name: 'pods', singularName: '', namespaced: true, kind: 'PodMetrics', verbs: ['get', 'list'] },
      ],
    })
    expect(await raw('pods')).toContain('"name":"busy"')
    expect(await k.fails(`get --raw /api/v1/nodes/${node}/proxy/nosuch`)).toContain('404 page not found')
  })
})

describe.skipIf(program === undefined)('nodes that are emptied', { timeout: TIME }, () => {
  const kubectl = useKubectl(program, { parts: PARTS, nodes: 2 })

  it('are drained, tainted, and used again', async () => {
    const k = await kubectl.namespace('moving')
    const nodes = async (): Promise<string[]> =>
      [...new Set((await k('get pods -l app=web -o jsonpath={.items[*].spec.nodeName}')).split(' '))].sort()
    const settled = () => k('wait deployment web --for=jsonpath={.status.availableReplicas}=4 --timeout=90s')
    await k('create deployment web --image=nginx --replicas=4')
    await settled()
    expect(await nodes()).toEqual(['node-0', 'node-1'])
    expect(await k('drain node-0 --timeout=90s')).toContain('node/node-0 drained')
    await eventually(async () => expect(await nodes()).toEqual(['node-1']))
    await settled()
    await k('uncordon node-0')
    await k('taint node node-1 away=now:NoExecute')
    await eventually(async () => expect(await nodes()).toEqual(['node-0']))
    await settled()
    await k('taint node node-1 away-')
    await k('scale deployment web --replicas=8')
    await k('wait deployment web --for=jsonpath={.status.availableReplicas}=8 --timeout=90s')
    expect(await nodes()).toEqual(['node-0', 'node-1'])
  })
})
