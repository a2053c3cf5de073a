// Marks tokens in secrets that nobody uses any more as invalid, and deletes them when nobody has minded for as long again.
// Only those that an older cluster made by itself. Follows
// k8s.io/kubernetes/pkg/controller/serviceaccount/legacy_serviceaccount_token_cleaner.go.
import { isConflict, isNotFound } from '../client/api.ts'
import { sleep } from '../client/clock.ts'
import type { Controller, ControllerContext } from '../client/controller.ts'
import type { Pod, Secret, ServiceAccount } from '../client/kinds/core.v1.gen.ts'
import { CONFIG_MAPS, PODS, SECRETS, SERVICE_ACCOUNTS } from '../client/resources.ts'

const NAME = 'legacy-serviceaccount-token-cleaner-controller'
const TRACKING = { namespace: 'kube-system', name: 'kube-apiserver-legacy-service-account-token-tracking' }
const TOKEN_TYPE = 'kubernetes.io/service-account-token'
const LAST_USED = 'kubernetes.io/legacy-token-last-used'
const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since'
const DAY_MS = 24 * 3600_000
/** As upstream: how often it looks. */
const PERIOD_MS = DAY_MS

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10)

/** The beginning of a day, "2026-01-31", in ms since 1970; NaN for other texts. */
function timeOfDay(day: string | undefined): number {
  if (day === undefined || !/^\d{4}-\d\d-\d\d$/.test(day)) return NaN
  const time = Date.parse(day)
  return Number.isNaN(time) || dayOf(time) !== day ? NaN : time
}

export interface TokenUse {
  /** ms since 1970 */
  readonly now: number
  /** How long a token may lie unused. */
  readonly unusedMs: number
  readonly account: ServiceAccount | undefined
  /** Whether a pod of its namespace names the secret. */
  readonly isMounted: () => boolean
}

/** What becomes of one secret; undefined: nothing. */
export function fateOf(secret: Secret, use: TokenUse): 'mark' | 'delete' | undefined {
  const { creationTimestamp = '', deletionTimestamp, labels = {}, name } = secret.metadata
  const border = use.now - use.unusedMs
  if (secret.type !== TOKEN_TYPE || Date.parse(creationTimestamp) >= border) return undefined
  if (deletionTimestamp !== undefined) return undefined
  const lastUsed = labels[LAST_USED]
  if (lastUsed !== undefined && !(timeOfDay(lastUsed) < timeOfDay(dayOf(border)))) return undefined
  // Made by hand: somebody wants it.
  if (!use.account?.secrets?.some((one) => one.name === name) || use.isMounted()) return undefined
  const invalid = timeOfDay(labels[INVALID_SINCE])
  if (Number.isNaN(invalid)) return 'mark'
  return invalid < timeOfDay(dayOf(border)) ? 'delete' : undefined
}

/** Whether uses were noted for long enough to tell that there was none; `since` is the day on which that began. */
export const isTrackedLongEnough = (since: string | undefined, now: number, unusedMs: number): boolean =>
  now >= timeOfDay(since) + DAY_MS + unusedMs

/** Where pods name secrets: keys, and the names below them. */
const REFERENCES: Readonly<Record<string, readonly string[]>> = {
  imagePullSecrets: ['name'],
  secret: ['secretName', 'name'],
  secretRef: ['name'],
  secretKeyRef: ['name'],
  nodePublishSecretRef: ['name'],
  azureFile: ['secretName'],
}

/** Names of the secrets that a pod uses. */
export function secretsOf(value: unknown, found = new Set<string>()): ReadonlySet<string> {
  if (typeof value !== 'object' || value === null) return found
  for (const [key, part] of Object.entries(value)) {
    const names = Object.hasOwn(REFERENCES, key) ? (REFERENCES[key] ?? []) : []
    for (const one of [part].flat() as unknown[]) {
      for (const name of names) {
        const text = (one as Record<string, unknown> | null)?.[name]
        if (typeof text === 'string') found.add(text)
      }
    }
    secretsOf(part, found)
  }
  return found
}

export function legacyTokenCleaner(context: ControllerContext, unusedMs: number): Controller {
  const { informers, clock, log } = context
  const readers = {
    secrets: informers.of(SECRETS).reader,
    accounts: informers.of(SERVICE_ACCOUNTS).reader,
    pods: informers.of(PODS).reader,
  }
  const look = async (): Promise<void> => {
    const tracking = await context.api.get(CONFIG_MAPS, TRACKING)
    if (!isTrackedLongEnough(tracking.data?.['since'], clock.now(), unusedMs)) return
    for (const secret of readers.secrets.list()) {
      const { namespace = '', annotations = {} } = secret.metadata
      const named = readers.accounts.get(
        `${namespace}/${annotations['kubernetes.io/service-account.name'] ?? ''}`,
      )
      const uid = annotations['kubernetes.io/service-account.uid']
      const account = !uid || named?.metadata.uid === uid ? named : undefined
      const isMounted = (): boolean =>
        readers.pods
          .inNamespace(namespace)
          .some(({ spec }: Pod) => secretsOf(spec).has(secret.metadata.name ?? ''))
      const fate = fateOf(secret, { now: clock.now(), unusedMs, account, isMounted })
      if (fate) await meet(context, secret, fate)
    }
  }
  return {
    name: NAME,
    async run(signal) {
      while (!signal.aborted) {
        await look().catch((error: unknown) =>
          log.warn({ error: String(error) }, 'could not look at old tokens'),
        )
        await sleep(clock, PERIOD_MS, signal)
      }
    },
  }
}

async function meet(
  { api, clock, log }: ControllerContext,
  secret: Secret,
  fate: 'mark' | 'delete',
): Promise<void> {
  const { namespace, name = '', uid = '', resourceVersion = '' } = secret.metadata
  const place = { namespace, name }
  const labels = { [INVALID_SINCE]: dayOf(clock.now()) }
  try {
    if (fate === 'mark') await api.patch(SECRETS, place, { metadata: { uid, labels } }, { type: 'merge' })
    else await api.delete(SECRETS, place, { preconditions: { resourceVersion } })
    log.info({ secret: `${namespace}/${name}`, fate }, 'a token that nobody uses')
  } catch (error) {
    if (!isConflict(error) && !isNotFound(error))
      log.warn({ secret: `${namespace}/${name}`, error: String(error) }, 'could not end an old token')
  }
}
