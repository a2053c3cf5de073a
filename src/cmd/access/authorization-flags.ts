// Flags of `dinghy apiserver` about who decides on requests.
// Follows k8s.io/kubernetes/pkg/kubeapiserver/options/authorization.go.
import { type AuthorizationMode, AUTHORIZATION_MODES, parseModes } from '../../authz/chain.ts'
import { durationMs, text, type Values } from '../flags.ts'
import { type ApiServerOptions, StartError } from '../options.ts'

export const AUTHORIZATION_FLAGS = {
  'authorization-mode': text(
    `who decides, in order: ${AUTHORIZATION_MODES.join(', ')} (default AlwaysAllow without --authorization-config)`,
    'MODES',
  ),
  'authorization-policy-file': text('policies of the mode ABAC, one a line', 'FILE'),
  'authorization-webhook-config-file': text('kubeconfig of the server that the mode Webhook asks', 'FILE'),
  'authorization-webhook-version': text(
    'of the SubjectAccessReview that it is sent: v1, v1beta1 (default v1beta1)',
    'VERSION',
  ),
  'authorization-webhook-cache-authorized-ttl': text(
    'how long its answers are remembered that allow (default 5m0s)',
    'DURATION',
  ),
  'authorization-webhook-cache-unauthorized-ttl': text('how long the others are (default 30s)', 'DURATION'),
  'authorization-config': text('file that names who decides, in the place of the other flags', 'FILE'),
} as const

type Flags = Values<typeof AUTHORIZATION_FLAGS>
type Authorization = Pick<
  ApiServerOptions,
  'authorizationModes' | 'authorizationWebhook' | 'authorizationPolicyFile' | 'authorizationConfigFile'
>

/** Throws StartError for what contradicts itself. */
export function authorizationOptions(flags: Flags): Authorization {
  const { 'authorization-config': file, 'authorization-policy-file': policyFile } = flags
  const old = [
    'authorization-mode',
    'authorization-webhook-config-file',
    'authorization-webhook-version',
    'authorization-webhook-cache-authorized-ttl',
    'authorization-webhook-cache-unauthorized-ttl',
  ] as const
  if (file !== undefined) {
    if (old.some((flag) => flags[flag] !== undefined))
      throw new StartError(
        '--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are defined',
      )
    return { authorizationModes: [], authorizationConfigFile: file, ...policies(policyFile) }
  }
  const modes = modesOf(flags['authorization-mode'] ?? 'AlwaysAllow')
  checkFiles(modes, flags)
  return { authorizationModes: modes, ...policies(policyFile), ...webhook(flags) }
}

const policies = (file: string | undefined): Partial<Authorization> =>
  file === undefined ? {} : { authorizationPolicyFile: file }

function modesOf(value: string): AuthorizationMode[] {
  try {
    return parseModes(value)
  } catch (error) {
    throw new StartError(`--authorization-mode: ${(error as Error).message}`, error)
  }
}

/** Modes and their files go together. */
function checkFiles(modes: readonly AuthorizationMode[], flags: Flags): void {
  const { 'authorization-policy-file': policyFile, 'authorization-webhook-config-file': configFile } = flags
  if (modes.includes('ABAC') && !policyFile)
    throw new StartError("authorization-mode ABAC's authorization policy file not passed")
  if (modes.includes('Webhook') && !configFile)
    throw new StartError("authorization-mode Webhook's authorization config file not passed")
  if (policyFile && !modes.includes('ABAC'))
    throw new StartError('cannot specify --authorization-policy-file without mode ABAC')
  if (configFile && !modes.includes('Webhook'))
    throw new StartError('cannot specify --authorization-webhook-config-file without mode Webhook')
}

function webhook(flags: Flags): Partial<Authorization> {
  const configFile = flags['authorization-webhook-config-file']
  if (configFile === undefined) return {}
  const version = flags['authorization-webhook-version'] ?? 'v1beta1'
  if (version !== 'v1' && version !== 'v1beta1')
    throw new StartError(
      `unsupported webhook authorizer version ${JSON.stringify(version)}, supported versions are "v1", "v1beta1"`,
    )
  const ttl = (flag: 'authorized' | 'unauthorized', preset: string): number => {
    const name = `authorization-webhook-cache-${flag}-ttl` as const
    return durationMs(name, flags[name] ?? preset)
  }
  return {
    authorizationWebhook: {
      configFile,
      version,
      authorizedTtlMs: ttl('authorized', '5m0s'),
      unauthorizedTtlMs: ttl('unauthorized', '30s'),
    },
  }
}
