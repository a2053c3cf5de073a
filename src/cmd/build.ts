// Our own version, stamped in by the build.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../schema/facts.ts'
import type { BuildInfo } from '../server/version.ts'

declare const DINGHY_BUILD_DATE: string | undefined

let version: string | undefined

/** "0.1.0", from package.json. */
export function dinghyVersion(): string {
  version ??= (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string })
    .version
  return version
}

export function buildInfo(): BuildInfo {
  const buildDate = typeof DINGHY_BUILD_DATE === 'string' ? DINGHY_BUILD_DATE : '1970-01-01T00:00:00Z'
  return { build: `dinghy-${dinghyVersion()}`, buildDate }
}
