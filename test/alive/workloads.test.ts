// A whole cluster under stock kubectl: what its users do with workloads leads to pods that run, and ends as it should.
import { describe, expect, it, vi } from 'vitest'
import { PARTS } from '../../src/cmd/parts/parts.ts'
import { findKubectl, type Kubectl, rows, useKubectl } from '../kubectl/driver.ts'

/** Tries until it holds. */
const eventually = (look: () => Promise<void>): Promise<void> =>
  vi.waitFor(look, { timeout: 90_000, interval: 100 })

const program = await findKubectl('1.36')
/** Each test is a dozen kubectls. */
const TIME = 600_000

/** The pods' cells by the names of columns; ages left out. */
async function pods(k: Kubectl, selector: string): Promise<Record<string, string>[]> {
  const [head = [], ...table] = rows(await k(`get pods -l ${selector} --sort-by=.metadata.name`))
  return table.map((cells) => Object.fromEntries(head.map((name, i) => [name, cells[i] ?? ''])))
}

const RUNNING = { READY: '1/1', STATUS: 'Running', RESTARTS: '0' }

describe.skipIf(program === undefined).concurrent('workloads', { timeout: TIME }, () => {
  const kubectl = useKubectl(program, { parts: PARTS, nodes: 3 })

  it('a deployment runs, scales, rolls on and back, and goes with all that it made', async () => {
    const k = await kubectl.namespace('deployments')
    await k('create deployment web --image=nginx:1.29 --replicas=3')
    expect(await k('rollout status deployment web --timeout=90s')).toContain('successfully rolled out')
    expect(await pods(k, 'app=web')).toMatchObject([RUNNING, RUNNING, RUNNING])
    expect(rows(await k('get deployment web --no-headers'))).toEqual([['web', '3/3', '3', '3', 'AGE']])
    await k('scale deployment web --replicas=5')
    await k('wait deployment web --for=jsonpath={.status.readyReplicas}=5 --timeout=90s')
    await k('set image deployment web nginx=nginx:1.30')
    await k('rollout status deployment web --timeout=90s')
    const images = () => k('get pods -l app=web -o jsonpath={.items[*].spec.containers[0].image}')
    await eventually(async () => expect(await images()).toBe(Array(5).fill('nginx:1.30').join(' ')))
    await k('rollout undo deployment web')
    await k('rollout status deployment web --timeout=90s')
    await eventually(async () => expect(await images()).toBe(Array(5).fill('nginx:1.29').join(' ')))
    await k('rollout restart deployment web')
    await k('rollout status deployment web --timeout=90s')
    expect((await k('rollout history deployment web')).match(/^\d+ /gm)).toEqual(['2 ', '3 ', '4 '])
    await k('delete deployment web')
    await k('wait pods,rs -l app=web --for=delete --timeout=90s')
    expect((await k.run('get all -l app=web')).stderr).toContain('No resources found')
  })

  it('a stateful set gets volumes of the default class where its pods run, and they go with their claims', async () => {
    const k = await kubectl.namespace('volumes')
    const claim = {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    }
    const set = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db' },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'db' } },
        template: {
          metadata: { labels: { app: 'db' } },
          spec: {
            containers: [{ name: 'c', image: 'nginx', volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
          },
        },
        volumeClaimTemplates: [claim],
      },
    }
    await k('create -f -', { stdin: JSON.stringify(set) })
    await k('rollout status statefulset db --timeout=90s')
    const path = '{range .items[*]}{.status.phase}  {.spec.storageClassName}  {.spec.volumeName}{"\\n"}{end}'
    const claims = rows(await k(`get pvc -o jsonpath='${path}'`))
    expect(claims.map(([phase, storageClass]) => [phase, storageClass])).toEqual([
      ['Bound', 'standard'],
      ['Bound', 'standard'],
    ])
    const volume = claims[0]?.[2] ?? ''
    const nodeOf = '{.spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].values[0]}'
    expect(await k(`get pv ${volume} -o jsonpath=${nodeOf}`)).toBe(
      await k('get pod db-0 -o jsonpath={.spec.nodeName}'),
    )
    await k('delete statefulset db')
    await k('delete pvc --all')
    await k(`wait pv/${volume} --for=delete --timeout=90s`)
  })

  it('a service has its ready pods as endpoints', async () => {
    const k = await kubectl.namespace('services')
    await k('create deployment web --image=nginx --replicas=2 --port=80')
    await k('expose deployment web --port=8080 --target-port=80')
    await k('wait deployment web --for=condition=Available --timeout=90s')
    const ips = (await k('get pods -l app=web -o jsonpath={.items[*].status.podIP}')).split(' ').sort()
    const slices = async (): Promise<string[]> => {
      const { items } = JSON.parse(
        await k('get endpointslices -l kubernetes.io/service-name=web -o json'),
      ) as {
        items: { endpoints: { addresses: string[]; conditions: { ready: boolean } }[] | null }[]
      }
      const endpoints = items.flatMap((slice) => slice.endpoints ?? [])
      return endpoints
        .filter(({ conditions }) => conditions.ready)
        .flatMap(({ addresses }) => addresses)
        .sort()
    }
    await eventually(async () => expect(await slices()).toEqual(ips))
    await eventually(async () =>
      expect(await k('get endpoints web -o jsonpath={.subsets[0].ports[0].port}')).toBe('80'),
    )
    await k('scale deployment web --replicas=0')
    await eventually(async () => expect(await slices()).toEqual([]))
  })

  it('a job completes, one that fails is given up, and a cron job starts one', async () => {
    const k = await kubectl.namespace('jobs')
    await k('create job once --image=busybox -- true')
    await k('wait job once --for=condition=Complete --timeout=90s')
    expect(await pods(k, 'job-name=once')).toMatchObject([{ READY: '0/1', STATUS: 'Completed' }])
    await k('create -f -', { stdin: JSON.stringify(failingJob('bad')) })
    await k('wait job bad --for=condition=Failed --timeout=90s')
    expect(await k('get job bad -o jsonpath={.status.conditions[*].reason}')).toContain(
      'BackoffLimitExceeded',
    )
    await k("create cronjob tick --image=busybox --schedule='0 0 1 1 *'")
    await k('create job now --from=cronjob/tick')
    await k('wait job now --for=condition=Complete --timeout=90s')
  })

  it('a daemon set runs on every node, a stateful set in order', async () => {
    const k = await kubectl.namespace('sets')
    await k('create -f -', { stdin: JSON.stringify(workload('DaemonSet', 'agent', {})) })
    await k('rollout status daemonset agent --timeout=90s')
    const nodes = await k('get pods -l app=agent -o jsonpath={.items[*].spec.nodeName}')
    expect(nodes.split(' ').sort()).toEqual(['node-0', 'node-1', 'node-2'])
    await k('create -f -', {
      stdin: JSON.stringify(workload('StatefulSet', 'db', { replicas: 3, serviceName: 'db' })),
    })
    await k('rollout status statefulset db --timeout=90s')
    expect((await pods(k, 'app=db')).map(({ NAME }) => NAME)).toEqual(['db-0', 'db-1', 'db-2'])
    await k('scale statefulset db --replicas=1')
    await k('wait pod db-1 db-2 --for=delete --timeout=90s')
    expect((await pods(k, 'app=db')).map(({ NAME }) => NAME)).toEqual(['db-0'])
  })

  it('a namespace goes with everything in it', async () => {
    const k = await kubectl.namespace('doomed')
    await k('create deployment web --image=nginx --replicas=2')
    await k('create configmap settings --from-literal=a=b')
    await k('wait deployment web --for=condition=Available --timeout=90s')
    await kubectl('delete namespace doomed --timeout=90s')
    expect(await kubectl.fails('get namespace doomed')).toContain('NotFound')
    const left = await kubectl('get pods,replicasets,deployments --all-namespaces --no-headers')
    expect(left).not.toContain('doomed')
  })
})

const template = (app: string): object => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'c', image: 'i' }] },
})

const workload = (kind: string, name: string, spec: object): object => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name },
  spec: { selector: { matchLabels: { app: name } }, template: template(name), ...spec },
})

const failingJob = (name: string): object => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name },
  spec: {
    backoffLimit: 0,
    template: {
      metadata: { annotations: { 'simulate.dinghy.dev/exit-code': '1' } },
      spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] },
    },
  },
})
