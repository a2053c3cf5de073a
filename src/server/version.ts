// /version. Follows k8s.io/apimachinery/pkg/version.
import type { Router } from 'express'

export const KUBERNETES_VERSION = 'v1.36.3'

export interface BuildInfo {
  /** Our own version and commit, in gitCommit's place. */
  readonly build: string
  readonly buildDate: string
}

/** What the server says it is: upstream's release, our build. */
export function versionInfo({ build, buildDate }: BuildInfo): Record<string, string> {
  return {
    major: '1',
    minor: '36',
    emulationMajor: '1',
    emulationMinor: '36',
    minCompatibilityMajor: '1',
    minCompatibilityMinor: '35',
    gitVersion: KUBERNETES_VERSION,
    gitCommit: build,
    gitTreeState: '',
    buildDate,
    goVersion: `node${process.versions.node}`,
    compiler: 'v8',
    platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  }
}

export function serveVersion(router: Router, info: BuildInfo): void {
  router.get('/version', (_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(versionInfo(info), null, 2))
  })
}
