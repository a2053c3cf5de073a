// Clients that do nothing but list, as fast as they are answered: a process of its own, so that it does not hold up who
// measures (flood.ts). Ends with SIGTERM, and prints what it was answered as one line of JSON.
//
//	node tools/run.js bench/flooder.ts -- PORT TOKEN PATH CLIENTS
import { connect, constants, type ClientHttp2Session } from 'node:http2'

const { HTTP2_HEADER_STATUS } = constants

/** Each client's requests under way at once: another list is asked for before the one before it is read. */
const AT_ONCE = 2
/** After a refusal, as a client that is told to wait: upstream's Retry-After is a second at least. */
const RETRY_MS = 1_000

const [port, token, path, clients] = process.argv.slice(2)
const answers: Record<string, number> = {}
/** Bytes of each list, by length: all are whole, or they differ. */
let [bytes, isOver] = [0, false]

const count = (what: string): void => void (answers[what] = (answers[what] ?? 0) + 1)

function listOnce(session: ClientHttp2Session): Promise<number> {
  return new Promise((resolve) => {
    const stream = session.request({
      ':path': path,
      accept: 'application/json',
      'accept-encoding': 'gzip',
      'user-agent': 'flooder/1',
      authorization: `Bearer ${token}`,
    })
    let [status, isWhole] = [0, false]
    stream.on('response', (headers) => (status = Number(headers[HTTP2_HEADER_STATUS])))
    stream.on('data', (chunk: Buffer) => void (bytes += chunk.length))
    stream.on('error', () => undefined)
    stream.on('end', () => (isWhole = stream.rstCode === constants.NGHTTP2_NO_ERROR))
    stream.on('close', () => {
      if (!isOver) count(isWhole ? String(status) : 'broken')
      resolve(status)
    })
  })
}

async function flood(session: ClientHttp2Session): Promise<void> {
  while (!isOver) {
    const status = await listOnce(session)
    if (status === 429) await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    if (session.destroyed) return
  }
}

process.on('SIGTERM', () => {
  isOver = true
  console.log(JSON.stringify({ answers, bytes }))
  process.exit(0)
})
const sessions = Array.from({ length: Number(clients) }, () => {
  const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
  session.on('error', () => undefined)
  return session
})
await Promise.all(sessions.flatMap((session) => Array.from({ length: AT_ONCE }, () => flood(session))))
