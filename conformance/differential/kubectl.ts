// Types the same into stock kubectl 1.36 for a kube-apiserver and for this server, and compares all that it prints: rich
// objects of every built-in kind described and shown in every form, then every generator and every command that changes
// objects (kubectl-lines.ts).
//
//	node tools/run.js conformance/differential/kubectl.ts -- --upstream URL --ours URL [--token T] [KIND...]
//	   --bases N  objects of each kind (2)    --only objects|lines    --verbose  all of each difference
//
// Both take the token (secret) as an administrator's. Ends with `N answers, M differ`; exits 1 where some do.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeCertificate, makePrivateKey, readPrivateKey } from '../../src/pki/certificate.ts'
import type { Resource } from '../../src/schema/resource.ts'
import { storedResources } from '../../test/etcd/kinds.ts'
import { kubectlPath } from '../../tools/kubectl/programs.ts'
import { collection, hasShared } from './bases.ts'
import { makeObjects } from './kubectl-objects.ts'
import { LINES } from './kubectl-lines.ts'
import { named, Servers, SERVERS } from './servers.ts'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...SERVERS,
    bases: { type: 'string', default: '2' },
    only: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
})

const OF_OBJECTS = 'differential'
const OF_LINES = 'kubectl-lines'
const TIMEOUT_MS = 60_000
const MAX_OUTPUT = 64 * 1024 * 1024
const SHOWN = 12

const FORMS = [
  ['describe'],
  ['get', '-o', 'wide'],
  ['get', '-o', 'yaml'],
  ['get', '-o', 'json'],
  ['get', '--show-labels'],
] as const

/** What each server draws for itself, what is as old as it is, and the blanks that make columns of it. */
const DRAWN: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uid>'],
  [/20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z/g, '<time>'],
  [/[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} 20[0-9]{2} [0-9:]{8} [+-][0-9]{4}/g, '<time>'],
  [/resourceVersion: "[0-9]+"|"resourceVersion": "[0-9]+"/g, '<version>'],
  [/Resource Version: +[0-9]+/g, '<version>'],
  [/10\.(?:96|200)\.[0-9]+\.[0-9]+/g, '<address>'],
  [/\b3[0-2][0-9]{3}\b/g, '<port>'],
  [/kube-api-access-[a-z0-9]{5}/g, '<volume>'],
  [/\b(?:[0-9]+(?:d|h|m|s|ms))+\b|<invalid>/g, '<age>'],
  [/https:\/\/127\.0\.0\.1:[0-9]+/g, '<server>'],
  [/[ \t]+/g, ' '],
]

const settled = (text: string): string =>
  DRAWN.reduce((all, [pattern, put]) => all.replaceAll(pattern, put), text)

interface Typed {
  readonly args: readonly string[]
  readonly namespace: string
}

class Kubectls {
  readonly folder = mkdtempSync(join(tmpdir(), 'dinghy-kubectl-'))
  readonly #program: string
  answers = 0
  differing = 0

  constructor(program: string, servers: { upstream: string; ours: string }) {
    this.#program = program
    this.#config('theirs', servers.upstream)
    this.#config('ours', servers.ours)
  }

  #config(name: string, server: string): void {
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user: { token: options.token } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'c',
    }
    writeFileSync(join(this.folder, name), JSON.stringify(config))
  }

  #run(name: string, { args, namespace }: Typed): Promise<string> {
    const own = ['--kubeconfig', join(this.folder, name), '--cache-dir', join(this.folder, `cache-${name}`)]
    return new Promise((resolve) => {
      execFile(
        this.#program,
        [...own, '--namespace', namespace, ...args],
        { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT, env: { HOME: this.folder } },
        (error, stdout, stderr) =>
          resolve(settled(`${stdout}\n${stderr}\n${error ? `exit ${error.code}` : ''}`)),
      )
    })
  }

  /** The same on both, and what differs of it. */
  async type(typed: Typed): Promise<void> {
    const [theirs, ours] = await Promise.all([this.#run('theirs', typed), this.#run('ours', typed)])
    this.answers++
    if (theirs === ours) return
    this.differing++
    console.log(`kubectl ${typed.args.join(' ')}`)
    for (const line of differingLines(theirs, ours).slice(0, options.verbose ? undefined : SHOWN))
      console.log(`    ${line}`)
  }

  end(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Lines that only one of them has. */
function differingLines(theirs: string, ours: string): string[] {
  const [left, right] = [theirs.split('\n'), ours.split('\n')]
  const lack = (some: readonly string[], others: readonly string[]): string[] => {
    const rest = [...others]
    return some.filter((line) => {
      const at = rest.indexOf(line)
      if (at >= 0) rest.splice(at, 1)
      return at < 0
    })
  }
  const found = [
    ...lack(left, right).map((line) => `- ${line}`),
    ...lack(right, left).map((line) => `+ ${line}`),
  ]
  return found.length ? found : ['the same lines in another order']
}

const reference = ({ group, version, name }: Resource): string =>
  group ? `${name}.${version}.${group}` : name

async function everyKind(kubectls: Kubectls, servers: Servers): Promise<void> {
  const all = storedResources().filter(({ group, name }) => {
    return positionals.length === 0 || positionals.includes(group ? `${name}.${group}` : name)
  })
  for (const resource of all) {
    const made = await makeObjects(servers, resource, Number(options.bases))
    if (!made.length) console.log(`no object of ${reference(resource)} could be made at both`)
    for (const { name } of made) {
      for (const [verb, ...form] of FORMS) {
        await kubectls.type({ args: [verb, reference(resource), name, ...form], namespace: OF_OBJECTS })
      }
    }
    for (const { name } of made) {
      const path = `${collection(resource)}/${name}`
      await servers.send('DELETE', `${path}?gracePeriodSeconds=0&propagationPolicy=Background`)
      await servers.send('PATCH', path, { metadata: { finalizers: null } })
    }
  }
}

async function certificateFiles(folder: string): Promise<Record<string, string>> {
  const key = makePrivateKey()
  const DAY = 86_400_000
  const certificate = await makeCertificate(
    {
      subject: { commonName: 'lines', organizations: [] },
      isCa: false,
      usages: ['server'],
      hosts: ['localhost'],
      notBefore: new Date(Date.now() - DAY),
      notAfter: new Date(Date.now() + DAY),
    },
    readPrivateKey(key),
  )
  writeFileSync(join(folder, 'tls.crt'), certificate)
  writeFileSync(join(folder, 'tls.key'), key)
  return { '@ca': join(folder, 'tls.crt'), '@key': join(folder, 'tls.key') }
}

async function everyLine(kubectls: Kubectls, servers: Servers): Promise<void> {
  const files = await certificateFiles(kubectls.folder)
  await namespace(servers, OF_LINES)
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'lines-node', labels: { zone: 'a' } } }
  await servers.send('POST', '/api/v1/nodes', node)
  for (const line of LINES) {
    const args = line.split(' ').map((word) => {
      const [flag = '', file] = word.split('=')
      return file !== undefined && files[file]
        ? `${flag}=${files[file]}`
        : word.replaceAll('_', blankIn(word))
    })
    const shown =
      /^(create|run|expose|autoscale|set|label|annotate|patch) /.test(line) && !args.includes('-o')
    const at = args.includes('--') ? args.indexOf('--') : args.length
    const makes = shown && !/--list|--cascade|token/.test(line)
    await kubectls.type({
      args,
      namespace: OF_LINES,
      ...(makes && { args: args.toSpliced(at, 0, '-o', 'yaml') }),
    })
  }
}

/** A blank in a word of a line is written as `_`, but for names that have one. */
const blankIn = (word: string): string => (/^[A-Z]_?|--prefix/.test(word) ? '_' : ' ')

async function namespace(servers: Servers, name: string): Promise<void> {
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
  await servers.send('POST', '/api/v1/namespaces', object)
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
  await servers.send('POST', `/api/v1/namespaces/${name}/serviceaccounts`, account)
}

async function main(): Promise<number> {
  if (!hasShared()) {
    console.log('needs ../shared/upstream: nothing is compared')
    return 0
  }
  const servers = new Servers(options)
  const kubectls = new Kubectls(await kubectlPath('1.36'), named(options))
  try {
    await namespace(servers, OF_OBJECTS)
    if (options.only !== 'lines') await everyKind(kubectls, servers)
    if (options.only !== 'objects') await everyLine(kubectls, servers)
  } finally {
    servers.close()
    kubectls.end()
  }
  console.log(`${kubectls.answers} answers, ${kubectls.differing} differ`)
  return kubectls.differing > 0 ? 1 : 0
}

process.exitCode = await main()
