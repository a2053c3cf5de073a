// kubectl apply --server-side: owners, conflicts and their text, force, migration from client-side apply, diff.
import { describe, expect, it } from 'vitest'
import { findKubectl, type Kubectl, useKubectl } from './driver.ts'

const program = await findKubectl('1.36')

const WEB = (replicas: number, image: string, extra = ''): string => `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: c
        image: ${image}
        ports: [{containerPort: 80}]${extra}
`

interface Entry {
  readonly manager: string
  readonly operation: string
  readonly subresource?: string
  readonly fieldsV1: Readonly<Record<string, unknown>>
}

// Sorted: the server has them by time, in whole seconds, and by name within one.
const managers = async (k: Kubectl, what: string): Promise<string[]> => {
  const object = JSON.parse(await k(`get ${what} -o json --show-managed-fields`)) as {
    metadata: { managedFields?: Entry[] }
  }
  return (object.metadata.managedFields ?? [])
    .map(({ manager, operation, subresource = '' }) =>
      [manager, operation, subresource].filter((text) => text !== '').join(' '),
    )
    .sort()
}

describe.skipIf(program === undefined).concurrent('kubectl apply --server-side', () => {
  const kubectl = useKubectl(program)

  it('creates, leaves alone, changes and takes away', async () => {
    const k = await kubectl.namespace('ssa-basic')
    const file = k.file('basic.yaml', WEB(2, 'i:1', '\n        env: [{name: A, value: "1"}]'))
    const apply = `apply --server-side -f ${file}`
    expect(await k(apply)).toBe('deployment.apps/web serverside-applied\n')
    const version = 'get deployment web -o jsonpath={.metadata.resourceVersion}'
    const first = await k(version)
    await k(apply)
    expect(await k(version)).toBe(first)
    k.file('basic.yaml', WEB(3, 'i:2'))
    await k(apply)
    const container = JSON.parse(
      await k("get deployment web -o jsonpath='{.spec.template.spec.containers[0]}'"),
    ) as object
    expect(container).toMatchObject({ image: 'i:2', ports: [{ containerPort: 80, protocol: 'TCP' }] })
    expect(container).not.toHaveProperty('env')
    expect(await managers(k, 'deployment web')).toEqual(['kubectl Apply'])
    expect(await k('get deployment web -o yaml')).not.toContain('managedFields')
  })

  it('tells who owns what it would change, and takes it by force', async () => {
    const k = await kubectl.namespace('ssa-conflict')
    const file = k.file('conflict.yaml', WEB(2, 'i:1'))
    await k(`apply --server-side -f ${file} --field-manager=one`)
    k.file('conflict.yaml', WEB(3, 'i:2'))
    const apply = `apply --server-side -f ${file} --field-manager=two`
    const refusal = await k.fails(apply)
    expect(refusal).toContain(`error: Apply failed with 2 conflicts: conflicts with "one":
- .spec.replicas
- .spec.template.spec.containers[name="c"].image
Please review the fields above--they currently have other managers. Here`)
    expect(await k('get deployment web -o jsonpath={.spec.replicas}')).toBe('2')
    expect(await k(`${apply} --force-conflicts`)).toBe('deployment.apps/web serverside-applied\n')
    expect(await k('get deployment web -o jsonpath={.spec.replicas}')).toBe('3')
    expect(await k.fails(`apply --server-side -f - --field-manager=one`, { stdin: WEB(1, 'i:2') })).toContain(
      'error: Apply failed with 1 conflict: conflict with "two": .spec.replicas\n',
    )
  })

  it('leaves to the scaler what it does not say', async () => {
    const k = await kubectl.namespace('ssa-scale')
    await k('apply --server-side -f -', { stdin: WEB(2, 'i:1') })
    await k('scale deployment web --replicas=5')
    expect(await managers(k, 'deployment web')).toEqual(['kubectl Apply', 'kubectl Update scale'])
    expect(await k.fails('apply --server-side -f -', { stdin: WEB(2, 'i:2') })).toContain(
      'conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas',
    )
    const silent = WEB(2, 'i:2').replace('  replicas: 2\n', '')
    await k('apply --server-side -f -', { stdin: silent })
    expect(await k('get deployment web -o jsonpath={.spec.replicas}')).toBe('5')
  })

  it('takes over what was applied on the client, without conflicts', async () => {
    const k = await kubectl.namespace('ssa-migrate')
    const file = k.file('migrate.yaml', WEB(2, 'i:1', '\n        args: [a]'))
    await k(`apply -f ${file}`)
    expect(await managers(k, 'deployment web')).toEqual(['kubectl-client-side-apply Update'])
    k.file('migrate.yaml', WEB(3, 'i:2'))
    expect(await k(`apply --server-side -f ${file}`)).toBe('deployment.apps/web serverside-applied\n')
    expect(await managers(k, 'deployment web')).toEqual(['kubectl Apply', 'kubectl-last-applied Apply'])
    const spec = JSON.parse(await k('get deployment web -o jsonpath={.spec}')) as object
    expect(spec).toMatchObject({ replicas: 3, template: { spec: { containers: [{ image: 'i:2' }] } } })
    expect(JSON.stringify(spec)).not.toContain('"args"')
    // Back on the client it finds its annotation up to date.
    expect(JSON.parse(await k('apply view-last-applied deployment web -o json'))).toMatchObject({
      spec: { replicas: 3 },
    })
    expect((await k.run(`apply -f ${file}`)).stdout).toMatch(
      /^deployment.apps\/web (unchanged|configured)\n$/,
    )
  })

  it('shows differences without writing', async () => {
    const k = await kubectl.namespace('ssa-diff')
    const file = k.file('ssadiff.yaml', WEB(2, 'i:1'))
    await k(`apply --server-side -f ${file}`)
    expect(await k(`diff --server-side -f ${file}`)).toBe('')
    k.file('ssadiff.yaml', WEB(4, 'i:1'))
    const { code, stdout } = await k.run(`diff --server-side -f ${file}`)
    expect([code, stdout.includes('-  replicas: 2'), stdout.includes('+  replicas: 4')]).toEqual([
      1,
      true,
      true,
    ])
    expect(await k(`apply --server-side -f ${file} --dry-run=server`)).toBe(
      'deployment.apps/web serverside-applied (server dry run)\n',
    )
    expect(await k('get deployment web -o jsonpath={.spec.replicas}')).toBe('2')
  })

  it('applies a status', async () => {
    const k = await kubectl.namespace('ssa-status')
    await k('apply --server-side -f -', { stdin: WEB(2, 'i:1') })
    const status = `${WEB(2, 'i:1').split('spec:')[0]}status: {replicas: 2, conditions: [{type: A, status: "True"}]}\n`
    await k('apply --server-side --subresource=status --field-manager=ctl -f -', { stdin: status })
    expect(await k("get deployment web -o jsonpath='{.status.conditions[0].type} {.spec.replicas}'")).toBe(
      'A 2',
    )
    expect(await managers(k, 'deployment web')).toEqual(['ctl Apply status', 'kubectl Apply'])
  })

  it('refuses unknown fields and wrong kinds', async () => {
    const k = await kubectl.namespace('ssa-wrong')
    const map = (rest: string): string =>
      `---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, ${rest}}\n`
    expect(await k.fails('apply --server-side -f -', { stdin: map('nope: 1') })).toContain(
      '.nope: field not declared in schema',
    )
    expect(await k.fails('apply --server-side -f -', { stdin: map('data: {x: 5}') })).toContain(
      '.data.x: expected string, got &value.valueUnstructured{Value:5}',
    )
  })
})
