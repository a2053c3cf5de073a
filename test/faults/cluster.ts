// A cluster whose parts are processes of their own, each of which can be killed at any moment and is started anew.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Api } from '../../src/client/api.ts'
import { Http2Transport } from '../../src/client/http2.ts'
import { kubeconfigText } from '../../src/cmd/kubeconfig.ts'
import { type Program, run, type Running, type Server, startServer } from '../process/server.ts'

export const PARTS = ['apiserver', 'controller-manager', 'scheduler', 'kubelet'] as const
export type Part = (typeof PARTS)[number]

/** Short, so that whoever comes after a crash needs not wait long. */
export const LEASE_MS = 5_000
const ELECTION = [
  ...['--leader-elect-lease-duration', `${LEASE_MS}ms`, '--leader-elect-renew-deadline', '4s'],
  ...['--leader-elect-retry-period', '200ms'],
]
/** Many rounds of faults run beside other work. */
const READY_MS = 180_000
/** How soon whoever watches over the parts starts one that ended. */
const RESTART_MS = 100

export class FaultyCluster {
  readonly #program: Program
  readonly #folder = mkdtempSync(join(tmpdir(), 'dinghy-faults-'))
  readonly #running = new Map<string, Running>()
  #port = 0
  #isStopping = false
  #transport: Http2Transport | undefined

  constructor(program: Program) {
    this.#program = program
  }

  /** An administrator's. */
  get api(): Api {
    if (!this.#transport) throw new Error('the cluster is not started')
    return new Api(this.#transport, 'test')
  }

  get kubeconfig(): string {
    return join(this.#folder, 'config')
  }

  /** The server first; resolves when it is ready. */
  async start(nodes: number): Promise<void> {
    const server = await this.#startServer()
    this.#port = server.port
    const url = `https://${server.host}:${server.port}`
    const entry = {
      name: 'x',
      server: url,
      caCert: server.ca,
      clientCert: server.cert,
      clientKey: server.key,
    }
    writeFileSync(this.kubeconfig, kubeconfigText(entry))
    this.#transport = new Http2Transport({ server: url, ca: server.ca, cert: server.cert, key: server.key })
    this.keep('controller-manager', ['controller-manager', '--secure-port', '0', ...ELECTION])
    this.keep('scheduler', ['scheduler', '--secure-port', '0', ...ELECTION])
    this.keep('kubelet', ['kubelet', '--nodes', String(nodes), '--hostname-override', 'node'])
  }

  /** Starts `dinghy ARGS` under this name, and again whenever it ends. */
  keep(name: string, args: readonly string[]): void {
    const running = run(this.#program, [...args, '--kubeconfig', this.kubeconfig, '--log-level', 'warn'])
    this.#running.set(name, running)
    void running.ended.then(() => {
      if (this.#running.get(name) !== running || this.#isStopping) return
      setTimeout(() => {
        if (!this.#isStopping) this.keep(name, args)
      }, RESTART_MS)
    })
  }

  /** A second one of the same kind. */
  keepSecond(part: 'controller-manager' | 'scheduler'): string {
    const name = `${part} 2`
    this.keep(name, [part, '--secure-port', '0', ...ELECTION])
    return name
  }

  /** kill -9; resolves when it is at work again, or was told to be. */
  async crash(name: string): Promise<void> {
    const running = this.#running.get(name)
    running?.child.kill('SIGKILL')
    await running?.ended
    if (name === 'apiserver' && !this.#isStopping) await this.#startServer()
  }

  /** kill -9, for good. */
  async end(name: string): Promise<void> {
    const running = this.#running.get(name)
    this.#running.delete(name)
    running?.child.kill('SIGKILL')
    await running?.ended
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    this.#transport?.close()
    for (const running of this.#running.values()) running.child.kill('SIGKILL')
    await Promise.all([...this.#running.values()].map(({ ended }) => ended))
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** What the parts have written to stderr since they were started last. */
  stderr(): string {
    return [...this.#running]
      .map(([name, running]) => `${name}:\n${running.stderr().slice(-2_000)}`)
      .join('\n')
  }

  async #startServer(): Promise<Server> {
    const args = ['--data-dir', join(this.#folder, 'data'), '--port', String(this.#port)]
    const server = await startServer(this.#program, args, { readyMs: READY_MS })
    this.#running.set('apiserver', server)
    return server
  }
}
