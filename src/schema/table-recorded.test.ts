// The tables that upstream was recorded to answer with: the objects that the scenarios create, filled up as far as the
// cells show it.
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { type TableOptions, tableOf, tableRows } from './table.ts'

const NOW = Date.parse('2026-05-01T00:10:00Z')
const CREATED = '2026-05-01T00:00:00Z'
const OPTIONS: TableOptions = { now: NOW, version: 'v1', includeObject: 'None' }

const ORACLE = new URL('../../../shared/oracle/', import.meta.url)
type Step = { do: string; body?: JsonObject }
type Answer = { body: { kind: string; columnDefinitions?: JsonObject[]; rows: { cells: Json[] }[] | null } }

const DEFAULTS: Readonly<Record<string, JsonObject>> = {
  deployments: { spec: { replicas: 1 } },
  replicasets: { spec: { replicas: 1 } },
  statefulsets: { spec: { replicas: 1 } },
  pods: { status: { phase: 'Pending' } },
  secrets: { type: 'Opaque' },
  persistentvolumes: {
    spec: { volumeMode: 'Filesystem', persistentVolumeReclaimPolicy: 'Retain' },
    status: { phase: 'Pending' },
  },
  persistentvolumeclaims: { spec: { volumeMode: 'Filesystem' }, status: { phase: 'Pending' } },
  priorityclasses: { preemptionPolicy: 'PreemptLowerPriority' },
  csidrivers: { spec: { volumeLifecycleModes: ['Persistent'] } },
  cronjobs: { spec: { suspend: false } },
  jobs: { spec: { completions: 1, parallelism: 1 } },
  certificatesigningrequests: { spec: { username: 'admin' } },
  services: { spec: { type: 'ClusterIP' } },
}

function merged(target: JsonObject, patch: JsonObject): JsonObject {
  const result = { ...target }
  for (const [key, value] of Object.entries(patch)) {
    const old = result[key]
    const deep = value !== null && typeof value === 'object' && !Array.isArray(value)
    result[key] =
      deep && typeof old === 'object' && !Array.isArray(old) ? merged(old ?? {}, value) : (value ?? null)
  }
  return result
}

const PATH = /^(\w+) \/(?:api|apis\/([^/]+))\/([^/]+)\/(?:namespaces\/[^/]+\/)?([a-z]+)(?:\/([^/?]+))?/

/** Values that the server picked are compared as what they are, not which. */
const comparable = (cell: Json): Json =>
  typeof cell === 'string' && /^(\d+[smhdy])+$/.test(cell)
    ? '<age>'
    : typeof cell === 'string'
      ? cell
          .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/, '<time>')
          .replaceAll('${ID}', '<id>')
          .replace(/^10\.\d+\.\d+\.\d+$/, '<clusterip>')
      : cell

function replay(
  steps: readonly Step[],
  answers: readonly Answer[],
): { got: Json; want: Json; path: string }[] {
  const store = new Map<string, Map<string, JsonObject>>()
  const compared: { got: Json; want: Json; path: string }[] = []
  steps.forEach((step, i) => {
    const [, method, group = '', version = '', name = '', item = ''] = PATH.exec(step.do) ?? []
    const objects = store.get(name) ?? new Map<string, JsonObject>()
    store.set(name, objects)
    const body = step.body ?? {}
    if (method === 'POST') {
      const metadata = body.metadata as JsonObject
      const filled = merged(DEFAULTS[name] ?? {}, body)
      objects.set(String(metadata.name), merged(filled, { metadata: { creationTimestamp: CREATED } }))
    } else if (method === 'PATCH') {
      objects.set(item, merged(objects.get(item) ?? {}, body))
    } else if (method === 'GET') {
      const of = { group, version, name, kind: '' }
      const cells = (o: JsonObject): Json[] => tableRows(of, o as KubeObject, { now: NOW })[0]?.cells ?? []
      const rows = [...objects.values()].map((o) => cells(o).map(comparable))
      const want = answers[i]?.body.rows?.map((row) => row.cells) ?? []
      compared.push({ got: rows, want, path: step.do })
    }
  })
  return compared
}

describe.skipIf(!existsSync(ORACLE))('recorded tables', () => {
  const read = <T>(file: string): T => JSON.parse(readFileSync(new URL(file, ORACLE), 'utf8')) as T
  const { scenarios } = existsSync(ORACLE)
    ? read<{ scenarios: { name: string; steps: Step[] }[] }>('scenarios/list.json')
    : { scenarios: [] }
  const recorded = existsSync(ORACLE) ? read<Record<string, Answer[]>>('recorded/list.json') : {}

  // In these the server itself changes what is shown: selectors, cluster IPs, conditions.
  const FILLED = ['rows of more pods', 'rows of jobs', 'rows of services and their kin']
  const rows = scenarios.filter(({ name }) => name.startsWith('rows of') && !FILLED.includes(name))
  it.each(rows)('$name', ({ name, steps }) => {
    const compared = replay(steps, recorded[name] ?? [])
    expect(compared.length).toBeGreaterThan(0)
    for (const { got, want } of compared) expect(got).toEqual(want)
  })

  it('have the same columns', () => {
    let compared = 0
    for (const { name, steps } of scenarios.filter((s) => s.name.startsWith('columns of'))) {
      steps.forEach((step, i) => {
        const [, , group = '', version = '', plural = ''] = PATH.exec(step.do) ?? []
        const body = recorded[name]?.[i]?.body
        if (body?.columnDefinitions === undefined) return
        const table = tableOf({ group, version, name: plural, kind: '' }, [], {}, OPTIONS)
        const bare = (columns: JsonObject[]): JsonObject[] => columns.map((c) => ({ ...c, description: '' }))
        expect(bare(table.columnDefinitions as JsonObject[])).toEqual(bare(body.columnDefinitions))
        expect(table.rows).toEqual(body.rows)
        compared++
      })
    }
    expect(compared).toBeGreaterThan(50)
  })
})
