// kubectl apply (client-side), diff, replace, kustomize, validation: objects from files.
import { describe, expect, it } from 'vitest'
import { findKubectl, type Kubectl, useKubectl } from './driver.ts'

const program = await findKubectl('1.36')

const DEPLOYMENT = (containers: string, replicas: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {kept: "yes"}
spec:
  ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: ${containers}
`
const TWO =
  '[{name: a, image: a:1, env: [{name: OLD, value: "1"}, {name: NEW, value: "2"}]}, {name: b, image: b:1}]'
const ONE = '[{name: a, image: a:2, env: [{name: NEW, value: "3"}]}]'
// Older kubectls take what begins with a brace for JSON; hence the dashes.
const WRONG =
  '---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: wrong, nosuch: 1}, data: {a: b}, extra: y}'

describe.skipIf(program === undefined).concurrent('kubectl apply', () => {
  const kubectl = useKubectl(program)

  it('creates, leaves alone, changes and prunes fields', async () => {
    const k = await kubectl.namespace('apply')
    const file = k.file('web.yaml', DEPLOYMENT(TWO, 'replicas: 3'))
    expect(await k(`apply -f ${file}`)).toBe('deployment.apps/web created\n')
    expect(await k(`apply -f ${file}`)).toBe('deployment.apps/web unchanged\n')
    await k(`patch deployment web --type=merge -p '{"spec":{"paused":true}}'`)
    k.file('web.yaml', DEPLOYMENT(ONE, ''))
    expect(await k(`apply -f ${file}`)).toBe('deployment.apps/web configured\n')
    const { metadata, spec } = JSON.parse(await k('get deployment web -o json')) as {
      metadata: { generation: number }
      spec: { template: { spec: { containers: object[] } } }
    }
    expect(metadata.generation).toBe(3)
    // What the file dropped is back at its default; what others set is still there.
    expect(spec).toMatchObject({ paused: true, replicas: 1 })
    expect(spec.template.spec.containers).toMatchObject([
      { env: [{ name: 'NEW', value: '3' }], image: 'a:2', name: 'a' },
    ])
    expect(spec.template.spec.containers).toHaveLength(1)
    expect(JSON.parse(await k('apply view-last-applied deployment web -o json'))).toMatchObject({
      spec: { template: { spec: { containers: [{ image: 'a:2' }] } } },
    })
  })

  it('shows differences, and none', async () => {
    const k = await kubectl.namespace('diff')
    const file = k.file('diff.yaml', DEPLOYMENT(TWO, 'replicas: 3'))
    await k(`apply -f ${file}`)
    expect(await k(`diff -f ${file}`)).toBe('')
    k.file('diff.yaml', DEPLOYMENT(ONE, 'replicas: 4'))
    const { code, stdout } = await k.run(`diff -f ${file}`)
    const changes = stdout.split('\n').filter((line) => /^[-+] /.test(line))
    expect(code).toBe(1)
    expect(changes).toContain('-  replicas: 3')
    expect(changes).toContain('+  replicas: 4')
    expect(changes).toContainEqual(expect.stringMatching(/^\+ +(?:- )?image: a:2$/))
    expect(changes).toContainEqual(expect.stringMatching(/^- +- name: OLD$/))
    expect(await k('get deployment web -o jsonpath={.spec.replicas}')).toBe('3')
  })

  it('only tries in a dry run', async () => {
    const k = await kubectl.namespace('try')
    const file = k.file('try.yaml', DEPLOYMENT(ONE, 'replicas: 2'))
    expect(await k(`apply -f ${file} --dry-run=server`)).toBe(
      'deployment.apps/web created (server dry run)\n',
    )
    expect(await k('get deployments -o name')).toBe('')
    await k(`apply -f ${file}`)
    k.file('try.yaml', DEPLOYMENT(ONE, 'replicas: 5'))
    const tried = JSON.parse(await k(`apply -f ${file} --dry-run=server -o json`)) as object
    expect(tried).toMatchObject({ metadata: { generation: 2 }, spec: { replicas: 5 } })
    expect(await k('get deployment web -o jsonpath={.metadata.generation}/{.spec.replicas}')).toBe('1/2')
  })

  it('prunes objects that left the set', async () => {
    const k = await kubectl.namespace('prune')
    const object = (name: string) =>
      `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}, labels: {set: s}}}\n`
    const flags = '--prune -l set=s --prune-allowlist=core/v1/ConfigMap'
    await k('create configmap other')
    await k(`apply ${flags} -f -`, { stdin: `---\n${object('one')}---\n${object('two')}` })
    expect(await k(`apply ${flags} -f -`, { stdin: `---\n${object('two')}` })).toBe(
      'configmap/two unchanged\nconfigmap/one pruned\n',
    )
    expect(await k('get configmaps -o name')).toBe('configmap/other\nconfigmap/two\n')
  })

  it('applies several kinds from one file, and goes on after a failure', async () => {
    const k = await kubectl.namespace('several')
    const stdin = `${WRONG}\n---\n{apiVersion: v1, kind: Secret, metadata: {name: good}, stringData: {a: b}}\n`
    const { code, stdout, stderr } = await k.run('apply -f -', { stdin })
    expect([code, stdout]).toEqual([1, 'secret/good created\n'])
    expect(stderr).toContain('unknown field "extra", unknown field "metadata.nosuch"')
    expect(await k('get secret good -o jsonpath={.data.a}')).toBe('Yg==')
  })

  it('validates strictly, with warnings, or not at all', async () => {
    const k = await kubectl.namespace('validate')
    expect(await k.fails('create -f - --validate=strict', { stdin: WRONG })).toContain(
      'strict decoding error: unknown field "extra", unknown field "metadata.nosuch"',
    )
    const warned = await k.run('create -f - --validate=warn', { stdin: WRONG })
    expect(warned.stdout).toBe('configmap/wrong created\n')
    expect(warned.stderr).toContain('Warning: unknown field "extra"')
    expect(warned.stderr).toContain('Warning: unknown field "metadata.nosuch"')
    await k('delete configmap wrong')
    const ignored = await k.run('create -f - --validate=ignore', { stdin: WRONG })
    expect([ignored.code, ignored.stdout, ignored.stderr]).toEqual([0, 'configmap/wrong created\n', ''])
    const patch = `patch configmap wrong -p '{"zz":1,"nosuch":1,"metadata":{"extra":1}}'`
    expect((await k.run(patch)).stderr).toBe(
      'Warning: unknown field "metadata.extra"\nWarning: unknown field "nosuch"\nWarning: unknown field "zz"\n',
    )
  })

  it('replaces, also by force, and notices conflicts', async () => {
    const k = await kubectl.namespace('replace')
    await k('create configmap it --from-literal=a=b')
    const before = await k('get configmap it -o yaml')
    expect(await k('replace -f -', { stdin: before.replace('a: b', 'c: d') })).toBe('configmap/it replaced\n')
    expect(await k('get configmap it -o jsonpath={.data}')).toBe('{"c":"d"}')
    expect(await k.fails('replace -f -', { stdin: before })).toContain(
      'Operation cannot be fulfilled on configmaps "it": the object has been modified; please apply your changes to the latest version and try again',
    )
    const uid = await k('get configmap it -o jsonpath={.metadata.uid}')
    const forced = await k('replace --force -f -', { stdin: before })
    expect(forced).toMatch(/^configmap "it" deleted.*\nconfigmap\/it replaced\n$/)
    expect(await k('get configmap it -o jsonpath={.data}')).toBe('{"a":"b"}')
    expect(await k('get configmap it -o jsonpath={.metadata.uid}')).not.toBe(uid)
    expect(await k.fails('replace -f -', { stdin: before.replace('name: it', 'name: gone') })).toContain(
      'configmaps "gone" not found',
    )
  })

  it('refuses to change what cannot change', async () => {
    const k = await kubectl.namespace('immutable')
    await k('apply -f -', { stdin: DEPLOYMENT(ONE, 'replicas: 1') })
    const selector = DEPLOYMENT(ONE, 'replicas: 1').replaceAll('app: web', 'app: other')
    expect(await k.fails('apply -f -', { stdin: selector })).toMatch(
      /The Deployment "web" is invalid: spec.selector: Invalid value: .*: field is immutable\n/,
    )
    await k('apply -f -', {
      stdin: '---\n{apiVersion: v1, kind: Secret, metadata: {name: fixed}, immutable: true}',
    })
    expect(await k.fails(`patch secret fixed -p '{"data":{"a":"Yg=="}}'`)).toContain(
      'data: Forbidden: field is immutable when `immutable` is set',
    )
  })

  it('applies, gets and deletes what kustomize builds', async () => {
    const k = await kubectl.namespace('kustom')
    kustomization(k)
    expect(await k('apply -k kustom')).toMatch(
      /^configmap\/pre-gen-\w+ created\nconfigmap\/pre-it created\nservice\/pre-svc created\n$/,
    )
    expect(await k('get configmaps -l k=v -o name')).toMatch(/^configmap\/pre-gen-\w+\nconfigmap\/pre-it\n$/)
    expect(await k('kustomize kustom')).toContain('name: pre-svc')
    expect(await k('get -k kustom -o name')).toContain('service/pre-svc')
    expect(await k('delete -k kustom')).toContain('service "pre-svc" deleted')
    expect(await k('get services,configmaps -o name')).toBe('')
  })
})

function kustomization(k: Kubectl): void {
  k.file('kustom/it.yaml', '---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: it}, data: {a: b}}')
  k.file(
    'kustom/svc.yaml',
    '---\n{apiVersion: v1, kind: Service, metadata: {name: svc}, spec: {ports: [{port: 80}]}}',
  )
  k.file(
    'kustom/kustomization.yaml',
    `
namePrefix: pre-
namespace: kustom
labels: [{pairs: {k: v}}]
resources: [it.yaml, svc.yaml]
configMapGenerator: [{name: gen, literals: [x=y]}]
`,
  )
}
