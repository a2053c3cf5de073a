// What is published: the files of the package, its dependencies, and that it can be imported, with types.
import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { BUILT, jsonOf, ROOT } from './repository.ts'

interface Locked {
  readonly dependencies?: Record<string, string>
  readonly optionalDependencies?: Record<string, string>
  readonly resolved?: string
}

const lock = jsonOf<{ packages: Record<string, Locked> }>('package-lock.json')

test('the lock file has every package that another needs, on every platform', () => {
  const missing = Object.entries(lock.packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !found(path, name))
      .map((name) => `${name}, for ${path}`),
  )
  expect(missing).toEqual([])
})

/** As node looks for packages: in the own node_modules, then in those above. */
function found(from: string, name: string): boolean {
  for (let path = from; ; path = path.slice(0, Math.max(0, path.lastIndexOf('/node_modules/')))) {
    if (Object.hasOwn(lock.packages, `${path === '' ? '' : `${path}/`}node_modules/${name}`)) return true
    if (path === '') return false
    if (!path.includes('/node_modules/')) path = `/node_modules/${path}`
  }
}

test('the lock file names no host', () => {
  expect(Object.keys(lock.packages).filter((path) => lock.packages[path]?.resolved !== undefined)).toEqual([])
})

/** What the program reads of api/openapi when it runs, by name. */
function factsThatAreRead(): string[] {
  const found = sources('src').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/readFacts(?:<[^(]*>)?\('([\w-]+)'\)/g)].map(([, name]) => name),
  )
  expect(found).toContain('resources')
  return found.map((name) => `api/openapi/${name}.json`)
}

const sources = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(ROOT, folder, file))

/** The compiler and npm take their time where others load the machine. */
const SLOW = { timeout: 180_000 }

describe.skipIf(!BUILT)('of what was built', SLOW, () => {
  const work = mkdtempSync(join(tmpdir(), 'dinghy-package-'))
  afterAll(() => rmSync(work, { recursive: true, force: true }))

  test('the package holds what it needs, and no more', () => {
    const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const [{ files }] = JSON.parse(packed) as [{ files: { path: string }[] }]
    const paths = files.map(({ path }) => path)
    const needed = [
      'LICENSE',
      'README.md',
      'package.json',
      'bin/dinghy',
      'dist/dinghy.cjs',
      'dist/index.js',
      'dist/types/index.d.ts',
      'dist/descriptions.json',
      'dist/NOTICES.txt',
      'api/openapi/types/io.k8s.api.core.v1.json',
      ...factsThatAreRead(),
    ]
    expect(needed.filter((path) => !paths.includes(path))).toEqual([])
    const known = /^(bin|dist|api\/openapi|docs)\/|^(LICENSE|README\.md|package\.json)$/
    expect(paths.filter((path) => !known.test(path) || /\btests?\b/.test(path))).toEqual([])
  })

  test('another project imports it, with types, and starts a cluster', () => {
    mkdirSync(join(work, 'node_modules/@types'), { recursive: true })
    symlinkSync(ROOT, join(work, 'node_modules/dinghy'))
    symlinkSync(join(ROOT, 'node_modules/@types/node'), join(work, 'node_modules/@types/node'))
    writeFileSync(join(work, 'package.json'), '{ "type": "module" }')
    writeFileSync(
      join(work, 'use.ts'),
      `import { type Cluster, startCluster } from 'dinghy'
       const cluster: Cluster = await startCluster({ bindAddress: '127.0.0.1' })
       const port: number = Number(new URL(cluster.url).port)
       console.log(port > 0, cluster.kubeconfig.includes(cluster.url))
       await cluster.stop()`,
    )
    const strict = '--strict --module nodenext --target es2023 --types node'.split(' ')
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    execFileSync(process.execPath, [tsc, ...strict, 'use.ts'], { cwd: work })
    const said = execFileSync(process.execPath, ['use.js'], { cwd: work, encoding: 'utf8' })
    expect(said).toBe('true true\n')
  })
})
