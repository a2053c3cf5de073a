// What the work of mixed.ts is put together of: kubectl, and objects in a few words.
import { spawn } from 'node:child_process'

/** A step that takes longer is stuck. */
const STEP_MS = 180_000
export const NAMESPACE = 'mixed'

export class Kubectl {
  readonly #program: string
  readonly #kubeconfig: string

  constructor(program: string, kubeconfig: string) {
    this.#program = program
    this.#kubeconfig = kubeconfig
  }

  /** What it printed. Rejects where it fails. Words are divided by blanks. */
  run(line: string, input = ''): Promise<string> {
    const args = [`--kubeconfig=${this.#kubeconfig}`, `--namespace=${NAMESPACE}`, ...line.split(' ')]
    const child = spawn(this.#program, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: STEP_MS })
    let [said, complained] = ['', '']
    child.stdout.on('data', (part: Buffer) => (said += part.toString()))
    child.stderr.on('data', (part: Buffer) => (complained += part.toString()))
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => {
        if (code === 0) resolve(said)
        else reject(new Error(`kubectl ${line}: code ${code}\n${said}${complained}`))
      })
    })
  }
}

export const pod = (app: string, container: object = {}): object => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'main', image: 'example.com/app:1', ...container }] },
})
export const selecting = (app: string): object => ({ selector: { matchLabels: { app } } })
export const object = (apiVersion: string, kind: string, name: string, spec?: object): string =>
  JSON.stringify({ apiVersion, kind, metadata: { name }, ...(spec && { spec }) })
export const deployment = (name: string, replicas: number): string =>
  object('apps/v1', 'Deployment', name, { replicas, ...selecting(name), template: pod(name) })

export async function apply(kubectl: Kubectl, text: string): Promise<void> {
  await kubectl.run('apply --server-side -f -', text)
}

export const rolledOut = (kubectl: Kubectl, what: string): Promise<string> =>
  kubectl.run(`rollout status ${what} --timeout=120s`)
