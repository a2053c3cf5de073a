// The user's kubeconfig keeps what was in it.
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parse } from 'yaml'
import { defaultKubeconfigPath, kubeconfigText, mergeKubeconfig, writeKubeconfig } from './kubeconfig.ts'

const entry = {
  name: 'dinghy',
  server: 'https://127.0.0.1:6443',
  caCert: 'CA\n',
  clientCert: 'CERT\n',
  clientKey: 'KEY\n',
}
const alone = {
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'dinghy', cluster: { server: entry.server, 'certificate-authority-data': 'Q0EK' } }],
  users: [{ name: 'dinghy', user: { 'client-certificate-data': 'Q0VSVAo=', 'client-key-data': 'S0VZCg==' } }],
  contexts: [{ name: 'dinghy', context: { cluster: 'dinghy', user: 'dinghy' } }],
  'current-context': 'dinghy',
}
let dir: string
let path: string

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kubeconfig-'))
  path = join(dir, '.kube', 'config')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const given = (text: string): void => {
  mkdirSync(join(dir, '.kube'), { recursive: true })
  writeFileSync(path, text)
}
const read = (): string => readFileSync(path, 'utf8')

test('without a file, makes folder and file for the owner only', async () => {
  await mergeKubeconfig(path, entry)
  expect(parse(read())).toEqual(alone)
  expect(read()).toBe(kubeconfigText(entry))
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(statSync(join(dir, '.kube')).mode & 0o777).toBe(0o700)
})

test('other lines, comments and order stay; the context is added and current', async () => {
  const before = `# my clusters
kind: Config
apiVersion: v1
preferences: {}
current-context: work # do not touch
contexts:
  # the one that pays
  - name: work
    context: {cluster: work, user: me, namespace: shop}
users:
  - name: me
    user:
      exec:
        command: "login"
        args: ['--flag', "two words"]
clusters:
  - name: work
    cluster:
      server: https://work.example:6443
`
  given(before)
  chmodSync(path, 0o644)
  await mergeKubeconfig(path, entry)
  const kept = read().split('\n')
  for (const line of before.split('\n').filter((l) => !l.startsWith('current-context'))) {
    expect(kept).toContain(line)
  }
  const [old, now] = [parse(before), parse(read())] as [typeof alone, typeof alone]
  expect(Object.keys(now)).toEqual(Object.keys(old))
  for (const list of ['clusters', 'users', 'contexts'] as const) {
    expect(now[list]).toEqual([...old[list], ...alone[list]])
  }
  expect(now['current-context']).toBe('dinghy')
  expect(read()).toContain('# do not touch')
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('a file as kubectl writes it keeps every line', async () => {
  const before = kubeconfigText({ ...entry, name: 'work' }).replaceAll('"', '')
  given(before)
  await mergeKubeconfig(path, entry)
  const kept = read().split('\n')
  for (const line of before.split('\n').filter((l) => !l.startsWith('current-context'))) {
    expect(kept).toContain(line)
  }
})

test('a second merge replaces our entries in their place', async () => {
  given(kubeconfigText({ ...entry, name: 'a' }))
  await mergeKubeconfig(path, entry)
  await mergeKubeconfig(path, { ...entry, name: 'z' })
  await mergeKubeconfig(path, { ...entry, server: 'https://127.0.0.1:7777' })
  const now = parse(read()) as typeof alone
  expect(now.clusters.map((c) => c.name)).toEqual(['a', 'dinghy', 'z'])
  expect(now.clusters[1]?.cluster.server).toBe('https://127.0.0.1:7777')
  expect(now.users).toHaveLength(3)
})

test.each([
  ['empty', ''],
  [
    'empty lists, as kubectl writes them',
    'apiVersion: v1\nclusters: []\ncontexts: []\nusers: []\nkind: Config\n',
  ],
  ['null lists', 'clusters: null\ncontexts: null\nusers: null\ncurrent-context: ""\n'],
  ['JSON', '{"apiVersion":"v1","kind":"Config","clusters":[],"users":[],"contexts":[]}'],
  ['a comment alone', '# nothing here\n'],
])('%s', async (_, text) => {
  given(text)
  await mergeKubeconfig(path, entry)
  expect(parse(read())).toEqual(alone)
})

test.each([
  ['broken YAML', 'clusters: [', /not valid YAML/],
  ['a list', '- a\n', /holds no mapping/],
  ['clusters of another type', 'clusters: {}\n', /clusters is no list/],
])('%s is refused and left as it was', async (_, text, message) => {
  given(text)
  await expect(mergeKubeconfig(path, entry)).rejects.toThrow(message)
  expect(read()).toBe(text)
  expect(readdirSync(join(dir, '.kube'))).toEqual(['config'])
})

test('a link stays a link', async () => {
  mkdirSync(join(dir, '.kube'))
  writeFileSync(join(dir, 'real'), '')
  symlinkSync(join(dir, 'real'), path)
  await mergeKubeconfig(path, entry)
  expect(lstatSync(path).isSymbolicLink()).toBe(true)
  expect(parse(readFileSync(join(dir, 'real'), 'utf8'))).toEqual(alone)
})

test('a folder, or a path through a file, is one clear line', async () => {
  await expect(mergeKubeconfig(dir, entry)).rejects.toThrow(/is a folder/)
  writeFileSync(join(dir, 'file'), '')
  expect(() => writeKubeconfig(join(dir, 'file', 'config'), 'x')).toThrow(/a part of its path is a file/)
})

test('the first file of KUBECONFIG, else the one at home', () => {
  expect(defaultKubeconfigPath({ KUBECONFIG: ':/a:/b' })).toBe('/a')
  expect(defaultKubeconfigPath({})).toMatch(/\.kube\/config$/)
})
