// The work that every cluster of mixed.ts does, by kubectl: roll-outs forth and back, updates of a stateful and a daemon
// set, jobs that end well and badly, deletions that cascade, orphan and wait, a drained node, a namespace that goes.
import {
  apply,
  deployment,
  type Kubectl,
  NAMESPACE,
  object,
  pod,
  rolledOut,
  selecting,
} from './mixed-kubectl.ts'
import { rarities } from './mixed-rarities.ts'

const job = (name: string, spec: object, command: readonly string[]): string => {
  const { metadata, ...template } = pod(name, { command }) as { metadata: object; spec: object }
  return object('batch/v1', 'Job', name, {
    ...spec,
    template: { metadata, spec: { ...template.spec, restartPolicy: 'Never' } },
  })
}

/** Does all of it, so many times over. Rejects where a step fails. */
export async function work(kubectl: Kubectl, rounds: number): Promise<void> {
  await ready(kubectl)
  for (let round = 0; round < rounds; round++) {
    await Promise.all([deployments(kubectl), sets(kubectl), cascades(kubectl)])
    await drain(kubectl)
    // After the drain, which would take the pods of jobs that have ended on that node.
    await jobs(kubectl)
    await autoscalers(kubectl)
    await hopeless(kubectl)
    await rarities(kubectl)
  }
}

/** Nodes and the service account come when the parts are up. */
async function ready(kubectl: Kubectl): Promise<void> {
  await kubectl.run(`create namespace ${NAMESPACE}`)
  await kubectl.run('wait --for=create serviceaccount/default --timeout=120s')
  for (const name of ['node-0', 'node-1', 'node-2'])
    await kubectl.run(`wait --for=create node/${name} --timeout=120s`)
  await kubectl.run('wait --for=condition=Ready nodes --all --timeout=120s')
}

async function deployments(kubectl: Kubectl): Promise<void> {
  await apply(kubectl, deployment('web', 4))
  await apply(kubectl, object('v1', 'Service', 'web', { selector: { app: 'web' }, ports: [{ port: 80 }] }))
  await rolledOut(kubectl, 'deployment/web')
  await kubectl.run('set image deployment/web main=example.com/app:2')
  await rolledOut(kubectl, 'deployment/web')
  await kubectl.run('scale deployment/web --replicas=6')
  await rolledOut(kubectl, 'deployment/web')
  await kubectl.run('set image deployment/web main=example.com/app:3')
  await rolledOut(kubectl, 'deployment/web')
  await kubectl.run('rollout undo deployment/web')
  await rolledOut(kubectl, 'deployment/web')
  const budget = object('policy/v1', 'PodDisruptionBudget', 'web', { minAvailable: 4, ...selecting('web') })
  await apply(kubectl, budget)
}

async function sets(kubectl: Kubectl): Promise<void> {
  const headless = { clusterIP: 'None', selector: { app: 'db' }, ports: [{ port: 80 }] }
  await apply(kubectl, object('v1', 'Service', 'db', headless))
  const spec = { replicas: 3, serviceName: 'db', ...selecting('db'), template: pod('db') }
  await apply(kubectl, object('apps/v1', 'StatefulSet', 'db', spec))
  const daemon = { ...selecting('agent'), template: pod('agent') }
  await apply(kubectl, object('apps/v1', 'DaemonSet', 'agent', daemon))
  await rolledOut(kubectl, 'statefulset/db')
  await rolledOut(kubectl, 'daemonset/agent')
  await kubectl.run('set image statefulset/db main=example.com/app:2')
  await kubectl.run('set image daemonset/agent main=example.com/app:2')
  await rolledOut(kubectl, 'statefulset/db')
  await rolledOut(kubectl, 'daemonset/agent')
  await kubectl.run('scale statefulset/db --replicas=2')
  await kubectl.run('wait --for=delete pod/db-2 --timeout=120s')
}

async function jobs(kubectl: Kubectl): Promise<void> {
  await apply(kubectl, job('good', { completions: 3, parallelism: 2 }, ['sleep', '1']))
  await apply(kubectl, job('bad', { backoffLimit: 0 }, ['false']))
  const indexed = { completions: 3, parallelism: 3, completionMode: 'Indexed' }
  await apply(kubectl, job('indexed', indexed, ['true']))
  await kubectl.run('wait --for=condition=Complete job/good job/indexed --timeout=120s')
  await kubectl.run('wait --for=condition=Failed job/bad --timeout=120s')
  await apply(kubectl, job('late', { activeDeadlineSeconds: 2 }, ['sleep', '60']))
  await kubectl.run('wait --for=condition=Failed job/late --timeout=120s')
  await apply(kubectl, job('paused', { suspend: true }, ['true']))
  await kubectl.run('wait --for=condition=Suspended job/paused --timeout=120s')
  await kubectl.run('patch job paused --patch {"spec":{"suspend":false}}')
  await kubectl.run('wait --for=condition=Complete job/paused --timeout=120s')
  const once = { schedule: '0 0 1 1 *', suspend: true, jobTemplate: { spec: {} } }
  const { metadata, ...template } = pod('nightly') as { metadata: object; spec: object }
  once.jobTemplate.spec = { template: { metadata, spec: { ...template.spec, restartPolicy: 'Never' } } }
  await apply(kubectl, object('batch/v1', 'CronJob', 'nightly', once))
}

/** Nobody measures anything here: they say so, each in its own words, and leave their targets alone. */
async function autoscalers(kubectl: Kubectl): Promise<void> {
  const cpu = { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } }
  const spec = (name: string): object => ({
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
    ...{ minReplicas: 1, maxReplicas: 10, metrics: [{ type: 'Resource', resource: cpu }] },
  })
  for (const name of ['web', 'nosuch'])
    await apply(kubectl, object('autoscaling/v2', 'HorizontalPodAutoscaler', name, spec(name)))
  await kubectl.run('wait --for=condition=ScalingActive=False hpa/web --timeout=120s')
  await kubectl.run('wait --for=condition=AbleToScale=False hpa/nosuch --timeout=120s')
}

/** Pods that fit nowhere, and a roll-out that gets nowhere: who says what of them. */
async function hopeless(kubectl: Kubectl): Promise<void> {
  const large = pod('large', { resources: { requests: { cpu: '1000' } } })
  const spec = { replicas: 1, progressDeadlineSeconds: 3, ...selecting('large'), template: large }
  await apply(kubectl, object('apps/v1', 'Deployment', 'large', spec))
  await kubectl.run('wait --for=condition=Progressing=False deployment/large --timeout=120s')
  const quota = { hard: { pods: '0' } }
  await kubectl.run('create namespace full')
  await kubectl.run('apply --server-side -n full -f -', object('v1', 'ResourceQuota', 'none', quota))
  await kubectl.run('wait --for=jsonpath={.status.hard.pods}=0 resourcequota/none -n full --timeout=120s')
  await kubectl.run('create deployment refused --image=example.com/app:1 -n full')
  await kubectl.run('wait --for=condition=ReplicaFailure deployment/refused -n full --timeout=120s')
}

/** Dependents go with their owner, before it, or stay without it; and a namespace goes with all that is in it. */
async function cascades(kubectl: Kubectl): Promise<void> {
  await apply(
    kubectl,
    [deployment('behind', 2), deployment('before', 2), deployment('orphans', 2)].join('\n'),
  )
  for (const name of ['behind', 'before', 'orphans']) await rolledOut(kubectl, `deployment/${name}`)
  await kubectl.run('delete deployment behind --cascade=background')
  await kubectl.run('delete deployment before --cascade=foreground')
  await kubectl.run('delete deployment orphans --cascade=orphan')
  for (const name of ['behind', 'before'])
    await kubectl.run(`wait --for=delete replicasets,pods -l app=${name} --timeout=120s`)
  await kubectl.run('create namespace doomed')
  await kubectl.run('create configmap left --from-literal=a=b -n doomed')
  await kubectl.run('create deployment left --image=example.com/app:1 -n doomed')
  await kubectl.run('rollout status deployment/left -n doomed --timeout=120s')
  await kubectl.run('delete namespace doomed --timeout=120s')
}

/** Nothing but the daemon's pod stays on the node; then it may be used again. */
async function drain(kubectl: Kubectl): Promise<void> {
  await kubectl.run('drain node-1 --ignore-daemonsets --force --timeout=120s')
  await rolledOut(kubectl, 'deployment/web')
  await rolledOut(kubectl, 'statefulset/db')
  await kubectl.run('wait --for=jsonpath={.status.currentHealthy}=6 poddisruptionbudget/web --timeout=120s')
  await kubectl.run('wait --for=jsonpath={.status.readyReplicas}=2 replicasets -l app=orphans --timeout=120s')
  await kubectl.run('uncordon node-1')
}
