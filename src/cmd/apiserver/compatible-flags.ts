// Flags of kube-apiserver that are taken and change nothing here, so that scripts and test suites that give them start.
// A warning says so for each. Follows k8s.io/kubernetes/cmd/kube-apiserver/app/options and k8s.io/apiserver/pkg/server/options.
import { type BooleanFlag, type RepeatedFlag, repeated } from '../flags.ts'

const HELP = 'accepted for compatibility; changes nothing'

const VALUES = [
  'allow-metric-labels',
  'allow-metric-labels-manifest',
  'apiserver-count',
  'coordinated-leadership-lease-duration',
  'coordinated-leadership-renew-deadline',
  'coordinated-leadership-retry-period',
  'cors-allowed-origins',
  'debug-socket-path',
  'default-not-ready-toleration-seconds',
  'default-unreachable-toleration-seconds',
  'default-watch-cache-size',
  'delete-collection-workers',
  'disabled-metrics',
  'emulated-version',
  'endpoint-reconciler-type',
  'etcd-count-metric-poll-period',
  'etcd-db-metric-poll-interval',
  'etcd-healthcheck-timeout',
  'etcd-readycheck-timeout',
  'external-hostname',
  'feature-gates',
  'goaway-chance',
  'http2-max-streams-per-connection',
  'kubelet-timeout',
  'lease-reuse-duration-seconds',
  'livez-grace-period',
  'log-flush-frequency',
  'log-json-info-buffer-size',
  'log-text-info-buffer-size',
  'logging-format',
  'max-connection-bytes-per-sec',
  'max-resource-write-bytes',
  'min-compatibility-version',
  'min-request-timeout',
  'peer-advertise-ip',
  'peer-advertise-port',
  'peer-ca-file',
  'request-timeout',
  'runtime-config',
  'show-hidden-metrics-for-version',
  'shutdown-delay-duration',
  'shutdown-watch-termination-grace-period',
  'storage-initialization-timeout',
  'storage-media-type',
  'strict-transport-security-directives',
  'tls-cipher-suites',
  'tls-curve-preferences',
  'tls-min-version',
  'tls-sni-cert-key',
  'tracing-config-file',
  'vmodule',
] as const

const SWITCHES = [
  'aggregator-reject-forwarding-redirect',
  'contention-profiling',
  'emulation-forward-compatible',
  'enable-garbage-collector',
  'enable-logs-handler',
  'log-json-split-stream',
  'log-text-split-stream',
  'permit-address-sharing',
  'permit-port-sharing',
  'profiling',
  'runtime-config-emulation-forward-compatible',
  'shutdown-send-retry-after',
  'unsupported-emulation-forward-compatible',
] as const

const SWITCH: BooleanFlag = { kind: 'boolean', help: HELP, default: undefined }

type Compatible = Readonly<Record<(typeof VALUES)[number], RepeatedFlag>> &
  Readonly<Record<(typeof SWITCHES)[number], BooleanFlag>>

/** Merged into a command's own flags. */
export const COMPATIBLE_FLAGS = {
  ...Object.fromEntries(VALUES.map((name) => [name, repeated(HELP, 'VALUE')])),
  ...Object.fromEntries(SWITCHES.map((name) => [name, SWITCH])),
} as Compatible

/** Those of them that were given. */
export function compatibleGiven(flags: Readonly<Record<string, unknown>>): string[] {
  return [...VALUES, ...SWITCHES].filter((name) => flags[name] !== undefined)
}
