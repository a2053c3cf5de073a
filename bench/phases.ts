// One phase of work after another, by our own client: the same pods and the same calls as upstream's load generator
// makes, so that its rates and these tell of the same thing.
import { randomUUID } from 'node:crypto'
import { applies } from './applies.ts'
import { Client, parallel } from './client.ts'
import type { Server } from './servers.ts'

const CONCURRENCY = 32
const LISTS = 30
const SELECTOR_LISTS = 50
const PAGE = 500
/** Watches on one connection: upstream allows 100 streams at once. */
const STREAMS = 50

export const PHASES = [
  'create',
  'get',
  'list',
  'selector',
  'paged',
  'patch',
  'apply',
  'watch',
  'delete',
] as const
export type Phase = (typeof PHASES)[number]

export interface Size {
  readonly pods: number
  readonly watchers: number
  readonly events: number
}

/** What a phase did: operations (deliveries for `watch`) and how many a second. */
export interface Done {
  readonly operations: number
  readonly perSecond: number
}

export class Workload {
  readonly #server: Server
  readonly #client: Client
  readonly #size: Size
  readonly #namespace: string

  constructor(server: Server, size: Size, namespace = `load-${randomUUID().slice(0, 8)}`) {
    this.#namespace = namespace
    this.#server = server
    this.#client = new Client(server)
    this.#size = size
  }

  /** The namespace, and the service account that admission asks for where no controller makes one. */
  async prepare(): Promise<void> {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.#namespace } }
    await this.#client.call({ method: 'POST', path: '/api/v1/namespaces', body: JSON.stringify(namespace) })
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
    await this.#post('serviceaccounts', account).catch(() => undefined)
  }

  /** Phases need the pods that `create` made. */
  async run(phase: Phase): Promise<Done> {
    switch (phase) {
      case 'create':
        return this.#each(this.#size.pods, CONCURRENCY, (i) => this.#post('pods', pod(podName(i))))
      case 'get':
        return this.#each(this.#size.pods, CONCURRENCY, (i) => this.#get(`pods/${podName(i)}`))
      case 'list':
        return this.#each(LISTS, 1, () => this.#get('pods'))
      case 'selector':
        return this.#each(SELECTOR_LISTS, 8, () => this.#get('pods?labelSelector=app%3Dnone'))
      case 'paged':
        return this.#each(LISTS, 1, () => this.#pages())
      case 'patch':
        return this.#each(this.#changed, CONCURRENCY, (i) => this.#patch(podName(i)))
      case 'apply':
        return applies(this.#client, { count: this.#changed, namespace: this.#namespace })
      case 'watch':
        return this.#fanOut()
      case 'delete':
        return this.#each(this.#changed, CONCURRENCY, (i) => this.#delete(podName(i)))
    }
  }

  close(): void {
    this.#client.close()
  }

  /** Of the list of all its pods. */
  get listPath(): string {
    return this.#url('pods')
  }

  get #changed(): number {
    return Math.min(this.#size.pods, 2000)
  }

  async #each(count: number, concurrency: number, work: (i: number) => Promise<unknown>): Promise<Done> {
    return { operations: count, perSecond: await parallel(count, concurrency, work) }
  }

  #url(rest: string): string {
    return `/api/v1/namespaces/${this.#namespace}/${rest}`
  }

  #get(rest: string): Promise<unknown> {
    return this.#client.call({ method: 'GET', path: this.#url(rest) })
  }

  #post(resource: string, object: object): Promise<unknown> {
    return this.#client.call({ method: 'POST', path: this.#url(resource), body: JSON.stringify(object) })
  }

  #patch(name: string): Promise<unknown> {
    return this.#client.call({
      method: 'PATCH',
      path: this.#url(`pods/${name}`),
      type: 'application/strategic-merge-patch+json',
      body: '{"metadata":{"labels":{"patched":"yes"}}}',
    })
  }

  #delete(name: string): Promise<unknown> {
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0 })
    return this.#client.call({ method: 'DELETE', path: this.#url(`pods/${name}`), body })
  }

  async #pages(): Promise<void> {
    let after = ''
    do {
      const path = this.#url(`pods?limit=${PAGE}&continue=${encodeURIComponent(after)}`)
      const { body } = await this.#client.call({ method: 'GET', path, keep: true })
      after = /^.{0,400}?"continue":"([^"]+)"/.exec(body)?.[1] ?? ''
    } while (after !== '')
  }

  /** Many watches of one collection; each event must reach all of them. */
  async #fanOut(): Promise<Done> {
    const { watchers, events } = this.#size
    let missing = watchers * events
    let allSeen: () => void
    const seen = new Promise<void>((resolve) => (allSeen = resolve))
    const path = this.#url('configmaps?watch=true&labelSelector=fan%3Dout')
    const clients = Array.from({ length: Math.ceil(watchers / STREAMS) }, () => new Client(this.#server))
    await Promise.all(
      Array.from({ length: watchers }, (_, i) =>
        clients[Math.floor(i / STREAMS)]?.watch(path, () => --missing === 0 && allSeen()),
      ),
    )
    const startedAt = performance.now()
    await parallel(events, 8, (i) =>
      this.#post('configmaps', { metadata: { name: `f-${i}`, labels: { fan: 'out' } }, data: { a: 'b' } }),
    )
    await seen
    const seconds = (performance.now() - startedAt) / 1000
    for (const client of clients) client.close()
    return { operations: watchers * events, perSecond: (watchers * events) / seconds }
  }
}

const podName = (i: number): string => `p-${String(i).padStart(5, '0')}`

/** A pod of an ordinary size. */
export function pod(name: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      labels: { app: 'load', tier: 'backend' },
      annotations: {
        'example.com/owner': 'load generator',
        'example.com/note': "a pod of an ordinary size, with the fields that a Deployment's pods have",
      },
    },
    spec: {
      automountServiceAccountToken: false,
      containers: [
        {
          name: 'app',
          image: 'registry.k8s.io/pause:3.10',
          args: ['--port=8080', '--log-level=info'],
          env: [
            { name: 'A', value: '1' },
            { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          ],
          ports: [{ name: 'http', containerPort: 8080 }],
          readinessProbe: { exec: { command: ['true'] } },
          resources: {},
        },
      ],
    },
    status: {},
  }
}
