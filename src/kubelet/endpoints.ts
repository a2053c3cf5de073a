// What a kubelet answers on its port, asked of a simulated node within this process: logs, metrics, its pods. What needs a
// program that runs (exec, attach, port-forward) is refused, and the refusal says why.
// Follows k8s.io/kubernetes/pkg/kubelet/server/server.go.
import type { Clock } from '../client/clock.ts'
import type { Pod } from '../client/kinds/core.v1.gen.ts'
import type { HealthSlis } from '../machinery/healthslis.ts'
import { badRequest, StatusError } from '../machinery/status.ts'
import { kubeletMetrics, resourceMetrics } from './exposition.ts'
import { logOptions, runOf } from './logs.ts'
import { LogReader, type Watch } from './logreader.ts'
import type { PodRecord } from './record.ts'
import { type SummarizedNode, statsSummary } from './summary.ts'
import { podUsage } from './usage.ts'

export interface KubeletRequest {
  /** "get", as attributes of requests name it. */
  readonly verb: string
  /** "/containerLogs/default/web/nginx" */
  readonly path: string
  readonly query: URLSearchParams
}

export interface KubeletReply {
  readonly contentType: string
  readonly body: string | LogReader
}

export interface PodOnNode {
  readonly pod: Pod
  readonly record: PodRecord
}

/** What the endpoints of one node see. */
export interface NodeView {
  readonly clock: Clock
  readonly node: SummarizedNode
  pods(): readonly PodOnNode[]
  /** Tells of changes of the pod's record. */
  /** How its checks of health ended. */
  slis(): HealthSlis
  watch(pod: Pod, changed: Parameters<Watch>[0]): () => void
}

const TEXT = 'text/plain; charset=utf-8'
const METRICS = 'text/plain; version=0.0.4; charset=utf-8'
const JSON_TYPE = 'application/json'

type Endpoint = (view: NodeView) => KubeletReply

const reply = (contentType: string, body: string): KubeletReply => ({ contentType, body })

/** As a kubelet names them; a simulated node is healthy as long as it answers. */
const CHECKS = ['ping', 'log', 'syncloop']

function healthz({ slis }: NodeView): KubeletReply {
  for (const name of CHECKS) slis().observe(name, 'healthz', true)
  return reply(TEXT, 'ok')
}

const ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
  ['/healthz', healthz],
  ['/metrics/slis', ({ slis }) => reply(METRICS, slis().text())],
  ['/metrics', (view) => reply(METRICS, kubeletMetrics(view.node.name, usages(view)))],
  ['/metrics/resource', (view) => reply(METRICS, resourceMetrics(usages(view), view.clock.now()))],
  [
    '/stats/summary',
    (view) => reply(JSON_TYPE, JSON.stringify(statsSummary(view.node, usages(view), view.clock.now()))),
  ],
  ['/pods', (view) => reply(JSON_TYPE, JSON.stringify(podList(view)))],
])

/** Throws StatusError: notFound for other paths, badRequest where there is no log, 501 for what would need a program. */
export function kubeletReply(view: NodeView, { verb, path, query }: KubeletRequest): KubeletReply {
  const [what = '', ...rest] = path.split('/').slice(1)
  if (Object.hasOwn(NEEDS_PROGRAM, what)) throw nothingRuns(view, NEEDS_PROGRAM[what] ?? '', rest)
  if (what === 'containerLogs') return containerLog(view, rest, query)
  const endpoint = ENDPOINTS.get(path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path)
  if (!endpoint) throw new StatusError({ code: 404, reason: 'NotFound', message: '404 page not found' })
  if (verb !== 'get') {
    throw new StatusError({ code: 405, reason: 'MethodNotAllowed', message: '405: Method Not Allowed' })
  }
  return endpoint(view)
}

/** What each of them would do. */
const NEEDS_PROGRAM: Readonly<Record<string, string>> = {
  exec: 'no command can be run in it',
  run: 'no command can be run in it',
  attach: 'there is nothing to attach to',
  portForward: 'nobody listens on its ports',
}

function nothingRuns({ node }: NodeView, why: string, [namespace, pod]: readonly string[]): StatusError {
  const message = `pod ${namespace}/${pod} is simulated, as its node ${node.name} is: no program runs, so ${why}`
  return new StatusError({ code: 501, reason: 'NotImplemented', message })
}

function containerLog(
  view: NodeView,
  [namespace = '', name = '', container = '']: readonly string[],
  query: URLSearchParams,
): KubeletReply {
  const found = view
    .pods()
    .find(({ pod: { metadata } }) => metadata.namespace === namespace && metadata.name === name)
  if (!found) throw badRequest(`pod ${JSON.stringify(name)} is not on the node ${view.node.name} yet`)
  const one = found.record.containers.find((candidate) => candidate.container.name === container)
  if (!one)
    throw badRequest(`container ${JSON.stringify(container)} in pod ${JSON.stringify(name)} is not available`)
  const options = logOptions(query, view.clock.now())
  const run = runOf(found.pod, one, options.previous)
  const source = { pod: found.pod, one, run, clock: view.clock }
  return {
    contentType: TEXT,
    body: new LogReader(source, options, (changed) => view.watch(found.pod, changed)),
  }
}

const usages = (view: NodeView): ReturnType<typeof podUsage>[] =>
  view.pods().map(({ pod, record }) => podUsage(pod, record, view.clock.now()))

const podList = (view: NodeView): object => ({
  kind: 'PodList',
  apiVersion: 'v1',
  metadata: {},
  items: view.pods().map(({ pod }) => pod),
})
