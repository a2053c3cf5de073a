// Converts objects of a custom kind by the webhook of its definition: many in one review, and bounded in time and size.
// Follows k8s.io/apiextensions-apiserver/pkg/apiserver/conversion/webhook_converter.go.
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { jsonText } from '../../machinery/jsontext.ts'
import { newUid } from '../../machinery/names.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { plainError, type StatusError } from '../../machinery/status.ts'
import type { HookCaller, HookTarget } from '../../machinery/webhook.ts'
import { type Asked, convertedOf, kindText, reviewText, reviewVersion } from './converted.ts'

/** As upstream's client of such webhooks has it. */
export const CONVERSION_TIMEOUT_SECONDS = 30
/** What one review carries: little enough for a webhook to answer in time and within what answers may have. */
const MAX_REVIEW_OBJECTS = 100
const MAX_REVIEW_BYTES = 1024 * 1024
/** Calls for one object alone that may fail before the rest of a review that failed is given up. */
const MAX_LONE_FAILURES = 8

/** An object in the version that was asked for, or why there is none: a plain 500, as upstream answers. */
export type Converted = KubeObject | StatusError

export interface Converter {
  /** In the order of `objects`, none of which is in that version yet. Never rejects, and takes a bounded time. */
  convert(objects: readonly KubeObject[], apiVersion: string): Promise<readonly Converted[]>
}

/** Asks the webhook of `spec.conversion` of a definition. */
export function webhookConverter(conversion: JsonObject, caller: HookCaller): Converter {
  return new WebhookConverter(conversion, caller)
}

/** Some objects with their JSON. */
interface Batch {
  readonly objects: KubeObject[]
  readonly texts: string[]
}

class WebhookConverter implements Converter {
  readonly #caller: HookCaller
  readonly #target: HookTarget
  readonly #version: string | undefined

  constructor({ webhook }: JsonObject, caller: HookCaller) {
    const { clientConfig, conversionReviewVersions } = isObject(webhook) ? webhook : {}
    this.#caller = caller
    this.#target = targetOf(isObject(clientConfig) ? clientConfig : {})
    const accepted = Array.isArray(conversionReviewVersions) ? conversionReviewVersions : []
    this.#version = reviewVersion(accepted.filter((one) => typeof one === 'string'))
  }

  async convert(objects: readonly KubeObject[], apiVersion: string): Promise<readonly Converted[]> {
    const until = performance.now() + CONVERSION_TIMEOUT_SECONDS * 1000
    const done: Converted[] = []
    for (const batch of batchesOf(objects)) {
      if (performance.now() < until) done.push(...(await this.#batch(batch, apiVersion, until)))
      else done.push(...batch.objects.map((object) => outOfTime(object)))
    }
    return done
  }

  /** Where a review of many fails, its objects are asked about one by one: one that is at fault is no other's. */
  async #batch(batch: Batch, apiVersion: string, until: number): Promise<Converted[]> {
    const asked = await this.#ask(batch, apiVersion)
    if (Array.isArray(asked)) return asked
    const { objects, texts } = batch
    if (objects.length === 1) return [asked]
    const done: Converted[] = []
    let failures = 0
    let last = asked
    for (const [i, object] of objects.entries()) {
      if (failures === MAX_LONE_FAILURES || performance.now() >= until) {
        done.push(last)
        continue
      }
      const one = await this.#ask({ objects: [object], texts: [texts[i] as string] }, apiVersion)
      if (Array.isArray(one)) done.push(...one)
      else {
        done.push((last = one))
        failures++
      }
    }
    return done
  }

  async #ask({ objects, texts }: Batch, apiVersion: string): Promise<KubeObject[] | StatusError> {
    const version = this.#version
    if (version === undefined) return plainError('no supported conversion review versions')
    const asked: Asked = { objects, version, uid: newUid(), apiVersion }
    try {
      return convertedOf(await this.#call(asked, texts), asked)
    } catch (error) {
      return plainError((error as Error).message, error)
    }
  }

  async #call(asked: Asked, texts: readonly string[]): Promise<JsonObject> {
    const body = Buffer.from(reviewText(asked, texts))
    try {
      return await this.#caller.call(this.#target, body, CONVERSION_TIMEOUT_SECONDS)
    } catch (error) {
      const [first] = asked.objects
      const of = first ? kindText(first) : ''
      throw new Error(`conversion webhook for ${of} failed: ${(error as Error).message}`)
    }
  }
}

const outOfTime = (object: KubeObject): StatusError =>
  plainError(`conversion webhook for ${kindText(object)} failed: context deadline exceeded`)

function* batchesOf(objects: readonly KubeObject[]): Generator<Batch> {
  let batch: Batch = { objects: [], texts: [] }
  let bytes = 0
  for (const object of objects) {
    const text = jsonText(object)
    const full = batch.objects.length === MAX_REVIEW_OBJECTS || bytes + text.length > MAX_REVIEW_BYTES
    if (full && batch.objects.length > 0) {
      yield batch
      batch = { objects: [], texts: [] }
      bytes = 0
    }
    batch.objects.push(object)
    batch.texts.push(text)
    bytes += text.length
  }
  if (batch.objects.length > 0) yield batch
}

function targetOf({ url, service, caBundle }: JsonObject): HookTarget {
  const bundle = textOf(caBundle)
  // White space is no bundle.
  const isEmpty = Buffer.from(bundle, 'base64').toString().trim() === ''
  return {
    ...(typeof url === 'string' && { url }),
    ...(isObject(service) && { service: serviceOf(service) }),
    ...(!isEmpty && { caBundle: bundle }),
  }
}

const serviceOf = ({ namespace, name, path, port }: JsonObject): NonNullable<HookTarget['service']> => ({
  namespace: textOf(namespace),
  name: textOf(name),
  ...(typeof path === 'string' && { path }),
  ...(typeof port === 'number' && { port }),
})

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
