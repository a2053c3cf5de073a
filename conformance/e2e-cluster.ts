// The cluster that e2e.ts and mixed.ts work on: the built program with simulated nodes, in a process of its own.
import { execFileSync, spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** As many as upstream's own conformance runs have. */
const NODES = '3'
/** What the tests take for images that no registry has; simulated nodes cannot know by themselves. */
const MISSING_IMAGES = [
  'webserver:404',
  'foo:non-existent',
  'localhost/some-image-that-doesnt-exist',
  'invalid.registry.k8s.io/invalid/alpine:3.1',
]
export interface RunningCluster {
  readonly kubeconfig: string
  stop(): void
}

/**
 * Starts `dinghy up` on a free port with its files in `folder`; resolves when it is ready. With a kubeconfig given, that
 * cluster is taken as it is.
 */
export async function startCluster(
  root: string,
  folder: string,
  given: string | undefined,
): Promise<RunningCluster> {
  if (given !== undefined) return { kubeconfig: given, stop: () => undefined }
  const kubeconfig = join(folder, 'kubeconfig')
  const flags = ['up', '--memory', '--port', '0', '--nodes', NODES, '--kubeconfig', kubeconfig]
  const server = spawn(join(root, 'bin/dinghy'), flags, {
    stdio: ['ignore', 'pipe', openSync(join(folder, 'server.log'), 'w')],
  })
  if (!server.stdout) throw new Error('no output')
  for await (const line of createInterface({ input: server.stdout })) {
    if (!line.includes('ready in')) continue
    server.stdout.resume()
    return { kubeconfig, stop: () => void server.kill('SIGTERM') }
  }
  throw new Error('the cluster did not start')
}

/** Tells the simulated nodes which images cannot be pulled. */
export function declareMissingImages(kubectl: string, kubeconfig: string): void {
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'simulate.dinghy.dev', namespace: 'kube-system' },
    data: { 'missing-images': MISSING_IMAGES.join(' ') },
  }
  const flags = [`--kubeconfig=${kubeconfig}`, 'apply', '--server-side', '-f', '-']
  execFileSync(kubectl, flags, { input: JSON.stringify(object), stdio: ['pipe', 'ignore', 'inherit'] })
}
