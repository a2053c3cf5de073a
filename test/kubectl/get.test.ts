// kubectl get: every way to choose objects and to print them, and watching.
import { beforeAll, describe, expect, it } from 'vitest'
import { findKubectl, type Kubectl, printed, rows, useKubectl } from './driver.ts'

const program = await findKubectl('1.36')

const PODS = `
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata: {name: front, labels: {tier: web, order: "2"}}
  spec: {nodeName: n1, containers: [{name: c, image: "nginx:1"}, {name: side, image: "envoy:1"}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: back, labels: {tier: data, order: "10"}}
  spec: {containers: [{name: c, image: "postgres:1"}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: middle, labels: {order: "1"}}
  spec: {restartPolicy: Never, containers: [{name: c, image: "nginx:2"}]}
`

describe.skipIf(program === undefined).concurrent('kubectl get', () => {
  const kubectl = useKubectl(program)
  let k: Kubectl
  beforeAll(async () => {
    k = await kubectl.namespace('pods')
    await k('create -f -', { stdin: PODS })
    await k('create configmap settings --from-literal=a=b')
    await k('create service clusterip web --tcp=80')
    await k('create deployment web --image=nginx')
  })

  it('prints tables', async () => {
    expect(rows(await k('get pods'))).toEqual([
      ['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE'],
      ['back', '0/1', 'Pending', '0', 'AGE'],
      ['front', '0/2', 'Pending', '0', 'AGE'],
      ['middle', '0/1', 'Pending', '0', 'AGE'],
    ])
    expect(rows(await k('get pod front -o wide'))).toEqual([
      ['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE', 'IP', 'NODE', 'NOMINATED NODE', 'READINESS GATES'],
      ['front', '0/2', 'Pending', '0', 'AGE', '<none>', 'n1', '<none>', '<none>'],
    ])
    expect(rows(await k('get deployment -o wide'))).toEqual([
      ['NAME', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'AGE', 'CONTAINERS', 'IMAGES', 'SELECTOR'],
      ['web', '0/1', '0', '0', 'AGE', 'nginx', 'nginx', 'app=web'],
    ])
    expect(rows(await k('get pods --show-labels -l tier=web'))[1]?.at(-1)).toBe('order=2,tier=web')
    expect(rows(await k('get pods -L tier --no-headers'))).toEqual([
      ['back', '0/1', 'Pending', '0', 'AGE', 'data'],
      ['front', '0/2', 'Pending', '0', 'AGE', 'web'],
      ['middle', '0/1', 'Pending', '0', 'AGE'],
    ])
    expect(rows(await k('get pods --show-kind'))[1]?.[0]).toBe('pod/back')
  })

  it('prints YAML and JSON, one object or a list', async () => {
    const yaml = await k('get configmap settings -o yaml')
    expect(yaml).toMatch(
      /^apiVersion: v1\ndata:\n {2}a: b\nkind: ConfigMap\nmetadata:\n {2}creationTimestamp: "20.*Z"\n {2}name: settings\n/,
    )
    expect(yaml).not.toContain('managedFields')
    expect(await k('get configmap settings -o yaml --show-managed-fields')).toContain(
      'manager: kubectl-create',
    )
    const list = JSON.parse(await k('get pods,configmaps -o json')) as {
      kind: string
      items: { kind: string }[]
    }
    expect(list.kind).toBe('List')
    expect(list.items.map(({ kind }) => kind)).toEqual(['Pod', 'Pod', 'Pod', 'ConfigMap'])
  })

  it('prints names, paths, templates and columns', async () => {
    expect(await k('get pods -o name')).toBe('pod/back\npod/front\npod/middle\n')
    expect(
      await k(`get pods -o 'jsonpath={range .items[*]}{.metadata.name}={.spec.containers[*].image};{end}'`),
    ).toBe('back=postgres:1;front=nginx:1 envoy:1;middle=nginx:2;')
    expect(await k(`get pods -o 'jsonpath={.items[?(@.metadata.labels.tier=="web")].metadata.name}'`)).toBe(
      'front',
    )
    expect(await k(`get pods -o 'go-template={{range .items}}{{.metadata.name}} {{end}}'`)).toBe(
      'back front middle ',
    )
    const template = k.file('names.tmpl', '{{range .items}}{{.kind}}/{{.metadata.name}} {{end}}')
    expect(await k(`get pods -o go-template-file=${template}`)).toBe('Pod/back Pod/front Pod/middle ')
    expect(
      rows(await k('get pods -o custom-columns=NAME:.metadata.name,IMAGES:.spec.containers[*].image')),
    ).toEqual([
      ['NAME', 'IMAGES'],
      ['back', 'postgres:1'],
      ['front', 'nginx:1,envoy:1'],
      ['middle', 'nginx:2'],
    ])
    expect(await k.fails(`get pods -o 'jsonpath={.items[0}'`)).toContain('error parsing jsonpath')
  })

  it('selects by labels and by fields', async () => {
    const names = (selector: string) => k(`get pods -o name ${selector}`)
    expect(await names('-l tier=web')).toBe('pod/front\n')
    expect(await names(`-l 'tier in (web, data)'`)).toBe('pod/back\npod/front\n')
    expect(await names(`-l '!tier'`)).toBe('pod/middle\n')
    expect(await names('-l tier!=web,order')).toBe('pod/back\npod/middle\n')
    expect(await names('--field-selector=spec.nodeName=n1')).toBe('pod/front\n')
    expect(await names('--field-selector=spec.restartPolicy=Never,status.phase!=Running')).toBe(
      'pod/middle\n',
    )
    expect(await names('--field-selector=metadata.name=back -l tier=web')).toBe('')
    expect(await k.fails('get pods --field-selector=spec.nosuch=x')).toBe(
      `Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match label selector "", field selector "spec.nosuch=x": field label not supported: spec.nosuch\n`,
    )
    expect(await k.fails('get pods -l a=b=c')).toContain(
      `label selector "a=b=c", field selector "": found '=', expected: ',' or 'end of string'`,
    )
  })

  it('sorts', async () => {
    const names = async (path: string) =>
      rows(await k(`get pods --no-headers --sort-by=${path}`)).map(([name]) => name)
    expect(await names('.metadata.name')).toEqual(['back', 'front', 'middle'])
    expect(await names('.metadata.resourceVersion')).toEqual(['front', 'back', 'middle'])
    expect(await names('{.spec.containers[0].image}')).toEqual(['front', 'middle', 'back'])
  })

  it('gets all namespaces, all kinds, and in pieces', async () => {
    expect(rows(await k('get pods -A'))[1]?.slice(0, 2)).toEqual(['pods', 'back'])
    expect(await k('get all -o name')).toBe(
      'pod/back\npod/front\npod/middle\nservice/web\ndeployment.apps/web\n',
    )
    expect(await k('get pods --chunk-size=1 -o name')).toBe('pod/back\npod/front\npod/middle\n')
    const first = JSON.parse(await k('get --raw /api/v1/namespaces/pods/pods?limit=1')) as {
      metadata: { continue: string; remainingItemCount: number; resourceVersion: string }
    }
    expect(first.metadata.remainingItemCount).toBe(2)
    const rest = JSON.parse(
      await k(`get --raw /api/v1/namespaces/pods/pods?limit=5&continue=${first.metadata.continue}`),
    ) as { metadata: object; items: { metadata: { name: string } }[] }
    expect(rest.items.map(({ metadata }) => metadata.name)).toEqual(['front', 'middle'])
    expect(rest.metadata).toEqual({ resourceVersion: first.metadata.resourceVersion })
  })

  it('gets several objects, by file, and says what is not there', async () => {
    const file = k.file('pods.yaml', PODS)
    expect(await k(`get -f ${file} -o name`)).toBe('pod/front\npod/back\npod/middle\n')
    expect(await k('get pod/front service/web -o name')).toBe('pod/front\nservice/web\n')
    const { code, stdout, stderr } = await k.run('get pod front nosuch -o name')
    expect([code, stdout, stderr]).toEqual([
      1,
      'pod/front\n',
      'Error from server (NotFound): pods "nosuch" not found\n',
    ])
    expect(await k('get pod nosuch --ignore-not-found')).toBe('')
    expect(await k.fails('get nosuch')).toBe(`error: the server doesn't have a resource type "nosuch"\n`)
    expect((await k.run('get secrets')).stderr).toBe('No resources found in pods namespace.\n')
  })

  it('gets subresources', async () => {
    expect(JSON.parse(await k('get deployment web --subresource=scale -o json'))).toMatchObject({
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      spec: { replicas: 1 },
      status: { replicas: 0, selector: 'app=web' },
    })
    expect(await k('get pod front --subresource=status -o jsonpath={.status.phase}')).toBe('Pending')
  })

  it('gets raw paths', async () => {
    expect(await k('get --raw /healthz')).toBe('ok')
    expect(await k('get --raw /readyz?verbose')).toMatch(/^\[\+\]ping ok\n[^]*readyz check passed\n$/)
    expect(JSON.parse(await k('get --raw /api/v1/namespaces/pods/configmaps/settings'))).toMatchObject({
      kind: 'ConfigMap',
      data: { a: 'b' },
    })
    expect(await k.fails('get --raw /apis/nosuch')).toBe(
      'Error from server (NotFound): the server could not find the requested resource\n',
    )
    expect(await k.fails('get --raw /api/v1/pods?limit=x')).toContain(
      'strconv.ParseInt: parsing "x": invalid syntax',
    )
  })

  it('watches', async () => {
    const w = await kubectl.namespace('watched')
    await w('create configmap before')
    const table = w.start('get configmaps -w --no-headers -L v')
    const events = w.start('get configmaps -w --output-watch-events --no-headers')
    try {
      await Promise.all([table, events].map((watch) => printed(watch, /before.*\n/)))
      const changed = printed(table, /second *\n/)
      const deleted = printed(events, /DELETED.*\n/)
      await w('create configmap during')
      await w('label configmap during v=second')
      await w('delete configmap during')
      expect(rows(await changed)[1]).toEqual(['during', '0', 'AGE', 'second'])
      expect(rows(await deleted)).toEqual([
        ['ADDED', 'during', '0', 'AGE'],
        ['MODIFIED', 'during', '0', 'AGE'],
        ['DELETED', 'during', '0', 'AGE'],
      ])
    } finally {
      table.kill()
      events.kill()
    }
  })
})
