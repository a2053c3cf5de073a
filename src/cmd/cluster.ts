// The library's entry: a cluster in this process, for tests. Many may run side by side.
import { startApiServer } from './apiserver/apiserver.ts'
import { CONTEXT, kubeconfigText } from './kubeconfig.ts'
import { type ApiServerOptions, DEFAULTS } from './options.ts'
import { checkParts, startPartsOrStop } from './parts/parts.ts'

/** All optional: without any, a cluster in memory on a free port of 127.0.0.1. */
export interface ClusterOptions extends Partial<ApiServerOptions> {
  /** What runs, by the names of `dinghy up --parts`, and works when the cluster is given; absent: the API server alone. */
  readonly parts?: readonly string[]
  /** How many simulated nodes, where the part "nodes" runs; absent: 1. */
  readonly nodes?: number
  /** Over how many zones they are spread, where the part "cloud-controller-manager" runs; absent: 1. */
  readonly zones?: number
}

export interface Cluster {
  /** https://127.0.0.1:PORT */
  readonly url: string
  /** PEM: what clients check the server with. */
  readonly caCert: string
  /** PEM: the certificate and key of an administrator (group system:masters). */
  readonly clientCert: string
  readonly clientKey: string
  /** A kubeconfig with all of this, as YAML. */
  readonly kubeconfig: string
  /** Closes every connection and the store. */
  stop(): Promise<void>
}

/** Starts a cluster; resolves when it is ready. Rejects with StartError for options that cannot be met. */
export async function startCluster({
  parts = [],
  nodes,
  zones,
  ...options
}: ClusterOptions = {}): Promise<Cluster> {
  checkParts(parts)
  const server = await startApiServer({ ...DEFAULTS, port: 0, ...options })
  const beside = await startPartsOrStop(server, parts, { nodes, zones })
  const { caCert, adminCert, adminKey } = server.identity
  const entry = { name: CONTEXT, server: server.url, caCert, clientCert: adminCert, clientKey: adminKey }
  return {
    url: server.url,
    caCert,
    clientCert: adminCert,
    clientKey: adminKey,
    kubeconfig: kubeconfigText(entry),
    async stop() {
      await beside.stop()
      await server.stop()
    },
  }
}
