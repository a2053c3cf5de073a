// A UDP port of a balancer: each client has a socket of its own towards its endpoint, until both are silent for a while.
import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { Backend } from './backends.ts'
import { Choice } from './choice.ts'
import type { Port, PortParts } from './port.ts'

/** As long as the system remembers a flow. */
const IDLE_MS = 30_000
/** Clients at a time; packets of more are dropped. */
const MAX_CLIENTS = 1_024

interface Flow {
  readonly socket: Socket
  readonly backend: Backend
  forget: () => void
}

/** Rejects with the system's error where the port cannot be had. */
export async function udpPort(parts: PortParts): Promise<Port> {
  const listener = createSocket('udp4')
  const flows = new Map<string, Flow>()
  const choice = new Choice(parts.clock)
  const close = (client: string): void => {
    const flow = flows.get(client)
    flows.delete(client)
    flow?.forget()
    flow?.socket.close()
  }
  const open = (client: string, address: string, port: number): Flow | undefined => {
    const [backend] = choice.inOrder(parts.backends(), address, parts.affinityMs())
    if (!backend || flows.size >= MAX_CLIENTS) return undefined
    choice.keep(address, backend, parts.affinityMs())
    const socket = createSocket(isIPv6(backend.host) ? 'udp6' : 'udp4').unref()
    socket.on('message', (answer) => listener.send(answer, port, address))
    socket.on('error', () => close(client))
    const flow: Flow = { socket, backend, forget: () => undefined }
    flows.set(client, flow)
    return flow
  }
  listener.on('message', (message, { address, port }) => {
    if (!parts.allows(address)) return
    const client = `${address}:${port}`
    const flow = flows.get(client) ?? open(client, address, port)
    if (!flow) return
    flow.forget()
    flow.forget = parts.clock.after(IDLE_MS, () => close(client))
    flow.socket.send(message, flow.backend.port, flow.backend.host, () => undefined)
  })
  await bound(listener, parts)
  return {
    stop: () => {
      for (const client of [...flows.keys()]) close(client)
      return new Promise((resolve) => listener.close(() => resolve()))
    },
  }
}

const bound = (listener: Socket, { host, port }: PortParts): Promise<void> =>
  new Promise((resolve, reject) => {
    listener.once('error', reject)
    listener.bind({ address: host, port, exclusive: true }, () => {
      listener.removeListener('error', reject)
      listener.on('error', () => undefined)
      listener.unref()
      resolve()
    })
  })
