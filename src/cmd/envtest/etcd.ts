// The etcd of `dinghy envtest`: answers health checks where it is told to listen, and keeps nothing. Our API server knows it
// by its version, and keeps its data itself.
import { createServer } from 'node:http'
import { StartError } from '../options.ts'
import { untilStopped } from '../signals.ts'

/** What the stand-in says of itself, at /version. */
export const STAND_IN = 'dinghy-envtest'

const HELP = `Usage: etcd [flags]
  --listen-client-urls URL   where health checks are answered
`
const DEFAULT_URL = 'http://localhost:2379'

/** Runs until it is told to stop. Rejects with StartError where it cannot listen. */
export async function standInEtcd(argv: readonly string[]): Promise<void> {
  // envtest asks which flags there are before it starts anything.
  if (argv.includes('--help')) return void process.stdout.write(HELP)
  const url = new URL(flagOf(argv, 'listen-client-urls') ?? DEFAULT_URL)
  const server = createServer((request, response) => {
    const body = request.url === '/version' ? { etcdserver: STAND_IN } : { health: 'true', reason: '' }
    response.setHeader('content-type', 'application/json')
    response.statusCode = request.url === '/version' || request.url === '/health' ? 200 : 404
    response.end(JSON.stringify(body))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new StartError(`${url.href}: ${error.message}`, error)))
    server.listen({ host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) }, resolve)
  })
  await untilStopped(async () => {
    server.closeAllConnections()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })
}

/** The value of a flag in either of its forms; the last one counts. Undefined where it is not there. */
export function flagOf(argv: readonly string[], name: string): string | undefined {
  let value: string | undefined
  for (const [index, argument] of argv.entries()) {
    if (argument.startsWith(`--${name}=`)) value = argument.slice(name.length + 3)
    else if (argument === `--${name}`) value = argv[index + 1]
  }
  return value
}
