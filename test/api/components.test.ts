// /api/v1/componentstatuses: worked out at each request, from the store and the parts beside the server.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCluster, type Cluster } from '../../src/cmd/cluster.ts'
import { ApiClient } from './client.ts'

const PATH = '/api/v1/componentstatuses'
const DEPRECATED = '299 - "v1 ComponentStatus is deprecated in v1.19+"'

let cluster: Cluster
let client: ApiClient
beforeAll(async () => {
  cluster = await startCluster()
  client = new ApiClient(cluster)
})
afterAll(async () => {
  client.close()
  await cluster.stop()
})

describe('component statuses', () => {
  it('say that the store is well', async () => {
    const { status, headers, body } = await client.ask('GET', `${PATH}/etcd-0`)
    expect(status).toBe(200)
    expect(headers['warning']).toBe(DEPRECATED)
    expect(body).toEqual({
      kind: 'ComponentStatus',
      apiVersion: 'v1',
      metadata: { name: 'etcd-0' },
      conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }],
    })
  })

  it('list all three, without a version', async () => {
    const { body } = await client.ask('GET', PATH)
    expect(body).toMatchObject({ kind: 'ComponentStatusList', apiVersion: 'v1', metadata: {} })
    const names = body.items.map((item: { metadata: { name: string } }) => item.metadata.name)
    expect(names.sort()).toEqual(['controller-manager', 'etcd-0', 'scheduler'])
    expect(body.metadata).toEqual({})
  })

  it('are selected by name, and by labels that none has', async () => {
    const byName = await client.ask('GET', `${PATH}?fieldSelector=metadata.name%3Detcd-0`)
    expect(byName.body.items).toHaveLength(1)
    const byLabel = await client.ask('GET', `${PATH}?labelSelector=a%3Db`)
    expect(byLabel.body.items).toEqual([])
  })

  it('are shown as a table', async () => {
    const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }
    const { body } = await client.ask('GET', `${PATH}/etcd-0`, { headers })
    expect(body.metadata).toEqual({})
    expect(body.rows[0].cells).toEqual(['etcd-0', 'Healthy', 'ok', ''])
  })

  it('know no others, and are neither watched nor written', async () => {
    const missing = await client.ask('GET', `${PATH}/nope`)
    expect(missing.body.message).toBe('componentstatus "nope" not found')
    expect(missing.body.details).toEqual({ name: 'nope', kind: 'componentstatus' })
    const watched = await client.ask('GET', `${PATH}?watch=1`)
    expect(watched.status).toBe(405)
    expect(watched.body.message).toBe('watch is not supported on resources of kind "componentstatuses"')
    expect((await client.ask('DELETE', `${PATH}/etcd-0`)).status).toBe(405)
  })
})
