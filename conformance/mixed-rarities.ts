// The work of mixed.ts that is done more seldom: other strategies of sets and jobs, volumes, what is collected, written by
// hand or cannot go, pods that make room for others, pods that are resized, a machine that is switched off.
import { apply, deployment, type Kubectl, object, pod, rolledOut, selecting } from './mixed-kubectl.ts'

const IMAGE = 'main=example.com/app:2'
const ASK_MS = 500
const MAX_ASKED = 240
const MACHINE = 'simulate.dinghy.dev/machine'

/** Asks again and again: there is nothing yet that kubectl could wait for. */
async function until(kubectl: Kubectl, line: string, isDone: (said: string) => boolean): Promise<void> {
  for (let asked = 0; asked < MAX_ASKED; asked++) {
    if (isDone(await kubectl.run(line))) return
    await new Promise((resolve) => setTimeout(resolve, ASK_MS))
  }
  throw new Error(`kubectl ${line}: not what is waited for after ${asked(MAX_ASKED)}`)
}

const asked = (times: number): string => `${(times * ASK_MS) / 1000} s`

export async function rarities(kubectl: Kubectl): Promise<void> {
  await Promise.all([strategies(kubectl), volumes(kubectl), jobs(kubectl), leftovers(kubectl)])
  await priorities(kubectl)
  await resized(kubectl)
  await switchedOff(kubectl)
}

async function strategies(kubectl: Kubectl): Promise<void> {
  const recreate = {
    replicas: 2,
    strategy: { type: 'Recreate' },
    ...selecting('again'),
    template: pod('again'),
  }
  await apply(kubectl, object('apps/v1', 'Deployment', 'again', recreate))
  await rolledOut(kubectl, 'deployment/again')
  await kubectl.run(`set image deployment/again ${IMAGE}`)
  await rolledOut(kubectl, 'deployment/again')
  await apply(kubectl, deployment('halted', 2))
  await rolledOut(kubectl, 'deployment/halted')
  await kubectl.run('rollout pause deployment/halted')
  await kubectl.run(`set image deployment/halted ${IMAGE}`)
  await kubectl.run('scale deployment/halted --replicas=3')
  await kubectl.run('wait --for=jsonpath={.status.readyReplicas}=3 deployment/halted --timeout=120s')
  await kubectl.run('rollout resume deployment/halted')
  await rolledOut(kubectl, 'deployment/halted')
  const partition = { type: 'RollingUpdate', rollingUpdate: { partition: 1 } }
  const spec = { replicas: 3, serviceName: 'db', ...selecting('half'), template: pod('half') }
  const parallel = { ...spec, podManagementPolicy: 'Parallel', updateStrategy: partition }
  await apply(kubectl, object('apps/v1', 'StatefulSet', 'half', parallel))
  await rolledOut(kubectl, 'statefulset/half')
  await kubectl.run(`set image statefulset/half ${IMAGE}`)
  await kubectl.run('wait --for=jsonpath={.status.updatedReplicas}=2 statefulset/half --timeout=120s')
  await rolledOut(kubectl, 'statefulset/half')
  const daemon = { ...selecting('manual'), template: pod('manual'), updateStrategy: { type: 'OnDelete' } }
  await apply(kubectl, object('apps/v1', 'DaemonSet', 'manual', daemon))
  const ready = '--for=jsonpath={.status.numberReady}=3'
  await kubectl.run(`wait ${ready} daemonset/manual --timeout=120s`)
  await kubectl.run(`set image daemonset/manual ${IMAGE}`)
  await kubectl.run('delete pods -l app=manual')
  await kubectl.run('wait --for=jsonpath={.status.updatedNumberScheduled}=3 daemonset/manual --timeout=120s')
  await kubectl.run(`wait ${ready} daemonset/manual --timeout=120s`)
  const old = { replicas: 2, selector: { app: 'old' }, template: pod('old') }
  await apply(kubectl, object('v1', 'ReplicationController', 'old', old))
  await kubectl.run('wait --for=jsonpath={.status.readyReplicas}=2 rc/old --timeout=120s')
  await kubectl.run('scale rc/old --replicas=1')
  await kubectl.run('wait --for=jsonpath={.status.replicas}=1 rc/old --timeout=120s')
}

/** The claims of a set that go when it shrinks, on volumes that somebody has made before. */
async function volumes(kubectl: Kubectl): Promise<void> {
  for (const [i, size] of ['1Gi', '2Gi'].entries())
    await apply(
      kubectl,
      object('v1', 'PersistentVolume', `disk-${i}`, {
        ...{ capacity: { storage: size }, accessModes: ['ReadWriteOnce'], storageClassName: 'by-hand' },
        ...{ persistentVolumeReclaimPolicy: 'Retain', hostPath: { path: '/tmp/none' } },
      }),
    )
  const claim = {
    metadata: { name: 'data' },
    spec: {
      ...{ accessModes: ['ReadWriteOnce'], storageClassName: 'by-hand' },
      resources: { requests: { storage: '1Gi' } },
    },
  }
  const spec = { replicas: 2, serviceName: 'db', ...selecting('kept'), template: pod('kept') }
  const retention = { whenScaled: 'Delete', whenDeleted: 'Retain' }
  const set = { ...spec, volumeClaimTemplates: [claim], persistentVolumeClaimRetentionPolicy: retention }
  await apply(kubectl, object('apps/v1', 'StatefulSet', 'kept', set))
  await rolledOut(kubectl, 'statefulset/kept')
  await kubectl.run('scale statefulset/kept --replicas=1')
  await kubectl.run('wait --for=delete pvc/data-kept-1 --timeout=120s')
  await kubectl.run('wait --for=jsonpath={.status.phase}=Released pv/disk-1 --timeout=120s')
}

async function jobs(kubectl: Kubectl): Promise<void> {
  const template = (command: readonly string[]): object => {
    const { metadata, spec } = pod('rare', { command }) as { metadata: object; spec: object }
    return { template: { metadata, spec: { ...spec, restartPolicy: 'Never' } } }
  }
  const make = (name: string, spec: object, command: readonly string[]): Promise<void> =>
    apply(kubectl, object('batch/v1', 'Job', name, { ...spec, ...template(command) }))
  const indexed = { completions: 2, parallelism: 2, completionMode: 'Indexed' }
  await make('by-index', { ...indexed, backoffLimitPerIndex: 0 }, ['false'])
  const rule = { action: 'FailJob', onExitCodes: { operator: 'In', values: [1] } }
  await make('by-rule', { backoffLimit: 3, podFailurePolicy: { rules: [rule] } }, ['false'])
  await make('gone', { ttlSecondsAfterFinished: 1 }, ['true'])
  for (const name of ['by-index', 'by-rule'])
    await kubectl.run(`wait --for=condition=Failed job/${name} --timeout=120s`)
  await kubectl.run('wait --for=delete job/gone --timeout=120s')
  await kubectl.run('create job --from=cronjob/nightly by-hand')
}

/** Dependents of nobody, endpoints that somebody wrote, a namespace that something keeps. */
async function leftovers(kubectl: Kubectl): Promise<void> {
  const owner = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: 'nobody',
    uid: '00000000-0000-4000-8000-000000000000',
  }
  const orphan = { name: 'of-nobody', ownerReferences: [owner] }
  const text = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: orphan })
  await apply(kubectl, text)
  await kubectl.run('wait --for=delete configmap/of-nobody --timeout=120s')
  await apply(kubectl, object('v1', 'Service', 'by-hand', { ports: [{ name: 'web', port: 80 }] }))
  const subsets = [{ addresses: [{ ip: '10.9.8.7' }], ports: [{ name: 'web', port: 80 }] }]
  const endpoints = { apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'by-hand' }, subsets }
  await apply(kubectl, JSON.stringify(endpoints))
  const slices = 'endpointslices -l kubernetes.io/service-name=by-hand -o name'
  await until(kubectl, `get ${slices}`, (said) => said !== '')
  await kubectl.run('create namespace held')
  const held = { name: 'held', finalizers: ['example.com/hold'] }
  const map = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: held })
  await kubectl.run('apply --server-side -n held -f -', map)
  await kubectl.run('delete namespace held --wait=false')
  await kubectl.run('wait --for=condition=NamespaceFinalizersRemaining namespace/held --timeout=120s')
  await kubectl.run('patch configmap held -n held --type=merge -p {"metadata":{"finalizers":null}}')
  await kubectl.run('wait --for=delete namespace/held --timeout=120s')
}

/** One pod fills each machine; a more important one takes the place of one of them. */
async function priorities(kubectl: Kubectl): Promise<void> {
  const [cpu = ''] = (await kubectl.run('get nodes -o jsonpath={.items[*].status.allocatable.cpu}')).split(
    ' ',
  )
  const resources = { requests: { cpu: String(Math.ceil(Number(cpu) * 0.6)) } }
  const important = {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'important' },
  }
  await apply(kubectl, JSON.stringify({ ...important, value: 1000 }))
  const full = { replicas: 3, ...selecting('filling'), template: pod('filling', { resources }) }
  await apply(kubectl, object('apps/v1', 'Deployment', 'filling', full))
  await rolledOut(kubectl, 'deployment/filling')
  const { metadata, spec } = pod('pushing', { resources }) as { metadata: object; spec: object }
  const template = { metadata, spec: { ...spec, priorityClassName: 'important' } }
  const pushing = { replicas: 1, ...selecting('pushing'), template }
  await apply(kubectl, object('apps/v1', 'Deployment', 'pushing', pushing))
  await rolledOut(kubectl, 'deployment/pushing')
  await kubectl.run('wait --for=jsonpath={.status.readyReplicas}=2 deployment/filling --timeout=120s')
  await kubectl.run('scale deployment/pushing --replicas=0')
  await kubectl.run('wait --for=jsonpath={.status.readyReplicas}=3 deployment/filling --timeout=120s')
  await kubectl.run('scale deployment/filling --replicas=0')
}

/** A pod that would be larger than what is left of its machine, until it is left more. */
async function resized(kubectl: Kubectl): Promise<void> {
  const [cpu = ''] = (await kubectl.run('get nodes -o jsonpath={.items[*].status.allocatable.cpu}')).split(
    ' ',
  )
  const spec = (name: string): string => {
    const { metadata, spec } = pod(name, { resources: { requests: { cpu: '1' } } }) as {
      metadata: object
      spec: object
    }
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, name },
      spec: { ...spec, nodeName: 'node-0' },
    })
  }
  for (const name of ['growing', 'beside']) {
    await apply(kubectl, spec(name))
    await kubectl.run(`wait --for=condition=Ready pod/${name} --timeout=120s`)
  }
  const patch = { spec: { containers: [{ name: 'main', resources: { requests: { cpu } } }] } }
  await kubectl.run(`patch pod growing --subresource=resize -p ${JSON.stringify(patch)}`)
  await kubectl.run('wait --for=condition=PodResizePending pod/growing --timeout=120s')
  await kubectl.run('delete pod beside')
  const granted = `--for=jsonpath={.status.containerStatuses[0].allocatedResources.cpu}=${cpu}`
  await kubectl.run(`wait ${granted} pod/growing --timeout=120s`)
}

/** One pod on each machine, none of which waits for one that is off: its pod goes, and finds no other place. */
async function switchedOff(kubectl: Kubectl): Promise<void> {
  const term = { labelSelector: { matchLabels: { app: 'fleeing' } }, topologyKey: 'kubernetes.io/hostname' }
  const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } }
  const tolerations = ['not-ready', 'unreachable'].map((what) => ({
    ...{ key: `node.kubernetes.io/${what}`, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 2 },
  }))
  const { metadata, spec } = pod('fleeing') as { metadata: object; spec: object }
  const template = { metadata, spec: { ...spec, affinity, tolerations } }
  const fleeing = { replicas: 3, ...selecting('fleeing'), template }
  await apply(kubectl, object('apps/v1', 'Deployment', 'fleeing', fleeing))
  await rolledOut(kubectl, 'deployment/fleeing')
  await kubectl.run(`annotate node node-2 ${MACHINE}=off`)
  await kubectl.run('wait --for=condition=Ready=Unknown node/node-2 --timeout=180s')
  await until(
    kubectl,
    'get pods -l app=fleeing -o jsonpath={.items[*].status.conditions[*].reason}',
    (said) => said.includes('Unschedulable'),
  )
  await kubectl.run(`annotate node node-2 ${MACHINE}-`)
  await kubectl.run('wait --for=condition=Ready node/node-2 --timeout=180s')
  await until(kubectl, 'get node node-2 -o jsonpath={.spec.taints}', (said) => said === '')
  await kubectl.run('wait --for=jsonpath={.status.readyReplicas}=3 deployment/fleeing --timeout=120s')
  await until(
    kubectl,
    'get pods -l app=large -o jsonpath={.items[*].status.conditions[*].message}',
    (said) => !said.includes('taint'),
  )
  for (const name of ['web', 'again', 'halted']) await rolledOut(kubectl, `deployment/${name}`)
  await kubectl.run('wait --for=condition=Ready pods -l app=db --timeout=120s')
}
