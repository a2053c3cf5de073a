// Flags of kube-apiserver that are taken and change nothing here, so that scripts and test suites that give them start.
// A warning says so for each. Follows k8s.io/kubernetes/cmd/kube-apiserver/app/options and k8s.io/apiserver/pkg/server/options.
import { type BooleanFlag, type RepeatedFlag, repeated } from './flags.ts'

const HELP = 'accepted for compatibility; changes nothing'

const VALUES = [
  'apiserver-count',
  'cors-allowed-origins',
  'default-not-ready-toleration-seconds',
  'default-unreachable-toleration-seconds',
  'default-watch-cache-size',
  'delete-collection-workers',
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
  'logging-format',
  'max-connection-bytes-per-sec',
  'max-resource-write-bytes',
  'min-request-timeout',
  'request-timeout',
  'runtime-config',
  'shutdown-delay-duration',
  'shutdown-watch-termination-grace-period',
  'storage-initialization-timeout',
  'storage-media-type',
  'strict-transport-security-directives',
  'tls-cipher-suites',
  'tls-min-version',
  'tls-sni-cert-key',
  'tracing-config-file',
  'vmodule',
] as const

const SWITCHES = [
  'aggregator-reject-forwarding-redirect',
  'contention-profiling',
  'enable-garbage-collector',
  'enable-logs-handler',
  'log-text-split-stream',
  'permit-address-sharing',
  'permit-port-sharing',
  'profiling',
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
