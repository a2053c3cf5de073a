// What parts that are processes of their own share: the API server behind their kubeconfig, and their election.
// Follows k8s.io/component-base/config/options and k8s.io/kubernetes/cmd/kube-controller-manager/app/options.
import { dirname } from 'node:path'
import type { Api } from '../../client/api.ts'
import { SYSTEM_CLOCK } from '../../client/clock.ts'
import type { ElectionOptions } from '../../client/election.ts'
import type { Http2Options } from '../../client/http2.ts'
import { clientOptions } from '../../client/kubeconfig.ts'
import { electionIdentity } from '../controllers/part.ts'
import { boolean, durationMs, oneOf, text, type TextFlagWithDefault } from '../flags.ts'
import { StartError } from '../options.ts'
import { yamlFile } from '../access/webhookfile.ts'

/** Flags of the election of a part of this name. */
export const electionFlags = (part: string) => ({
  'leader-elect': boolean('of several processes one works', true),
  'leader-elect-lease-duration': text('how long a lease is waited for', 'DURATION', '15s'),
  'leader-elect-renew-deadline': text('how long its holder tries to renew it', 'DURATION', '10s'),
  'leader-elect-retry-period': text('how often all try', 'DURATION', '2s'),
  'leader-elect-resource-name': text('name of the Lease', 'NAME', part),
  'leader-elect-resource-namespace': text('its namespace', 'NAME', 'kube-system'),
  'leader-elect-resource-lock': oneOf('accepted for compatibility', ['leases'], 'leases'),
})

type ElectionTexts = {
  readonly [
    K in keyof ReturnType<typeof electionFlags> as ReturnType<
      typeof electionFlags
    >[K] extends TextFlagWithDefault
      ? K
      : never
  ]: string
}

/** Throws StartError for times that cannot work together. */
export function electionOf(flags: ElectionTexts, api: Api): ElectionOptions {
  const seconds = (flag: 'lease-duration' | 'renew-deadline' | 'retry-period'): number =>
    durationMs(`leader-elect-${flag}`, flags[`leader-elect-${flag}`]) / 1000
  const [leaseSeconds, renewDeadlineSeconds, retrySeconds] = [
    seconds('lease-duration'),
    seconds('renew-deadline'),
    seconds('retry-period'),
  ]
  if (!(leaseSeconds > renewDeadlineSeconds && renewDeadlineSeconds > retrySeconds && retrySeconds > 0)) {
    throw new StartError(
      '--leader-elect-lease-duration must be longer than --leader-elect-renew-deadline, and that longer than --leader-elect-retry-period',
    )
  }
  return {
    api,
    clock: SYSTEM_CLOCK,
    namespace: flags['leader-elect-resource-namespace'],
    name: flags['leader-elect-resource-name'],
    identity: electionIdentity(),
    leaseSeconds,
    renewDeadlineSeconds,
    retrySeconds,
  }
}

/** The server of a kubeconfig's current context, or of `context`. Throws StartError. */
export async function remoteServer(
  kubeconfig: string | undefined,
  master?: string | undefined,
  context?: string,
): Promise<Http2Options> {
  if (kubeconfig === undefined)
    throw new StartError('--kubeconfig is needed: the API server, and who we are there')
  const file = await yamlFile(kubeconfig)
  const config = context === undefined ? file : { ...file, 'current-context': context }
  try {
    const options = clientOptions(config, dirname(kubeconfig))
    return master === undefined ? options : { ...options, server: master }
  } catch (error) {
    throw new StartError(`${kubeconfig}: ${error instanceof Error ? error.message : String(error)}`, error)
  }
}
