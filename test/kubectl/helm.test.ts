// Helm 4, which watches, waits and keeps its releases in Secrets, with changes by patches of the client's making.
import { describe, expect, it } from 'vitest'
import { helmPath } from '../../tools/kubectl/programs.ts'
import { ApiClient } from '../api/client.ts'
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

const DEFINITION = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: boats, singular: boat, kind: Boat, listKind: BoatList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {seats: {type: integer}}}}}}
`
/** A custom resource, and hooks around what is done to it. */
const BOAT = `
{apiVersion: example.com/v1, kind: Boat, metadata: {name: jolly}, spec: {seats: {{ .Values.seats }}}}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: before
  annotations: {helm.sh/hook: "pre-install,pre-upgrade,pre-rollback", helm.sh/hook-delete-policy: before-hook-creation}
data: {revision: "{{ .Release.Revision }}"}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: after
  annotations: {helm.sh/hook: "post-install,post-upgrade", helm.sh/hook-delete-policy: hook-succeeded}
`

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

  it('installs definitions and what they define, and runs hooks', async () => {
    helm.file('boats/Chart.yaml', '{apiVersion: v2, name: boats, version: 0.1.0}')
    helm.file('boats/values.yaml', '{seats: 1}')
    helm.file('boats/crds/boats.yaml', DEFINITION)
    helm.file('boats/templates/boat.yaml', BOAT)
    const api = new ApiClient(helm.cluster())
    const at = async (path: string): Promise<unknown> => (await api.ask('GET', path)).body
    const boat = '/apis/example.com/v1/namespaces/default/boats/jolly'
    const hook = (name: string): string => `/api/v1/namespaces/default/configmaps/${name}`
    // Without it, Helm may look for the new kind before it is served.
    await helm('install fleet boats --wait')
    expect(await at(boat)).toMatchObject({ spec: { seats: 1 } })
    expect(await at(hook('before'))).toMatchObject({ data: { revision: '1' } })
    expect(await at(hook('after'))).toMatchObject({ code: 404 })
    await helm('upgrade fleet boats --set seats=7')
    expect(await at(boat)).toMatchObject({ spec: { seats: 7 } })
    expect(await at(hook('before'))).toMatchObject({ data: { revision: '2' } })
    await helm('rollback fleet 1')
    expect(await at(boat)).toMatchObject({ spec: { seats: 1 } })
    await helm('uninstall fleet')
    expect(await at(boat)).toMatchObject({ code: 404 })
    // What defines resources stays, as Helm has it.
    expect(await at('/apis/example.com/v1')).toMatchObject({ kind: 'APIResourceList' })
    api.close()
  })
})
