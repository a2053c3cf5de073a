// A request that asks for another protocol (WebSocket, SPDY), passed on: where the extension server takes it, the two
// connections become one. Follows tryUpgrade in k8s.io/apimachinery/pkg/util/proxy/upgradeaware.go.
import type { IncomingMessage } from 'node:http'
import type { Connection } from '../server/exchange.ts'
import { answered } from './headers.ts'
import type { Proxied } from '../server/extensions.ts'
import { say } from './say.ts'
import {
  type Address,
  type Asked,
  type OutgoingHeaders,
  type ServiceTransport,
  Unreachable,
  type Upgraded,
} from './transport.ts'

export interface Upgrade {
  readonly transport: ServiceTransport
  readonly address: Address
  readonly asked: Asked
}

/** Resolves with the status of the answer; the connections live on where it is 101. */
export async function passUpgradeOn(request: Proxied, upgrade: Upgrade): Promise<number> {
  const { exchange, baseHeaders } = request
  const { transport, address, asked } = upgrade
  const headers: OutgoingHeaders = {
    ...asked.headers,
    connection: 'Upgrade',
    upgrade: exchange.headers.upgrade ?? '',
  }
  delete headers['content-length']
  let upgraded: Upgraded
  try {
    upgraded = await transport.upgrade({ ...asked, headers }, address)
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    return say(request, 503, `error dialing backend: ${error.message}`)
  }
  const { response, connection } = upgraded
  const { statusCode: status = 502 } = response
  if (connection) {
    join(exchange.takeOver?.(), connection, response)
    return status
  }
  if (status < 400) {
    response.destroy()
    return say(request, 503, `invalid upgrade response: status code ${status}`)
  }
  exchange.answer(status, { ...baseHeaders, ...answered(response.headers) }, response)
  return status
}

/** Each side's end is the other's. */
function join(client: Connection | undefined, server: Connection, response: IncomingMessage): void {
  if (!client || client.socket.destroyed) {
    server.socket.destroy()
    return
  }
  const { rawHeaders, statusMessage = '' } = response
  const lines = [`HTTP/1.1 ${response.statusCode} ${statusMessage}`]
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`)
  client.socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  if (server.head.length > 0) client.socket.write(server.head)
  if (client.head.length > 0) server.socket.write(client.head)
  for (const [from, to] of [
    [client.socket, server.socket],
    [server.socket, client.socket],
  ] as const) {
    from.pipe(to)
    from.on('error', () => to.destroy())
    from.on('close', () => to.destroy())
  }
}
