// How long a server takes until it is ready: a client that keeps trying, one TLS connection after another.
import { connect } from 'node:tls'
import type { Program } from './processes.ts'

const POLL_MS = 2
const GIVE_UP_MS = 120_000
/** One attempt may hang while the server is busy with itself. */
const ATTEMPT_MS = 1000

/** Resolves when GET /readyz answers 200; rejects when a program ends before. */
export async function untilReady(port: number, programs: readonly Program[]): Promise<void> {
  const died = Promise.race(programs.map((program) => program.ended))
  const startedAt = performance.now()
  while (performance.now() - startedAt < GIVE_UP_MS) {
    if (await Promise.race([isReady(port), died])) return
    await Promise.race([new Promise((resolve) => setTimeout(resolve, POLL_MS)), died])
  }
  throw new Error(`port ${port} did not become ready`)
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
    })
    const done = (ready: boolean): void => {
      socket.destroy()
      resolve(ready)
    }
    socket.setTimeout(ATTEMPT_MS, () => done(false))
    socket.once('error', () => done(false))
    socket.once('close', () => done(false))
    socket.once('secureConnect', () => socket.write('GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n'))
    socket.once('data', (bytes) => done(bytes.toString('latin1').startsWith('HTTP/1.1 200')))
  })
}
