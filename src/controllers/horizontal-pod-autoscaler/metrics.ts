// What pods use and what is measured elsewhere, by plain requests to the APIs of metrics.
// Follows k8s.io/kubernetes/pkg/controller/podautoscaler/metrics/client.go and k8s.io/metrics/pkg/client.
import type { Api } from '../../client/api.ts'
import type { CrossVersionObjectReference } from '../../client/kinds/autoscaling.v2.gen.ts'
import { parseDuration } from '../../machinery/duration.ts'
import { parseQuantity, quantityMilliValue } from '../../machinery/quantity.ts'
import { StatusError } from '../../machinery/status.ts'

/** What one pod uses. */
export interface PodMetric {
  /** In thousandths. */
  readonly value: number
  /** When it was measured, ms since 1970, and over how long. */
  readonly at: number
  readonly windowMs: number
}

/** By the names of pods. */
export type PodMetrics = ReadonlyMap<string, PodMetric>

/** An object of the custom metrics, by the name of its resource: "ingresses.networking.k8s.io". */
export interface MeasuredObject {
  readonly reference: CrossVersionObjectReference
  readonly resource: string
}

interface ContainerUse {
  readonly name: string
  readonly usage: Readonly<Record<string, string>>
}

interface PodUse {
  readonly metadata: { readonly name: string }
  readonly timestamp: string
  readonly window: string
  readonly containers?: readonly ContainerUse[] | null
}

interface MetricValue {
  readonly describedObject?: { readonly name?: string }
  readonly timestamp: string
  readonly windowSeconds?: number
  /** In v1beta1. */
  readonly window?: number
  readonly value: string
}

const CUSTOM = 'custom.metrics.k8s.io'
/** Those that are understood, the newest first. */
const CUSTOM_VERSIONS: readonly string[] = ['v1beta2', 'v1beta1']
/** Over how long a custom metric is measured that does not say. */
const DEFAULT_WINDOW_MS = 60_000

export const milli = (quantity: string): number => quantityMilliValue(parseQuantity(quantity))

export class MetricsClient {
  readonly #api: Api

  constructor(api: Api) {
    this.#api = api
  }

  /** Use of a resource ("cpu") by the pods that the text selects; of one container, where it is named. Rejects in upstream's words. */
  async ofPods(
    resource: string,
    {
      namespace,
      selector,
      container,
    }: { namespace: string; selector: string; container: string | undefined },
  ): Promise<PodMetrics> {
    const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods${query({ labelSelector: selector })}`
    const items = (await this.#items(path, 'resource', 'pods.metrics.k8s.io')) as readonly PodUse[]
    return new Map(items.flatMap((pod) => usedBy(pod, resource, container)))
  }

  /** A custom metric of the pods that the text selects. */
  async custom(
    metric: string,
    { namespace, selector, metricSelector }: { namespace: string; selector: string; metricSelector: string },
  ): Promise<PodMetrics> {
    const place = `namespaces/${namespace}/pods/*/${metric}`
    const items = await this.#custom(place, { labelSelector: selector, metricLabelSelector: metricSelector })
    if (items.length === 0) throw new Error('no metrics returned from custom metrics API')
    return new Map(
      items.map(({ describedObject, timestamp, windowSeconds, window, value }) => {
        const seconds = windowSeconds ?? window
        const windowMs = seconds === undefined ? DEFAULT_WINDOW_MS : seconds * 1000
        return [describedObject?.name ?? '', { value: milli(value), at: Date.parse(timestamp), windowMs }]
      }),
    )
  }

  /** A custom metric of one object, in thousandths. */
  async ofObject(
    metric: string,
    { reference, resource }: MeasuredObject,
    { namespace, metricSelector }: { namespace: string; metricSelector: string },
  ): Promise<number> {
    const isNamespace = reference.kind === 'Namespace' && !reference.apiVersion?.includes('/')
    const object = isNamespace ? 'metrics' : `${resource}/${reference.name}`
    const items = await this.#custom(`namespaces/${namespace}/${object}/${metric}`, {
      metricLabelSelector: metricSelector,
    })
    if (items.length !== 1) {
      throw new Error(
        `unable to fetch metrics from custom metrics API: the custom metrics API server returned ${items.length} results when we asked for exactly one`,
      )
    }
    return milli((items[0] as MetricValue).value)
  }

  /** The values of a metric that belongs to no object, in thousandths. */
  async external(metric: string, namespace: string, selector: string): Promise<readonly number[]> {
    const group = 'external.metrics.k8s.io'
    const path = `/apis/${group}/v1beta1/namespaces/${namespace}/${metric}${query({ labelSelector: selector })}`
    const items = (await this.#items(path, 'external', `${metric}.${group}`)) as readonly MetricValue[]
    return items.map(({ value }) => milli(value))
  }

  async #items(path: string, api: string, what: string): Promise<readonly unknown[]> {
    const { items } = await this.#api.raw(path).catch((error: unknown) => {
      throw new Error(`unable to fetch metrics from ${api} metrics API: ${wordsOf(error, what)}`)
    })
    if (!Array.isArray(items) || items.length === 0)
      throw new Error(`no metrics returned from ${api} metrics API`)
    return items
  }

  async #custom(place: string, selectors: Readonly<Record<string, string>>): Promise<readonly MetricValue[]> {
    const version = await this.#customVersion()
    // Of v1beta1, the selector of metrics is called the same; both leave out what is empty.
    const path = `/apis/${CUSTOM}/${version}/${place}${query(selectors)}`
    const { items } = await this.#api.raw(path).catch((error: unknown) => {
      throw new Error(`unable to fetch metrics from custom metrics API: ${wordsOf(error, CUSTOM)}`)
    })
    return (Array.isArray(items) ? items : []) as unknown as readonly MetricValue[]
  }

  async #customVersion(): Promise<string> {
    const failed = (why: string): Error =>
      new Error(`unable to fetch metrics from custom metrics API: ${why}`)
    const group = await this.#api.raw(`/apis/${CUSTOM}`).catch((error: unknown) => {
      const isAbsent = error instanceof StatusError && error.code === 404
      throw failed(isAbsent ? `no custom metrics API (${CUSTOM}) registered` : wordsOf(error, CUSTOM))
    })
    const { preferredVersion, versions } = group as unknown as {
      preferredVersion?: { version?: string }
      versions?: readonly { version?: string }[]
    }
    const served = [preferredVersion, ...(versions ?? [])].map((one) => one?.version ?? '')
    const version = served.find((one) => CUSTOM_VERSIONS.includes(one))
    if (version === undefined) throw failed('no known available metric versions found')
    return version
  }
}

function query(selectors: Readonly<Record<string, string>>): string {
  const given = Object.entries(selectors).filter(([, text]) => text !== '')
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`
}

function usedBy(pod: PodUse, resource: string, container: string | undefined): [string, PodMetric][] {
  const all = pod.containers ?? []
  const counted = container === undefined ? all : all.filter(({ name }) => name === container)
  const texts = counted.map(({ usage }) => (Object.hasOwn(usage, resource) ? usage[resource] : undefined))
  if (texts.length === 0 || texts.includes(undefined)) return []
  const value = texts.reduce((sum, text) => sum + milli(text ?? '0'), 0)
  const windowMs = Number(parseDuration(pod.window) / 1_000_000n)
  return [[pod.metadata.name, { value, at: Date.parse(pod.timestamp), windowMs }]]
}

/** What upstream's client says of servers that answer with no Status of their own. */
const GENERIC: Readonly<Record<number, string>> = {
  404: 'the server could not find the requested resource',
  503: 'the server is currently unable to handle the request',
}

function wordsOf(error: unknown, what: string): string {
  if (!(error instanceof StatusError)) return String(error)
  const generic = error.reason === '' ? GENERIC[error.code] : undefined
  return generic === undefined ? error.message : `${generic} (get ${what})`
}
