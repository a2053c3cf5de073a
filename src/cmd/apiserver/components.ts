// What /api/v1/componentstatuses tells of: whether the store and the other parts of the control plane answer.
// Follows k8s.io/kubernetes/pkg/registry/core/componentstatus and rest/storage_core.go (serversToValidate).
import type { Computed } from '../../handlers/computed.ts'
import type { KubeObject } from '../../machinery/object.ts'

/** Where the others listen unless they are told otherwise; upstream, too, asks nowhere else. */
const PORTS: Readonly<Record<string, number>> = { scheduler: 10259, 'controller-manager': 10257 }
const STORE = 'etcd-0'
/** How long one of them may take. */
const TIMEOUT_MS = 20_000
/** More of an answer is not shown. */
const MAX_SHOWN = 10 * 1024

interface Health {
  readonly healthy: boolean
  readonly message?: string
  readonly error?: string
}

export interface ComponentSources {
  /** Rejects where the store is away. */
  store(): Promise<unknown>
  /** Parts that run in this process, by their names as components. */
  readonly inProcess: ReadonlySet<string>
}

export function componentStatuses({ store, inProcess }: ComponentSources): Computed {
  const look = (name: string): Promise<Health> => {
    if (name === STORE) return storeHealth(store)
    return inProcess.has(name) ? Promise.resolve({ healthy: true, message: 'ok' }) : probe(PORTS[name] ?? 0)
  }
  return {
    calledWhenMissing: { group: '', resource: 'componentstatus' },
    names: [...Object.keys(PORTS), STORE],
    make: async (name) => statusObject(name, await look(name)),
  }
}

const statusObject = (name: string, { healthy, ...told }: Health): KubeObject => ({
  kind: 'ComponentStatus',
  apiVersion: 'v1',
  metadata: { name },
  conditions: [{ type: 'Healthy', status: healthy ? 'True' : 'False', ...told }],
})

async function storeHealth(store: ComponentSources['store']): Promise<Health> {
  try {
    await store()
    return { healthy: true, message: 'ok' }
  } catch (error) {
    return { healthy: false, error: error instanceof Error ? error.message : String(error) }
  }
}

/** Asks /healthz of this machine's port; who answers is not checked, as upstream does not. */
async function probe(port: number): Promise<Health> {
  const { request } = await import('node:https')
  const url = `https://127.0.0.1:${port}/healthz`
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException): void =>
      resolve({ healthy: false, message: `Get "${url}": ${reasonOf(error, port)}` })
    const asked = request(
      url,
      { rejectUnauthorized: false, agent: false, timeout: TIMEOUT_MS },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => void (text = (text + chunk).slice(0, MAX_SHOWN)))
        response.on('error', failed)
        response.on('end', () => {
          const { statusCode = 0 } = response
          const healthy = statusCode >= 200 && statusCode < 400
          resolve({ healthy, message: healthy ? text : `HTTP probe failed with statuscode: ${statusCode}` })
        })
      },
    )
    asked.on('timeout', () => asked.destroy(new Error('context deadline exceeded')))
    asked.on('error', failed)
    asked.end()
  })
}

const reasonOf = ({ code, message }: NodeJS.ErrnoException, port: number): string =>
  code === 'ECONNREFUSED' ? `dial tcp 127.0.0.1:${port}: connect: connection refused` : message
