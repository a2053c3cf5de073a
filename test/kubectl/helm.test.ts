// Helm 4, which watches, waits and keeps its releases in Secrets, with changes by patches of the client's making.
import { describe, expect, it } from 'vitest'
import { helmPath } from '../../tools/kubectl/programs.ts'
import { useKubectl } from './driver.ts'

const program = await helmPath().catch((error: unknown) => {
  console.warn(`no helm: ${String(error)}; its tests are skipped`)
  return undefined
})

const DEPLOYMENT = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec: {containers: [{name: c, image: "nginx:{{ .Capabilities.KubeVersion.Minor }}"}]}
{{- if .Values.extra }}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: extra}}
{{- end }}
`

interface Release {
  readonly info: { readonly status: string }
  readonly manifest: string
  readonly version: number
}

describe.skipIf(program === undefined)('helm', () => {
  const helm = useKubectl(program)

  it('installs, upgrades, rolls back and uninstalls', async () => {
    helm.file('chart/Chart.yaml', '{apiVersion: v2, name: chart, version: 0.1.0}')
    helm.file('chart/values.yaml', '{replicas: 1, extra: true}')
    helm.file('chart/templates/all.yaml', DEPLOYMENT)
    const release = async (line: string) => JSON.parse(await helm(`${line} -o json`)) as Release
    const installed = await release('install web chart --server-side=false')
    expect([installed.info.status, installed.version]).toEqual(['deployed', 1])
    expect(installed.manifest).toContain('nginx:36')
    const upgraded = await release('upgrade web chart --set replicas=3 --set extra=false --server-side=false')
    expect([upgraded.info.status, upgraded.version]).toEqual(['deployed', 2])
    expect(await helm('rollback web 1 --server-side=false')).toBe('Rollback was a success! Happy Helming!\n')
    const history = JSON.parse(await helm('history web -o json')) as { status: string; description: string }[]
    expect(history.map(({ status, description }) => `${status}: ${description}`)).toEqual([
      'superseded: Install complete',
      'superseded: Upgrade complete',
      'deployed: Rollback to 1',
    ])
    expect(await helm('get manifest web')).toContain('replicas: 1')
    expect(await helm('uninstall web')).toBe('release "web" uninstalled\n')
    expect(JSON.parse(await helm('list -o json'))).toEqual([])
  })
})
