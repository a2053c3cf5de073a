// Everything on one etcd: upstream's kube-apiserver, this server, and how both are asked.
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import type { JsonObject } from '../../src/machinery/json.ts'
import { openEtcd } from '../../src/storage/etcd/storage.ts'
import { type EtcdServer, startEtcd } from '../../src/storage/etcd/testing.suite.ts'
import type { ListResult, Storage } from '../../src/storage/interface.ts'
import { Client, eventually, nameOf, versionOf } from './client.ts'
import { EVENT_TTL_SECONDS, SERVICE_RANGE, startKubeApiServer } from './kubeapiserver.ts'

export interface Together {
  readonly storage: Storage
  readonly ours: Client
  readonly theirs: Client
  /** What was stored before this server came. */
  readonly keysOfUpstream: readonly string[]
  stop(): Promise<void>
}

/** What upstream makes some time after it is ready. */
const LAST_AT_START = ['/registry/endpointslices/default/kubernetes', '/registry/ranges/servicenodeports']

export async function startTogether(binaries: {
  readonly etcd: string
  readonly kubeApiServer: string
}): Promise<Together> {
  const etcd = await startEtcd(binaries.etcd)
  const storage = await openEtcd({ servers: [etcd.url] })
  const upstream = await startKubeApiServer(binaries.kubeApiServer, etcd.url)
  const keysOfUpstream = await eventually(
    () => keysIn(storage),
    (keys) => LAST_AT_START.every((key) => keys.includes(key)),
  )
  const cluster = await startOurs(etcd)
  const { url, caCert: ca, clientCert: cert, clientKey: key } = cluster
  const ours = new Client({ url, ca, cert, key })
  const theirs = new Client(upstream)
  const stop = async (): Promise<void> => {
    ours.close()
    theirs.close()
    await cluster.stop()
    await upstream.stop()
    await storage.close()
    await etcd.stop()
  }
  return { storage, ours, theirs, keysOfUpstream, stop }
}

/** This server, with the flags that upstream's has. */
export const startOurs = (etcd: EtcdServer): Promise<Cluster> =>
  startCluster({
    storage: { etcdServers: [etcd.url] },
    serviceClusterIpRange: [SERVICE_RANGE],
    eventTtlSeconds: EVENT_TTL_SECONDS,
  })

export async function keysIn(storage: Storage): Promise<readonly string[]> {
  const { items } = (await storage.list({ prefix: '/registry/' })) as ListResult
  return items.map(({ key }) => key)
}

/** Both servers' answers to a GET, once they are of the same revision: upstream's own loops write too. */
export async function both(
  { ours, theirs }: Together,
  path: string,
): Promise<readonly [JsonObject, JsonObject]> {
  const pair = async () => [await ours.get(path), await theirs.get(path)] as const
  const [a, b] = await eventually(
    pair,
    ([x, y]) => x.status === y.status && versionsOf(x.body) === versionsOf(y.body),
  )
  return [a.body, b.body]
}

export const itemsOf = (list: JsonObject): readonly JsonObject[] => (list['items'] ?? []) as JsonObject[]

/** Of an object or a list's items: what must be the same before contents are compared. */
function versionsOf(body: JsonObject): string {
  const items = body['items'] as JsonObject[] | undefined
  return items ? items.map((item) => `${nameOf(item)}@${versionOf(item)}`).join() : versionOf(body)
}
