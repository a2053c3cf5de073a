// A cluster in this process with its controllers, started and stopped by one call.
import { expect, it, vi } from 'vitest'
import { Api } from '../../src/client/api.ts'
import { clientOptions } from '../../src/client/kubeconfig.ts'
import { Http2Transport } from '../../src/client/http2.ts'
import { LEASES, SERVICE_ACCOUNTS } from '../../src/client/resources.ts'
import { startCluster } from '../../src/cmd/cluster.ts'
import { parseYaml } from '../../src/schema/yaml/yaml.ts'

const WAIT = { timeout: 90_000, interval: 20 }

it('runs the controllers beside the API server, and stops them with it', async () => {
  const cluster = await startCluster({ parts: ['apiserver', 'controller-manager'] })
  const config = (await parseYaml(Buffer.from(cluster.kubeconfig))).value
  const transport = new Http2Transport(clientOptions(config as never, '.'))
  const api = new Api(transport, 'test')
  await vi.waitFor(() => api.get(SERVICE_ACCOUNTS, { namespace: 'default', name: 'default' }), WAIT)
  const lease = await api.get(LEASES, { namespace: 'kube-system', name: 'kube-controller-manager' })
  expect(lease.spec?.holderIdentity).toBeTruthy()
  const metrics = await transport.send({ method: 'GET', path: '/metrics', headers: {} })
  expect((await metrics.body()).toString()).toMatch(/^workqueue_adds_total\{name="serviceaccount"\} [1-9]/m)
  transport.close()
  await cluster.stop()
})

it('refuses parts that do not exist, before anything starts', async () => {
  await expect(startCluster({ parts: ['nonsense'] })).rejects.toThrow('there is no part "nonsense"')
})
