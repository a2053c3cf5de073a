// The rows of the controllers that make pods, and of those that keep their makers in order.
// Follows k8s.io/kubernetes/cmd/kube-controller-manager/app/{apps,batch,core}.go.
import type { ControllerRow } from './row.ts'

export const WORKLOADS: readonly ControllerRow[] = [
  {
    name: 'replicaset-controller',
    alias: 'replicaset',
    user: 'replicaset-controller',
    make: async (context, { workers }) =>
      (await import('../../controllers/replicaset/kinds.ts')).replicaSetController(
        context,
        workers.replicaset,
      ),
  },
  {
    name: 'replicationcontroller-controller',
    alias: 'replicationcontroller',
    user: 'replication-controller',
    make: async (context, { workers }) =>
      (await import('../../controllers/replicaset/kinds.ts')).replicationControllerController(
        context,
        workers.rc,
      ),
  },
  {
    name: 'deployment-controller',
    alias: 'deployment',
    user: 'deployment-controller',
    make: async (context, { workers }) =>
      (await import('../../controllers/deployment/sync.ts')).deploymentController(
        context,
        workers.deployment,
      ),
  },
  {
    name: 'statefulset-controller',
    alias: 'statefulset',
    user: 'statefulset-controller',
    make: async (context, { workers }) =>
      (await import('../../controllers/statefulset/sync.ts')).statefulSetController(
        context,
        workers.statefulset,
      ),
  },
  {
    name: 'daemonset-controller',
    alias: 'daemonset',
    user: 'daemon-set-controller',
    make: async (context, { workers }) =>
      (await import('../../controllers/daemonset/sync.ts')).daemonSetController(context, workers.daemonset),
  },
  {
    name: 'job-controller',
    alias: 'job',
    user: 'job-controller',
    make: async (context, { workers }) =>
      (await import('../../controllers/job/sync.ts')).jobController(context, workers.job),
  },
  {
    name: 'cronjob-controller',
    alias: 'cronjob',
    user: 'cronjob-controller',
    make: async (context, { workers }) =>
      (await import('../../controllers/cronjob/sync.ts')).cronJobController(context, workers['cron-job']),
  },
  {
    name: 'ttl-after-finished-controller',
    alias: 'ttl-after-finished',
    user: 'ttl-after-finished-controller',
    make: async (context, { workers }) =>
      (await import('../../controllers/ttl-after-finished.ts')).ttlAfterFinishedController(
        context,
        workers['ttl-after-finished'],
      ),
  },
]
