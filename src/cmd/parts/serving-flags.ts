// The flags that every part with a port of its own has: its certificate, whom it believes, and those of upstream's that
// change nothing here, so that manifests which give them start. Follows k8s.io/apiserver/pkg/server/options
// (SecureServingOptions, DelegatingAuthenticationOptions) and k8s.io/component-base/logs/api/v1.
import { readFileSync } from 'node:fs'
import { type BooleanFlag, listOf, oneOf, type RepeatedFlag, repeated, text, type Values } from '../flags.ts'
import { StartError } from '../options.ts'
import type { ServingOptions } from './secure-serving.ts'

const HELP = 'accepted for compatibility; changes nothing'

/** By upstream's names; Go's way of saying them. */
const TLS_VERSIONS = { VersionTLS12: 'TLSv1.2', VersionTLS13: 'TLSv1.3' } as const

/** Flags that are taken and change nothing: those with a value, and those that are on or off. */
export const accepted = <V extends string, S extends string>(
  values: readonly V[],
  switches: readonly S[],
): Readonly<Record<V, RepeatedFlag>> & Readonly<Record<S, BooleanFlag>> => {
  const flag: BooleanFlag = { kind: 'boolean', help: HELP, default: undefined }
  return {
    ...Object.fromEntries(values.map((name) => [name, repeated(HELP, 'VALUE')])),
    ...Object.fromEntries(switches.map((name) => [name, flag])),
  } as Readonly<Record<V, RepeatedFlag>> & Readonly<Record<S, BooleanFlag>>
}

/** Of flags that change nothing, those that were given. */
export const vain = (
  flags: Readonly<Record<string, { readonly help: string }>>,
  given: Readonly<Record<string, unknown>>,
): string[] => Object.keys(flags).filter((name) => flags[name]?.help === HELP && given[name] !== undefined)

export const SERVING_FLAGS = {
  'bind-address': text('address to listen on', 'ADDRESS', '0.0.0.0'),
  'tls-cert-file': text('serving certificate, PEM', 'FILE'),
  'tls-private-key-file': text('its key, PEM', 'FILE'),
  'tls-min-version': oneOf('the oldest TLS that is spoken', Object.keys(TLS_VERSIONS), 'VersionTLS12'),
  'client-ca-file': text("CAs of callers' certificates, PEM", 'FILE'),
  'authorization-always-allow-paths': listOf(
    'paths that nobody needs to be known for (/healthz,/readyz,/livez)',
    'PATHS',
  ),
  'authentication-kubeconfig': text('accepted for compatibility; --kubeconfig is asked', 'FILE'),
  'authorization-kubeconfig': text('accepted for compatibility; --kubeconfig is asked', 'FILE'),
  ...accepted(
    [
      'allow-metric-labels',
      'allow-metric-labels-manifest',
      'authentication-token-webhook-cache-ttl',
      'authorization-webhook-cache-authorized-ttl',
      'authorization-webhook-cache-unauthorized-ttl',
      'cert-dir',
      'disabled-metrics',
      'emulated-version',
      'feature-gates',
      'http2-max-streams-per-connection',
      'log-flush-frequency',
      'log-json-info-buffer-size',
      'log-text-info-buffer-size',
      'logging-format',
      'min-compatibility-version',
      'requestheader-allowed-names',
      'requestheader-client-ca-file',
      'requestheader-extra-headers-prefix',
      'requestheader-group-headers',
      'requestheader-uid-headers',
      'requestheader-username-headers',
      'show-hidden-metrics-for-version',
      'tls-cipher-suites',
      'tls-curve-preferences',
      'tls-sni-cert-key',
      'vmodule',
    ],
    [
      'authentication-skip-lookup',
      'authentication-tolerate-lookup-failure',
      'contention-profiling',
      'disable-http2-serving',
      'log-json-split-stream',
      'log-text-split-stream',
      'permit-address-sharing',
      'permit-port-sharing',
      'profiling',
    ],
  ),
} as const

type Given = Values<typeof SERVING_FLAGS>

type FromFlags = Pick<
  ServingOptions,
  'host' | 'certFile' | 'keyFile' | 'clientCa' | 'openPaths' | 'minVersion'
>

/** Throws StartError for a file that cannot be read. */
export function servingOptions(flags: Given): FromFlags {
  const openPaths = flags['authorization-always-allow-paths']
  return {
    host: flags['bind-address'],
    certFile: flags['tls-cert-file'],
    keyFile: flags['tls-private-key-file'],
    clientCa: authoritiesOf(flags['client-ca-file']),
    minVersion: TLS_VERSIONS[flags['tls-min-version'] as keyof typeof TLS_VERSIONS],
    ...(openPaths && { openPaths }),
  }
}

function authoritiesOf(file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new StartError(`--client-ca-file: ${(error as Error).message}`, error)
  }
}
