// What the house's tests look at: the files of the repository, as git lists them or, outside of git, as they lie.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/schema/facts.ts'

export const ROOT = packageRoot()

/** Whether `make build` has been run: some tests look at what it made. */
export const BUILT = existsSync(join(ROOT, 'dist/types/index.d.ts'))

/** What git ignores (.gitignore), for a copy without its repository. */
const IGNORED = /^(node_modules|dist|certs|\.cache|\.git)\/|\.tmp$/

/** Paths of all files that are committed, or would be. */
export function repositoryFiles(): string[] {
  const asked = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  if (asked.status !== 0) return filesBelow('')
  return [...new Set(asked.stdout.split('\n'))].filter((path) => path !== '' && existsSync(join(ROOT, path)))
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder + entry.name
    if (IGNORED.test(entry.isDirectory() ? `${path}/` : path)) return []
    return entry.isDirectory() ? filesBelow(`${path}/`) : [path]
  })
}

export const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

export const jsonOf = <T>(path: string): T => JSON.parse(textOf(path)) as T
