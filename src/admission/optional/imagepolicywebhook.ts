// ImagePolicyWebhook: another server says which images may run. Its answers are remembered for a while.
// Follows plugin/pkg/admission/imagepolicy.
import { askAgain, WEBHOOK_BACKOFF, type Backoff } from '../../machinery/askagain.ts'
import { formatDuration } from '../../machinery/duration.ts'
import { ExpiringMap } from '../../machinery/expiringmap.ts'
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { forbid } from '../forbid.ts'
import { type AdmissionAttributes, type AdmissionPlugin, type AdmissionTarget, isFor } from '../plugin.ts'
import { type Pod, PODS } from '../shapes.ts'

/** How the webhook is asked. */
export interface ImagePolicyNeeds {
  /** POSTs JSON to the server that a kubeconfig names; rejects with an Error. */
  post(body: Buffer): Promise<JsonObject>
  now(): number
  wait(ms: number): Promise<void>
}

/** What the configuration says. */
export interface ImagePolicySettings {
  readonly kubeConfigFile: string
  /** How long answers are remembered; 0: they are not. */
  readonly allowTtlMs: number
  readonly denyTtlMs: number
  readonly backoff: Backoff
  /** What a webhook that cannot be asked comes to. */
  readonly allowsByDefault: boolean
}

const KIND = 'ImageReview'
const VERSION = 'imagepolicy.k8s.io/v1alpha1'
const EPHEMERAL = 'ephemeralcontainers'
/** Before what is said to the audit log. */
const AUDIT_PREFIX = 'imagepolicywebhook.image-policy.k8s.io/'
/** Annotations of pods that the webhook is told of. */
const TOLD = '.image-policy.k8s.io/'
/** Answers that are remembered, as upstream's bound. */
const MAX_ANSWERS = 1024

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const NANOSECONDS_PER_MS = 1_000_000

/** Throws an Error with one line of text for a configuration that is none. */
export function imagePolicySettings(configuration: JsonObject | undefined): ImagePolicySettings {
  if (!configuration) throw new Error('ImagePolicyWebhook: no config specified')
  const given = isObject(configuration['imagePolicy']) ? configuration['imagePolicy'] : {}
  const { kubeConfigFile } = given
  if (typeof kubeConfigFile !== 'string' || kubeConfigFile === '')
    throw new Error('ImagePolicyWebhook: imagePolicy.kubeConfigFile is required')
  const ttl = (field: string, preset: number): number =>
    durationOf(given[field], { scale: SECOND_MS, min: SECOND_MS, max: 30 * MINUTE_MS, preset })
  const backoff = { scale: 1, min: 1 / NANOSECONDS_PER_MS, max: 5 * MINUTE_MS }
  return {
    kubeConfigFile,
    allowTtlMs: ttl('allowTTL', 5 * MINUTE_MS),
    denyTtlMs: ttl('denyTTL', 30 * SECOND_MS),
    backoff: {
      ...WEBHOOK_BACKOFF,
      firstWaitMs: durationOf(given['retryBackoff'], { ...backoff, preset: WEBHOOK_BACKOFF.firstWaitMs }),
    },
    allowsByDefault: given['defaultAllow'] === true,
  }
}

/** In units of `scale` milliseconds: 0 or nothing is the preset, -1 is none. */
function durationOf(
  given: Json | undefined,
  { scale, min, max, preset }: Readonly<Record<'scale' | 'min' | 'max' | 'preset', number>>,
): number {
  if (given === -1) return 0
  if (given === undefined || given === null || given === 0) return preset
  const ms = typeof given === 'number' ? given * scale : NaN
  if (ms >= min && ms <= max) return ms
  const shown = (duration: number): string =>
    formatDuration(BigInt(Math.round(duration * NANOSECONDS_PER_MS)))
  const got = Number.isNaN(ms) ? String(given as unknown) : shown(ms)
  throw new Error(`ImagePolicyWebhook: valid value is between ${shown(min)} and ${shown(max)}, got ${got}`)
}

export class ImagePolicyWebhook implements AdmissionPlugin {
  readonly name = 'ImagePolicyWebhook'
  readonly #settings: ImagePolicySettings
  readonly #needs: ImagePolicyNeeds
  readonly #answers: ExpiringMap<JsonObject>

  constructor(settings: ImagePolicySettings, needs: ImagePolicyNeeds) {
    this.#settings = settings
    this.#needs = needs
    this.#answers = new ExpiringMap(MAX_ANSWERS, () => needs.now())
  }

  handles(target: AdmissionTarget): boolean {
    const isWrite = target.operation === 'CREATE' || target.operation === 'UPDATE'
    return isWrite && (isFor(target, PODS) || isFor(target, PODS, EPHEMERAL))
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    const spec = specOf(attributes)
    const key = JSON.stringify(spec)
    const status = this.#answers.get(key) ?? (await this.#ask(attributes, spec, key))
    if (!status) return
    const { auditAnnotations, allowed, reason } = status
    for (const [name, value] of Object.entries(isObject(auditAnnotations) ? auditAnnotations : {})) {
      attributes.annotate?.(AUDIT_PREFIX + name, typeof value === 'string' ? value : '')
    }
    if (allowed === true) return
    throw forbid(
      attributes,
      typeof reason === 'string' && reason !== ''
        ? `image policy webhook backend denied one or more images: ${reason}`
        : 'one or more images rejected by webhook backend',
    )
  }

  /** The status of the answer; undefined where the webhook cannot be asked, and that allows. */
  async #ask(
    attributes: AdmissionAttributes,
    spec: JsonObject,
    key: string,
  ): Promise<JsonObject | undefined> {
    const { allowTtlMs, denyTtlMs, backoff, allowsByDefault } = this.#settings
    const { post, wait } = this.#needs
    const review = { kind: KIND, apiVersion: VERSION, metadata: {}, spec, status: { allowed: false } }
    const body = Buffer.from(JSON.stringify(review))
    try {
      const answer = await askAgain(() => post(body), wait, backoff)
      const status = statusOf(answer)
      this.#answers.set(key, status, status['allowed'] === true ? allowTtlMs : denyTtlMs)
      return status
    } catch (error) {
      if (!allowsByDefault) throw forbid(attributes, error instanceof Error ? error.message : String(error))
      // DEVIATION: upstream also annotates the pod (alpha.image-policy.k8s.io/failed-open); here the audit log alone tells.
      attributes.annotate?.(`${AUDIT_PREFIX}failed-open`, 'true')
      return undefined
    }
  }
}

/** What is missing of kind and version is taken to be what was asked for. Throws an Error for another kind. */
function statusOf({ kind = KIND, apiVersion = VERSION, status }: JsonObject): JsonObject {
  if (kind !== KIND || apiVersion !== VERSION) throw new Error(`the webhook did not answer with an ${KIND}`)
  return isObject(status) ? status : {}
}

function specOf({ object, subresource, namespace }: AdmissionAttributes): JsonObject {
  const { spec, metadata } = object as Pod
  const containers =
    subresource === EPHEMERAL
      ? (spec.ephemeralContainers ?? [])
      : [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
  const told = Object.entries(metadata.annotations ?? {}).filter(([name]) => name.includes(TOLD))
  return {
    containers: containers.map(({ image }) => (typeof image === 'string' && image !== '' ? { image } : {})),
    ...(told.length > 0 ? { annotations: Object.fromEntries(told) } : {}),
    ...(namespace === '' ? {} : { namespace }),
  }
}
