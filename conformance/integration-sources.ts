// Where integration.ts gets upstream's test packages: a Go module cache made of links to the real one, in which the few
// files that start a kube-apiserver are others, and a module that requires what Kubernetes requires.
import { execFileSync, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

const KUBERNETES = 'k8s.io/kubernetes@v1.36.3'
const EXTENSIONS = 'k8s.io/apiextensions-apiserver@v0.36.3'
/** The staging modules of the release have this version. */
const STAGING = 'v0.36.3'

/** Files of conformance/integration, and what they stand for. */
const REPLACED: readonly (readonly [own: string, module: string, path: string])[] = [
  ['process.go', KUBERNETES, 'cmd/kube-apiserver/app/testing/process.go'],
  ['testserver.go', KUBERNETES, 'cmd/kube-apiserver/app/testing/testserver.go'],
  ['framework.go', KUBERNETES, 'test/integration/framework/test_server.go'],
  ['extensions.go', EXTENSIONS, 'pkg/cmd/server/testing/testserver.go'],
]

export interface Sources {
  /** For GOMODCACHE. */
  readonly cache: string
  /** The folder with go.mod. */
  readonly module: string
}

/** Makes both below `output`, once; the replaced files are copied each time. */
export function sources(root: string, output: string): Sources {
  const real = execFileSync('go', ['env', 'GOMODCACHE'], { encoding: 'utf8' }).trim()
  const found = { cache: join(output, 'mod'), module: join(output, 'module') }
  mkdirSync(found.module, { recursive: true })
  execFileSync('go', ['mod', 'download', KUBERNETES, EXTENSIONS], { cwd: output, stdio: 'inherit' })
  const kubernetes = join(real, KUBERNETES)
  if (!existsSync(join(found.module, 'go.mod'))) {
    writeFileSync(join(found.module, 'go.mod'), moduleOf(readFileSync(join(kubernetes, 'go.mod'), 'utf8')))
    copyFileSync(join(kubernetes, 'go.sum'), join(found.module, 'go.sum'))
  }
  mkdirSync(join(found.cache, 'k8s.io'), { recursive: true })
  for (const folder of ['', 'k8s.io']) linkAll(join(real, folder), join(found.cache, folder))
  for (const module of [KUBERNETES, EXTENSIONS]) ownCopy(join(real, module), join(found.cache, module))
  for (const [own, module, path] of REPLACED) {
    const target = join(found.cache, module, path)
    rmSync(target, { force: true })
    copyFileSync(join(root, 'conformance/integration', own), target)
  }
  return found
}

/** What Kubernetes' own module requires, where its workspace has the staging modules beside it. */
function moduleOf(text: string): string {
  const modules = [...text.matchAll(/^\s+(k8s\.io\/\S+) v0\.0\.0(?:\s|$)/gm)].map(
    ([, name]) => name as string,
  )
  const replace = [...new Set(modules)].map((name) => `\t${name} => ${name} ${STAGING}\n`).join('')
  const [path, version] = KUBERNETES.split('@') as [string, string]
  const go = /^go .*$/m.exec(text)?.[0] ?? ''
  // Its own replacements lead to folders that the module does not have.
  const required = text.slice(text.indexOf('require ('), text.search(/^replace/m))
  return `module integration\n\n${go}\n\nrequire ${path} ${version}\n\n${required}\nreplace (\n${replace})\n`
}

function linkAll(from: string, to: string): void {
  for (const name of readdirSync(from)) {
    const link = join(to, name)
    if (name !== 'k8s.io' && !existsSync(link)) symlinkSync(join(from, name), link)
  }
}

/** A copy whose files are links to the others', and whose folders may be written to. */
function ownCopy(from: string, to: string): void {
  if (existsSync(join(to, '.copied'))) return
  rmSync(to, { recursive: true, force: true })
  execFileSync('cp', ['-al', from, to])
  execFileSync('find', [to, '-type', 'd', '-exec', 'chmod', 'u+w', '{}', '+'])
  writeFileSync(join(to, '.copied'), '')
}

/** Compiles the tests of a package ("apiserver/apply"; "extensions" is apiextensions-apiserver's). Throws where it cannot be. */
export function compiled(
  name: string,
  { output, cache, module }: Sources & { output: string },
): { file: string; folder: string } {
  const isExtensions = /^extensions(\/|$)/.test(name)
  const below = isExtensions ? name.slice('extensions'.length) : `/${name}`
  const [path] = (isExtensions ? EXTENSIONS : KUBERNETES).split('@') as [string]
  const file = join(output, 'bin', `${name.replaceAll('/', '_')}.test`)
  const env = {
    ...process.env,
    GOMODCACHE: cache,
    // Go keeps lists of what packages of its cache import; ours import something else.
    GODEBUG: 'goindex=0',
    GOFLAGS: '-mod=mod -trimpath -buildvcs=false',
  }
  const args = ['test', '-c', '-ldflags', '-s -w', '-o', file, `${path}/test/integration${below}`]
  const ran = spawnSync('go', args, { cwd: module, env, encoding: 'utf8' })
  if (ran.status !== 0) throw new Error(`${name} does not compile: ${ran.stderr}`)
  const folder = join(cache, isExtensions ? EXTENSIONS : KUBERNETES, 'test/integration', below)
  return { file, folder }
}
