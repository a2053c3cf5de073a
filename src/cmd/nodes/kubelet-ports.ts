// Who may ask simulated nodes of `dinghy kubelet`, and where: their ports, made out of the command's flags.
// Follows k8s.io/kubernetes/cmd/kubelet/app/auth.go.
import { networkInterfaces } from 'node:os'
import { type Api, isNotFound } from '../../client/api.ts'
import { CONFIG_MAPS } from '../../client/resources.ts'
import type { NodeAgent } from '../../kubelet/agent.ts'
import type { NodeSpecimen } from '../../kubelet/nodeobject.ts'
import { Delegated } from '../parts/delegated.ts'
import { KubeletServing } from './kubelet-serving.ts'
import { pairOf } from '../parts/secure-serving.ts'
import { StatusError } from '../../machinery/status.ts'
import { certificatesOf } from '../apiserver/tlsfiles.ts'

export interface PortsFlags {
  /** The address to listen on. */
  readonly address: string
  /** Where others reach it; undefined: that address, or the machine's first. */
  readonly host: string | undefined
  /** Of the first node; 0 picks free ones. */
  readonly port: number
  readonly certFile: string | undefined
  readonly keyFile: string | undefined
  readonly clientCaFile: string | undefined
  readonly anonymous: boolean
  readonly tokens: boolean
  readonly allowsAll: boolean
}

export interface Ports {
  /** Opens a port for each of the nodes, which say so from then on. */
  withPorts(nodes: readonly NodeSpecimen[]): Promise<NodeSpecimen[]>
  close(): void
}

/** As upstream's KubeletConfiguration has them. */
const REMEMBERED = { tokens: 120_000, allowed: 300_000, denied: 30_000 }
const AUTHORITIES = { namespace: 'kube-system', name: 'extension-apiserver-authentication' }
const ANY_ADDRESS = new Set(['0.0.0.0', '::'])

/** Rejects with StartError for files and ports that cannot be used. */
export async function openPorts(
  flags: PortsFlags & { readonly api: Api; readonly agent: NodeAgent },
): Promise<Ports> {
  const { address, port, anonymous, tokens, allowsAll, api, agent } = flags
  const host = flags.host ?? (ANY_ADDRESS.has(address) ? firstAddress() : address)
  const clientCa = flags.clientCaFile ? certificatesOf(flags.clientCaFile) : await publishedAuthorities(api)
  const certificates = clientCa !== undefined
  const serving = new KubeletServing({
    ...(await pairOf({ ...flags, host })),
    clientCa,
    address,
    authority: new Delegated({ api, remembered: REMEMBERED, anonymous, tokens, certificates }),
    allowsAll,
    answer: (node, request) => agent.answer(node, request),
  })
  return {
    withPorts: (nodes) =>
      Promise.all(
        nodes.map(async (node, i) => {
          const opened = await serving.open(node.name, port === 0 ? 0 : port + i)
          return { ...node, endpoint: { host, port: opened } }
        }),
      ),
    close: () => serving.close(),
  }
}

/** By which the API server knows its clients, itself among them; undefined where it does not tell, or not us. */
async function publishedAuthorities(api: Api): Promise<string | undefined> {
  try {
    return (await api.get(CONFIG_MAPS, AUTHORITIES)).data?.['client-ca-file']
  } catch (error) {
    const isWithheld = error instanceof StatusError && error.reason === 'Forbidden'
    if (isNotFound(error) || isWithheld) return undefined
    throw error
  }
}

function firstAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'
}
