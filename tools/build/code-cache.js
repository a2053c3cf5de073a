// Part of the build: the compiled code of the functions that a start and first requests need, beside each chunk.
// The built program runs twice, on an empty folder and on the data that it left, with the flags that it always has
// (V8 refuses code made under others). When it ends, code-writer.cjs, loaded into it, writes what V8 has compiled.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'

const WRITER = 'tools/build/code-writer.cjs'
const JSON_TYPE = 'application/json'

/** What most clients do first. */
const TOUR = [
  ['GET', '/readyz'],
  ['GET', '/version'],
  ['GET', '/api'],
  ['GET', '/apis'],
  ['GET', '/openapi/v3'],
  ['POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } }],
  [
    'POST',
    '/api/v1/namespaces/default/configmaps',
    { metadata: { name: 'a', labels: { a: 'b' } }, data: { a: 'b' } },
  ],
  [
    'POST',
    '/api/v1/namespaces/default/pods',
    {
      metadata: { name: 'a' },
      spec: { containers: [{ name: 'a', image: 'a', ports: [{ containerPort: 80 }] }] },
    },
  ],
  ['GET', '/api/v1/namespaces/default/pods/a'],
  ['GET', '/api/v1/namespaces/default/pods?labelSelector=a%3Db&limit=5'],
  ['GET', '/api/v1/namespaces/default/configmaps?watch=true&timeoutSeconds=1'],
  ['PATCH', '/api/v1/namespaces/default/pods/a', { metadata: { labels: { a: 'b' } } }],
  ['DELETE', '/api/v1/namespaces/default/pods/a', { gracePeriodSeconds: 0 }],
  ['DELETE', '/api/v1/namespaces/default/configmaps/a'],
]

/** Writes dist/**.code; `root` is the project's folder, built. Rejects when the program does not start. */
export async function cacheCode(root) {
  const folder = mkdtempSync(join(tmpdir(), 'dinghy-build-'))
  try {
    await run(root, folder)
    await run(root, folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function run(root, folder) {
  const kubeconfig = join(folder, 'kubeconfig')
  const args = ['up', '--port', '0', '--data-dir', join(folder, 'data'), '--kubeconfig', kubeconfig]
  const program = spawn(join(root, 'bin/dinghy'), args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: `--require ${JSON.stringify(join(root, WRITER))}` },
  })
  const ended = once(program, 'exit')
  try {
    const [said] = await Promise.race([once(program.stdout, 'data'), ended])
    if (!Buffer.isBuffer(said)) throw new Error('the built program does not start')
    for (const [method, path, body] of TOUR) await ask(kubeconfig, { method, path, body })
  } finally {
    program.kill()
    await ended
  }
}

function ask(kubeconfig, { method, path, body }) {
  const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8'))
  const [{ cluster }] = clusters
  const [{ user }] = users
  const bytes = (text) => Buffer.from(text, 'base64')
  const type = method === 'PATCH' ? 'application/strategic-merge-patch+json' : JSON_TYPE
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, cluster.server), {
      method,
      headers: { accept: JSON_TYPE, ...(body && { 'content-type': type }) },
      ca: bytes(cluster['certificate-authority-data']),
      cert: bytes(user['client-certificate-data']),
      key: bytes(user['client-key-data']),
    })
    sent.on('error', reject)
    sent.on('response', (answer) => answer.resume().on('end', resolve))
    sent.end(body && JSON.stringify(body))
  })
}
