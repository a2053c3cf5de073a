// A TCP port of a balancer: connections go on to an endpoint that takes them.
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Backend } from './backends.ts'
import { Choice } from './choice.ts'
import type { Port, PortParts } from './port.ts'

/** An endpoint that does not take a connection within this is passed over. */
const CONNECT_MS = 2_000
/** Connections of one port at a time; more are refused. */
const MAX_CONNECTIONS = 4_096

/** Rejects with the system's error where the port cannot be had. */
export async function tcpPort(parts: PortParts): Promise<Port> {
  const choice = new Choice(parts.clock)
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (client) => {
    sockets.add(client)
    client.on('close', () => sockets.delete(client))
    client.on('error', () => client.destroy())
    if (!parts.allows(client.remoteAddress ?? '')) return void client.resetAndDestroy()
    void forward(client, parts, choice)
  })
  server.maxConnections = MAX_CONNECTIONS
  await listening(server, parts)
  server.unref()
  return {
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

const listening = (server: Server, { host, port }: PortParts): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, exclusive: true }, () => {
      server.removeListener('error', reject)
      server.on('error', () => undefined)
      resolve()
    })
  })

/** Nobody there who answers: reset, as by a balancer none of whose members is well. */
async function forward(client: Socket, parts: PortParts, choice: Choice): Promise<void> {
  const from = client.remoteAddress ?? ''
  const affinityMs = parts.affinityMs()
  for (const backend of choice.inOrder(parts.backends(), from, affinityMs)) {
    const socket = await connected(backend)
    if (!socket) continue
    if (client.destroyed) return void socket.destroy()
    choice.keep(from, backend, affinityMs)
    socket.on('error', () => client.resetAndDestroy())
    socket.on('close', () => client.destroy())
    client.on('close', () => socket.destroy())
    client.pipe(socket)
    socket.pipe(client)
    return
  }
  client.resetAndDestroy()
}

const connected = ({ host, port }: Backend): Promise<Socket | undefined> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, allowHalfOpen: true })
    const failed = (): void => {
      socket.destroy()
      resolve(undefined)
    }
    const timer = setTimeout(failed, CONNECT_MS)
    socket.once('error', failed)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.removeListener('error', failed)
      resolve(socket)
    })
    socket.once('close', () => clearTimeout(timer))
  })
