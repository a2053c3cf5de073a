// Finds and reads the facts of the release: the JSON files of api/openapi at the package's root.
// The same code runs from src/ (tests) and from the bundle in dist/, so the root is found by walking up.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PACKAGE_NAME = 'dinghy'

let root: string | undefined

/** The folder that holds this package's package.json. Throws when there is none above this file. */
export function packageRoot(): string {
  root ??= findRoot(dirname(fileURLToPath(import.meta.url)))
  return root
}

function findRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (
      existsSync(file) &&
      (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name === PACKAGE_NAME
    ) {
      return folder
    }
    if (folder === dirname(folder)) throw new Error(`no package.json of ${PACKAGE_NAME} above ${start}`)
  }
}

/** Parses api/openapi/NAME.json; throws where there is none. Keeps nothing: the caller does. */
export function readFacts<T>(name: string): T {
  return JSON.parse(readFileSync(join(packageRoot(), 'api/openapi', `${name}.json`), 'utf8')) as T
}

/** The names of the JSON files in a folder of api/openapi, without their ending. */
export function factNames(folder: string): string[] {
  const files = readdirSync(join(packageRoot(), 'api/openapi', folder))
  return files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length))
}
