// A whole cluster whose nodes come from the local cloud; and the cloud's controllers as a process of their own.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { Api } from '../../src/client/api.ts'
import { Http2Transport } from '../../src/client/http2.ts'
import type { Pod, Service } from '../../src/client/kinds/core.v1.gen.ts'
import { LEASES, NODES, PODS, SERVICES } from '../../src/client/resources.ts'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import { guarded } from '../../src/storage/testing.guard.suite.ts'

const WAIT = { timeout: 90_000, interval: 20 }

const apiOf = ({ url: server, caCert: ca, clientCert: cert, clientKey: key }: Cluster): [Api, () => void] => {
  const transport = new Http2Transport({ server, ca, cert, key })
  return [new Api(transport, 'test'), () => transport.close()]
}
const POD: Pod = {
  metadata: { namespace: 'default', name: 'one' },
  spec: { containers: [{ name: 'main', image: 'x' }] },
} as unknown as Pod

it.each([
  ['with the controller manager', ['controller-manager', 'cloud-controller-manager', 'scheduler', 'nodes']],
  ['without it', ['cloud-controller-manager', 'nodes']],
])(
  'spreads nodes over zones, %s',
  async (_, parts) => {
    const cluster = await startCluster({ parts, nodes: 3, zones: 2 })
    const [api, close] = apiOf(cluster)
    await vi.waitFor(async () => {
      const { items } = await api.list(NODES)
      const zones = items.map(({ metadata: { labels } }) => labels?.['topology.kubernetes.io/zone']).sort()
      expect(zones).toEqual(['local-a', 'local-a', 'local-b'])
      const taints = items.flatMap(({ spec }) => spec.taints ?? []).map(({ key }) => key)
      expect(taints).not.toContain('node.cloudprovider.kubernetes.io/uninitialized')
    }, WAIT)
    if (parts.includes('scheduler')) {
      await vi.waitFor(() => api.create(PODS, POD), WAIT)
      await vi.waitFor(async () => {
        expect((await api.get(PODS, { namespace: 'default', name: 'one' })).status.phase).toBe('Running')
      }, WAIT)
    }
    close()
    await cluster.stop()
  },
  120_000,
)

it('works as a process by a kubeconfig', async () => {
  const cluster = await startCluster()
  const [api, close] = apiOf(cluster)
  const folder = mkdtempSync(join(tmpdir(), 'dinghy-cloud-'))
  const kubeconfig = join(folder, 'config')
  writeFileSync(kubeconfig, cluster.kubeconfig)
  const command = [
    'tools/run.js',
    'src/cmd/main.ts',
    '--',
    'cloud-controller-manager',
    '--kubeconfig',
    kubeconfig,
  ]
  const child = guarded(
    spawn(process.execPath, [
      ...command,
      ...['--secure-port', '0', '--configure-cloud-routes=false', '--controllers', 'service'],
    ]),
  )
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const place = { namespace: 'default', name: 'web' }
  await api.create(SERVICES, {
    metadata: place,
    spec: { type: 'LoadBalancer', ports: [{ port: 28090 }] },
  } as Service)
  await vi.waitFor(async () => {
    const { status } = await api.get(SERVICES, place)
    expect(status?.loadBalancer.ingress?.[0]?.ip).toMatch(/^127\./)
  }, WAIT)
  const lease = await api.get(LEASES, { namespace: 'kube-system', name: 'cloud-controller-manager' })
  expect(lease.spec?.holderIdentity).toBeTruthy()
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
  close()
  await cluster.stop()
  rmSync(folder, { recursive: true })
})
