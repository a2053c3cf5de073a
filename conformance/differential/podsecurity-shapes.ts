// Random pods, and what makes pods, with all that the levels of pod security look at. Used by podsecurity.ts.
import type { JsonObject } from '../../src/machinery/json.ts'
import type { Draw } from './mutations.ts'
import { perhaps, several } from './both.ts'

const LABELS = ['enforce', 'warn', 'audit']
const LEVELS = ['privileged', 'baseline', 'baseline', 'restricted', 'restricted', 'Baseline', '']
const VERSIONS = ['latest', ...Array.from({ length: 38 }, (_, i) => `v1.${i}`), 'v2.0', '1.20', 'v1.x', '']

/** Takes all of them away. */
export const NO_LABELS: JsonObject = Object.fromEntries(
  LABELS.flatMap((mode) => [mode, `${mode}-version`]).map((name) => [
    `pod-security.kubernetes.io/${name}`,
    null,
  ]),
)

/** What a namespace says of its pods; now and then what means nothing. */
export function podSecurityLabels(draw: Draw): JsonObject {
  const labels: JsonObject = {}
  for (const mode of LABELS) {
    const level = draw.chance(0.95) ? draw.of(LEVELS.slice(0, 5)) : draw.of(LEVELS)
    if (draw.chance(0.75)) labels[`pod-security.kubernetes.io/${mode}`] = level
    const version = draw.chance(0.95) ? draw.of(VERSIONS.slice(0, 38)) : draw.of(VERSIONS)
    if (draw.chance(0.7)) labels[`pod-security.kubernetes.io/${mode}-version`] = version
  }
  return labels
}

const CAPABILITIES = [
  'ALL',
  'NET_BIND_SERVICE',
  'NET_RAW',
  'SYS_ADMIN',
  'CHOWN',
  'AUDIT_WRITE',
  'SETPCAP',
  'net_raw',
]
const SECCOMP: readonly JsonObject[] = [
  { type: 'RuntimeDefault' },
  { type: 'RuntimeDefault' },
  { type: 'Unconfined' },
  { type: 'Localhost', localhostProfile: 'x.json' },
]
const APPARMOR: readonly JsonObject[] = [
  { type: 'RuntimeDefault' },
  { type: 'Unconfined' },
  { type: 'Localhost', localhostProfile: 'x' },
]
const SELINUX: readonly JsonObject[] = [
  { type: 'container_t' },
  { type: 'container_init_t' },
  { type: 'container_kvm_t' },
  { type: 'container_engine_t' },
  { type: 'spc_t' },
  { user: 'u' },
  { role: 'r', type: 'x' },
  { level: 's0' },
]
const VOLUMES: readonly JsonObject[] = [
  { emptyDir: {} },
  { configMap: { name: 'c' } },
  { hostPath: { path: '/' } },
  { secret: { secretName: 's' } },
  { nfs: { server: 's', path: '/' } },
  { csi: { driver: 'd.example.com' } },
  { downwardAPI: {} },
  { persistentVolumeClaim: { claimName: 'c' } },
  { projected: { sources: [] } },
  {
    ephemeral: {
      volumeClaimTemplate: {
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1' } } },
      },
    },
  },
  { iscsi: { targetPortal: '10.0.0.1', iqn: 'iqn.2001-04.com.example:x', lun: 0 } },
  { image: { reference: 'i' } },
  { gitRepo: { repository: 'r' } },
]
const SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.ip_unprivileged_port_start',
  'kernel.msgmax',
  'net.ipv4.ip_local_reserved_ports',
  'net/ipv4/tcp_syncookies',
]

/** What pods and containers both may say. */
const shared = (draw: Draw): JsonObject => ({
  ...perhaps(draw, 0.35, () => ({ runAsNonRoot: draw.chance(0.75) })),
  ...perhaps(draw, 0.2, () => ({ runAsUser: draw.of([0, 1000]) })),
  ...perhaps(draw, 0.4, () => ({ seccompProfile: draw.of(SECCOMP) })),
  ...perhaps(draw, 0.12, () => ({ seLinuxOptions: draw.of(SELINUX) })),
  ...perhaps(draw, 0.1, () => ({ appArmorProfile: draw.of(APPARMOR) })),
  ...perhaps(draw, 0.05, () => ({
    windowsOptions: draw.of<JsonObject>([{ hostProcess: true }, { hostProcess: false }, {}]),
  })),
})

function containerOf(draw: Draw, name: string): JsonObject {
  const securityContext = {
    ...shared(draw),
    ...perhaps(draw, 0.1, () => ({ privileged: draw.chance(0.5) })),
    ...perhaps(draw, 0.6, () => ({ allowPrivilegeEscalation: draw.chance(0.15) })),
    ...perhaps(draw, 0.6, () => ({
      capabilities: {
        ...perhaps(draw, 0.8, () => ({
          drop: draw.chance(0.8) ? ['ALL'] : several(draw, CAPABILITIES, 1, 2),
        })),
        ...perhaps(draw, 0.3, () => ({ add: several(draw, CAPABILITIES, 1, 3) })),
      },
    })),
    ...perhaps(draw, 0.05, () => ({ procMount: draw.of(['Default', 'Unmasked']) })),
  }
  const handler = draw.of<JsonObject>([
    { httpGet: { port: 80, host: draw.of(['', '127.0.0.1', 'example.com']) } },
    { tcpSocket: { port: 80, host: draw.of(['', 'example.com', '10.0.0.1']) } },
    { exec: { command: ['x'] } },
  ])
  return {
    name,
    image: 'i',
    ...perhaps(draw, 0.85, () => ({ securityContext })),
    ...perhaps(draw, 0.15, () => ({
      ports: [{ containerPort: 80, ...perhaps(draw, 0.6, () => ({ hostPort: draw.of([80, 0, 8080]) })) }],
    })),
    ...perhaps(draw, 0.1, () => ({
      [draw.of(['livenessProbe', 'readinessProbe', 'startupProbe'])]: handler,
    })),
    ...perhaps(draw, 0.08, () => ({ lifecycle: { [draw.of(['preStop', 'postStart'])]: handler } })),
  }
}

const containers = (draw: Draw, prefix: string, most: number): JsonObject[] =>
  Array.from({ length: draw.of([1, 1, 2, most]) }, (_, i) => containerOf(draw, `${prefix}${i}`))

/** Annotations, and the pod's spec. */
export function podOf(draw: Draw): { annotations: JsonObject; spec: JsonObject } {
  const sysctls = several(draw, SYSCTLS, 1, 2).map((name) => ({ name, value: '1' }))
  const volumes = several(draw, VOLUMES, 1, 3).map((volume, i) => ({ name: `v${i}`, ...volume }))
  const security = { ...shared(draw), ...perhaps(draw, 0.12, () => ({ sysctls })) }
  const spec: JsonObject = {
    containers: containers(draw, 'c', 3),
    ...perhaps(draw, 0.2, () => ({
      initContainers: containers(draw, 'i', 2).map((one) => ({
        ...one,
        ...perhaps(draw, 0.3, () => ({ restartPolicy: 'Always' })),
      })),
    })),
    ...perhaps(draw, 0.75, () => ({ securityContext: security })),
    ...perhaps(draw, 0.3, () => ({ volumes })),
    ...perhaps(draw, 0.1, () => ({ [draw.of(['hostNetwork', 'hostPID', 'hostIPC'])]: draw.chance(0.8) })),
    ...perhaps(draw, 0.08, () => ({ hostUsers: draw.chance(0.3) })),
    ...perhaps(draw, 0.12, () => ({ os: { name: draw.of(['linux', 'windows', 'windows']) } })),
    ...perhaps(draw, 0.04, () => ({ runtimeClassName: draw.of(['exempt-class', 'other-class']) })),
  }
  const annotations = {
    ...perhaps(draw, 0.06, () => ({
      'container.apparmor.security.beta.kubernetes.io/c0': draw.of([
        'runtime/default',
        'unconfined',
        'localhost/x',
        'bad',
      ]),
    })),
    ...perhaps(draw, 0.06, () => ({
      [draw.of([
        'seccomp.security.alpha.kubernetes.io/pod',
        'container.seccomp.security.alpha.kubernetes.io/c0',
      ])]: draw.of(['runtime/default', 'unconfined', 'localhost/x', 'docker/default']),
    })),
  }
  return { annotations, spec }
}

/** Where what makes pods lies, and how it is worded around a template. */
export interface Maker {
  readonly kind: string
  readonly apiVersion: string
  readonly resource: string
  wrap(template: JsonObject): JsonObject
}

const selector = { matchLabels: { app: 'a' } }
const around = (template: JsonObject): JsonObject => ({ spec: { selector, template } })
const restarting = (template: JsonObject): JsonObject => ({
  ...template,
  spec: { ...(template['spec'] as JsonObject), restartPolicy: 'Never' },
})
export const MAKERS: readonly Maker[] = [
  { kind: 'Deployment', apiVersion: 'apps/v1', resource: 'deployments', wrap: around },
  { kind: 'ReplicaSet', apiVersion: 'apps/v1', resource: 'replicasets', wrap: around },
  { kind: 'DaemonSet', apiVersion: 'apps/v1', resource: 'daemonsets', wrap: around },
  {
    kind: 'StatefulSet',
    apiVersion: 'apps/v1',
    resource: 'statefulsets',
    wrap: (template) => ({ spec: { selector, serviceName: 's', template } }),
  },
  {
    kind: 'Job',
    apiVersion: 'batch/v1',
    resource: 'jobs',
    wrap: (template) => ({ spec: { template: restarting(template) } }),
  },
  {
    kind: 'CronJob',
    apiVersion: 'batch/v1',
    resource: 'cronjobs',
    wrap: (template) => ({
      spec: { schedule: '* * * * *', jobTemplate: { spec: { template: restarting(template) } } },
    }),
  },
  {
    kind: 'ReplicationController',
    apiVersion: 'v1',
    resource: 'replicationcontrollers',
    wrap: (template) => ({ spec: { selector: { app: 'a' }, template } }),
  },
  { kind: 'PodTemplate', apiVersion: 'v1', resource: 'podtemplates', wrap: (template) => ({ template }) },
]

export const rootOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
