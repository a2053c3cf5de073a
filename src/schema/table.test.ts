import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { builtinResources, columnsOf } from './resources.ts'
import { parseIncludeObject, type TableOptions, tableOf, tableRows } from './table.ts'

const NOW = Date.parse('2026-05-01T00:10:00Z')
const CREATED = '2026-05-01T00:00:00Z'
const OPTIONS: TableOptions = { now: NOW, version: 'v1', includeObject: 'None' }

const resource = (
  apiVersion: string,
  name: string,
  kind: string,
): { group: string; version: string; name: string; kind: string } => {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
  return { group: group ?? '', version: version ?? '', name, kind }
}
const PODS = resource('v1', 'pods', 'Pod')

const object = (parts: JsonObject, metadata: JsonObject = {}): KubeObject => ({
  metadata: { name: 'a', creationTimestamp: CREATED, ...metadata },
  ...parts,
})
const cellsOf = (of: ReturnType<typeof resource>, what: KubeObject): Json[] =>
  tableRows(of, what, { now: NOW })[0]?.cells ?? []

const terminated = (exitCode: number, more: JsonObject = {}): JsonObject => ({
  terminated: { exitCode, finishedAt: '2026-05-01T00:05:00Z', ...more },
})
const podCells = (status: JsonObject, spec: JsonObject = {}, metadata: JsonObject = {}): Json[] =>
  cellsOf(PODS, object({ spec: { containers: [{ name: 'c' }], ...spec }, status }, metadata)).slice(1, 4)

describe('rows of pods', () => {
  const running = { name: 'c', ready: true, restartCount: 0, state: { running: {} } }

  it.each<[string, JsonObject, Json[]]>([
    ['nothing known', {}, ['0/1', '', '0']],
    ['pending', { phase: 'Pending' }, ['0/1', 'Pending', '0']],
    ['evicted', { phase: 'Failed', reason: 'Evicted' }, ['0/1', 'Evicted', '0']],
    ['running', { phase: 'Running', containerStatuses: [running] }, ['1/1', 'Running', '0']],
    [
      'crashing',
      {
        phase: 'Running',
        containerStatuses: [
          {
            name: 'c',
            restartCount: 3,
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: terminated(1),
          },
        ],
      },
      ['0/1', 'CrashLoopBackOff', '3 (5m ago)'],
    ],
    [
      'completed',
      { containerStatuses: [{ state: terminated(0, { reason: 'Completed' }) }] },
      ['0/1', 'Completed', '0'],
    ],
    [
      'killed by a signal',
      { containerStatuses: [{ state: terminated(137, { signal: 9 }) }] },
      ['0/1', 'Signal:9', '0'],
    ],
    ['failed without a word', { containerStatuses: [{ state: terminated(2) }] }, ['0/1', 'ExitCode:2', '0']],
    [
      'one done, one running but not ready',
      { containerStatuses: [{ state: terminated(0, { reason: 'Completed' }) }, running] },
      ['1/1', 'NotReady', '0'],
    ],
    [
      'one done, one running, pod ready',
      {
        conditions: [{ type: 'Ready', status: 'True' }],
        containerStatuses: [{ state: terminated(0, { reason: 'Completed' }) }, running],
      },
      ['1/1', 'Running', '0'],
    ],
    [
      'gated',
      { phase: 'Pending', conditions: [{ type: 'PodScheduled', reason: 'SchedulingGated' }] },
      ['0/1', 'SchedulingGated', '0'],
    ],
  ])('%s', (_, status, expected) => {
    expect(podCells(status)).toEqual(expected)
  })

  it('with init containers', () => {
    const spec = { initContainers: [{ name: 'i' }, { name: 's', restartPolicy: 'Always' }] }
    const init = (...statuses: JsonObject[]): Json[] => podCells({ initContainerStatuses: statuses }, spec)
    expect(init({ name: 'i', state: { running: {} } })[1]).toBe('Init:0/2')
    expect(init({ name: 'i', state: { waiting: { reason: 'ErrImagePull' } } })[1]).toBe('Init:ErrImagePull')
    expect(init({ name: 'i', state: terminated(1, { reason: 'Error' }) })[1]).toBe('Init:Error')
    expect(init({ name: 'i', state: terminated(1, { signal: 9 }) })[1]).toBe('Init:Signal:9')
    const done = { name: 'i', state: terminated(0), restartCount: 2 }
    expect(init(done, { name: 's', state: { waiting: { reason: 'PodInitializing' } } })).toEqual([
      '0/2',
      'Init:1/2',
      '2',
    ])
    // Restarts of init containers that ended no longer count, those of sidecars do.
    const sidecar = { name: 's', started: true, ready: true, restartCount: 1, lastState: terminated(1) }
    expect(init(done, sidecar)).toEqual(['1/2', '', '1 (5m ago)'])
  })

  it('on their way out', () => {
    const gone = { deletionTimestamp: CREATED }
    expect(podCells({ phase: 'Running' }, {}, gone)[1]).toBe('Terminating')
    expect(podCells({ phase: 'Succeeded' }, {}, gone)[1]).toBe('Succeeded')
    expect(podCells({ phase: 'Running', reason: 'NodeLost' }, {}, gone)[1]).toBe('Unknown')
  })

  it('tell when they are through', () => {
    const row = tableRows(PODS, object({ status: { phase: 'Failed' } }), { now: NOW })[0]
    expect(row?.conditions).toEqual([
      { type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' },
    ])
  })
})

describe('rows of other kinds', () => {
  it('services by type', () => {
    const services = resource('v1', 'services', 'Service')
    const cells = (spec: JsonObject, status: JsonObject = {}): Json[] =>
      cellsOf(services, object({ spec, status })).slice(1, 5)
    expect(cells({ type: 'ClusterIP', clusterIPs: ['None'] })).toEqual([
      'ClusterIP',
      'None',
      '<none>',
      '<none>',
    ])
    expect(
      cells(
        {
          type: 'LoadBalancer',
          clusterIPs: ['10.0.0.1'],
          externalIPs: ['9.9.9.9'],
          ports: [{ port: 80, nodePort: 30080, protocol: 'TCP' }],
        },
        { loadBalancer: { ingress: [{ ip: '2.2.2.2' }, { hostname: 'lb' }, { ip: '2.2.2.2' }] } },
      ),
    ).toEqual(['LoadBalancer', '10.0.0.1', '2.2.2.2,lb,9.9.9.9', '80:30080/TCP'])
    expect(cells({ type: 'LoadBalancer' })[2]).toBe('<pending>')
    expect(cells({ type: 'ExternalName', externalName: 'e.com' })[2]).toBe('e.com')
  })

  it('long lists are cut short', () => {
    const endpoints = resource('v1', 'endpoints', 'Endpoints')
    const subset = {
      addresses: ['1.1.1.1', '::1'].map((ip) => ({ ip })),
      ports: [{ port: 80 }, { port: 443 }],
    }
    expect(cellsOf(endpoints, object({ subsets: [subset] }))[1]).toBe(
      '1.1.1.1:80,[::1]:80,1.1.1.1:443 + 1 more...',
    )
    const ingresses = resource('networking.k8s.io/v1', 'ingresses', 'Ingress')
    const rules = ['a', 'b', 'c', 'd', 'e'].map((host) => ({ host }))
    expect(cellsOf(ingresses, object({ spec: { rules } }))[2]).toBe('a,b,c + 2 more...')
  })

  it('autoscalers with metrics of every source', () => {
    const hpas = resource('autoscaling/v2', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler')
    const metric = (spec: JsonObject, status?: JsonObject): Json | undefined =>
      cellsOf(
        hpas,
        object({ spec: { metrics: [spec] }, status: { currentMetrics: status ? [status] : [] } }),
      )[2]
    const average = { target: { averageValue: '5' } }
    expect(metric({ type: 'External', external: average }, { external: { current: {} } })).toBe(
      '<unknown>/5 (avg)',
    )
    expect(metric({ type: 'Object', object: { target: { value: '3' } } }, { object: { current: {} } })).toBe(
      '<nil>/3',
    )
    expect(metric({ type: 'Resource', resource: { name: 'cpu', target: {} } })).toBe('cpu: <unknown>/<auto>')
    expect(metric({ type: 'Odd' })).toBe('<unknown type>')
    expect(cellsOf(hpas, object({ spec: {} }))[2]).toBe('<none>')
  })

  it('jobs and their durations', () => {
    const jobs = resource('batch/v1', 'jobs', 'Job')
    const cells = (spec: JsonObject, status: JsonObject): Json[] =>
      cellsOf(jobs, object({ spec, status })).slice(1, 4)
    expect(cells({ completions: 3 }, { succeeded: 1, startTime: CREATED })).toEqual(['Running', '1/3', '10m'])
    const complete = { conditions: [{ type: 'Complete', status: 'True' }], startTime: CREATED }
    expect(cells({ parallelism: 4 }, { ...complete, completionTime: '2026-05-01T00:00:30Z' })).toEqual([
      'Complete',
      '0/1 of 4',
      '30s',
    ])
  })

  it('a Scale has its own columns, an unknown kind name and age', () => {
    const deployments = resource('apps/v1', 'deployments', 'Deployment')
    const shown = tableOf(
      deployments,
      [object({ kind: 'Scale', spec: { replicas: 3 }, status: { replicas: 1 } })],
      {},
      OPTIONS,
    )
    expect(shown.rows).toEqual([{ cells: ['a', 3, 1, '10m'], object: null }])
    expect(shown.columnDefinitions).toMatchObject([
      { name: 'Name' },
      { name: 'Desired' },
      { name: 'Available' },
      { name: 'Age' },
    ])
    expect(cellsOf(resource('e.com/v1', 'constructor', 'Widget'), object({}))).toEqual(['a', '10m'])
  })
})

describe('tableOf', () => {
  const secret = object({ apiVersion: 'v1', kind: 'Secret', type: 'Opaque', data: { a: 'Yg==' } })
  const secrets = resource('v1', 'secrets', 'Secret')

  it('embeds what is asked for', () => {
    const embedded = (includeObject: string, what: KubeObject): unknown => {
      const options = { ...OPTIONS, includeObject: parseIncludeObject(includeObject) }
      return (tableOf(secrets, [what], {}, options).rows as JsonObject[])[0]?.object
    }
    expect(embedded('None', secret)).toBeNull()
    expect(embedded('Object', secret)).toBe(secret)
    expect(embedded('', secret)).toEqual({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: secret.metadata,
    })
    const end: KubeObject = { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } }
    expect(embedded('None', end)).toMatchObject({ kind: 'PartialObjectMetadata' })
    expect(() => parseIncludeObject('Odd')).toThrow(
      "Unable to convert to Table as requested: includeObject: Invalid value: \"Odd\": must be 'Metadata', 'Object', 'None', or empty",
    )
  })

  it('states columns once, with the prose it is given', () => {
    const table = tableOf(
      secrets,
      [secret],
      { resourceVersion: '7' },
      {
        ...OPTIONS,
        describe: (definition, field) => `${definition}#${field}`,
      },
    )
    expect(table).toMatchObject({
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { resourceVersion: '7' },
      columnDefinitions: [
        { name: 'Name', type: 'string', format: 'name', priority: 0 },
        { name: 'Type', description: 'io.k8s.api.core.v1.Secret#type' },
        { name: 'Data', description: 'io.k8s.api.core.v1.Secret#data' },
        { name: 'Age', description: 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta#creationTimestamp' },
      ],
    })
    expect(tableOf(secrets, [secret], {}, { ...OPTIONS, headers: false }).columnDefinitions).toBeNull()
  })

  it('orders flow schemas and says null for no rows where upstream does', () => {
    const flowSchemas = resource('flowcontrol.apiserver.k8s.io/v1', 'flowschemas', 'FlowSchema')
    const schema = (name: string, matchingPrecedence: number): KubeObject =>
      object({ spec: { matchingPrecedence } }, { name })
    const list = [schema('c', 2), schema('b', 1), schema('a', 2)]
    const rows = tableOf(flowSchemas, list, {}, OPTIONS).rows as { cells: Json[] }[]
    expect(rows.map((row) => row.cells[0])).toEqual(['b', 'a', 'c'])
    expect(tableOf(secrets, [], {}, OPTIONS).rows).toEqual([])
    expect(tableOf(resource('v1', 'limitranges', 'LimitRange'), [], {}, OPTIONS).rows).toBeNull()
  })
})

describe('every kind', () => {
  const listed = builtinResources().filter(({ verbs }) => verbs.includes('list'))
  const cellCount = (of: ReturnType<typeof resource>): number => columnsOf(of).length
  // One cell more than there are columns, in upstream too.
  const ODD = 'ipaddresses'

  it.each(listed.map((of) => [`${of.group}/${of.version} ${of.name}`, of] as const))(
    '%s fills its columns',
    (_, of) => {
      const empty = tableRows(of, { metadata: {} }, { now: NOW })[0]?.cells ?? []
      expect(empty).toHaveLength(cellCount(of) + (of.name === ODD ? 1 : 0))
      expect(cellCount(of)).toBeGreaterThan(0)
    },
  )

  it('stands objects of any shape', () => {
    const KEYS = [
      'spec',
      'status',
      'subsets',
      'conditions',
      'ports',
      'template',
      'containers',
      'metrics',
      'webhooks',
    ]
    const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<Json>(null, 0, -1, 'x', '', true, [], {}),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...KEYS), tie('tree')) as fc.Arbitrary<Json>,
      ),
    }))
    const shape = fc.dictionary(fc.constantFrom(...KEYS), tree)
    fc.assert(
      fc.property(fc.constantFrom(...listed), shape, (of, parts) => {
        const cells = tableRows(of, object(parts), { now: NOW })[0]?.cells ?? []
        expect(JSON.parse(JSON.stringify(cells))).toEqual(cells)
      }),
      { numRuns: 500, seed: 1 },
    )
  })
})
