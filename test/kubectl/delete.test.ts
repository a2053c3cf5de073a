// kubectl delete and wait: what goes, what stays, and who is told.
import { describe, expect, it } from 'vitest'
import { findKubectl, printed, useKubectl } from './driver.ts'

const program = await findKubectl('1.36')

describe.skipIf(program === undefined).concurrent('kubectl delete and wait', () => {
  const kubectl = useKubectl(program)

  it('deletes by name, file, selector, or all', async () => {
    const k = await kubectl.namespace('delete')
    for (const name of ['a', 'b', 'c', 'd', 'e']) await k(`create configmap ${name}`)
    await k('label configmap c d gone=soon')
    const file = k.file('e.yaml', '---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: e}}')
    expect(await k('delete configmap a')).toMatch(/^configmap "a" deleted/)
    expect(await k('delete configmap/b -o name')).toBe('configmap/b\n')
    expect((await k('delete configmaps -l gone=soon -o name')).split('\n').sort().join(' ')).toBe(
      ' configmap/c configmap/d',
    )
    expect(await k(`delete -f ${file}`)).toMatch(/^configmap "e" deleted/)
    expect(await k.fails(`delete -f ${file}`)).toContain('configmaps "e" not found')
    expect(await k(`delete -f ${file} --ignore-not-found`)).toBe('')
    await k('create configmap last')
    await k('create secret generic last')
    expect(await k('delete configmaps,secrets --all')).toMatch(
      /^configmap "last" deleted.*\nsecret "last" deleted/,
    )
    expect(await k('get configmaps,secrets -o name')).toBe('')
  })

  it('leaves it in a dry run', async () => {
    const k = await kubectl.namespace('dry')
    await k('create configmap stays')
    expect(await k('delete configmap stays --dry-run=server')).toMatch(
      /^configmap "stays" deleted.*\(server dry run\)/,
    )
    expect(await k('get configmaps -o name')).toBe('configmap/stays\n')
  })

  it('orphans, goes in the foreground, in the background', async () => {
    const k = await kubectl.namespace('cascade')
    const seen =
      'get deployment web -o jsonpath={.metadata.finalizers},{.metadata.deletionGracePeriodSeconds}'
    await k('create deployment web --image=nginx')
    await k('delete deployment web --cascade=orphan --wait=false')
    expect(await k(seen)).toBe('["orphan"],0')
    await k(`patch deployment web --type=merge -p '{"metadata":{"finalizers":null}}'`)
    await k('create deployment web --image=nginx')
    await k('delete deployment web --cascade=foreground --wait=false')
    expect(await k(seen)).toBe('["foregroundDeletion"],0')
    await k(`patch deployment web --type=json -p '[{"op":"remove","path":"/metadata/finalizers"}]'`)
    await k('create deployment web --image=nginx')
    await k('delete deployment web --cascade=background')
    expect(await k('get deployments -o name')).toBe('')
  })

  it('waits until finalizers are gone', async () => {
    const k = await kubectl.namespace('finalizers')
    await k('create -f -', {
      stdin: '---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: held, finalizers: [x.io/hold]}}',
    })
    expect(await k.fails('delete configmap held --timeout=500ms')).toContain(
      'timed out waiting for the condition',
    )
    expect(await k('get configmap held -o jsonpath={.metadata.deletionTimestamp}')).toMatch(
      /^\d{4}-\d\d-\d\dT/,
    )
    const waiting = k.start('delete configmap held')
    const ended = new Promise((resolve) => waiting.on('exit', resolve))
    expect(await printed(waiting, /\n/)).toMatch(/^configmap "held" deleted/)
    expect(waiting.exitCode).toBeNull()
    await k(`patch configmap held --type=merge -p '{"metadata":{"finalizers":[]}}'`)
    expect(await ended).toBe(0)
    expect(await k.fails('get configmap held')).toContain('not found')
  })

  it('lets pods on a node end in their time, and others at once', async () => {
    const k = await kubectl.namespace('grace')
    const pod = (name: string, more: string) =>
      k('create -f -', {
        stdin: `---\n{apiVersion: v1, kind: Pod, metadata: {name: ${name}}, spec: {${more} containers: [{name: c, image: i}]}}`,
      })
    await pod('unbound', '')
    expect(await k('delete pod unbound')).toMatch(/^pod "unbound" deleted/)
    await pod('bound', 'nodeName: n1, terminationGracePeriodSeconds: 20,')
    await k('delete pod bound --wait=false')
    expect(await k('get pod bound -o jsonpath={.metadata.deletionGracePeriodSeconds}')).toBe('20')
    expect(await k('get pod bound --no-headers')).toMatch(/^bound +0\/1 +Terminating /)
    await k('delete pod bound --grace-period=5 --wait=false')
    expect(await k('get pod bound -o jsonpath={.metadata.deletionGracePeriodSeconds}')).toBe('5')
    const forced = await k.run('delete pod bound --grace-period=0 --force')
    expect(forced.stderr).toContain('Immediate deletion does not wait for confirmation')
    expect(forced.stdout).toMatch(/^pod "bound" force deleted/)
    expect(await k('get pods -o name')).toBe('')
  })

  it('takes namespaces apart slowly, and never what a cluster needs', async () => {
    const k = await kubectl.namespace('doomed')
    await kubectl('delete namespace doomed --wait=false')
    expect(await kubectl('get namespace doomed -o jsonpath={.status.phase},{.spec.finalizers}')).toBe(
      'Terminating,["kubernetes"]',
    )
    expect(await k.fails('create configmap late')).toContain(
      'configmaps "late" is forbidden: unable to create new content in namespace doomed because it is being terminated',
    )
    for (const name of ['default', 'kube-system', 'kube-public']) {
      expect(await kubectl.fails(`delete namespace ${name}`)).toBe(
        `Error from server (Forbidden): namespaces "${name}" is forbidden: this namespace may not be deleted\n`,
      )
    }
    expect(await kubectl.fails('delete priorityclass system-node-critical')).toBe(
      'Error from server (Forbidden): priorityclasses.scheduling.k8s.io "system-node-critical" is forbidden: this is a system priority class and cannot be deleted\n',
    )
  })

  it('waits for conditions, values, creation and deletion', async () => {
    const k = await kubectl.namespace('wait')
    await k('run pod --image=nginx')
    expect(await k.fails('wait pod/pod --for=condition=Ready --timeout=1s')).toContain(
      'timed out waiting for the condition on pods/pod',
    )
    expect(await k('wait pod/pod --for=jsonpath={.status.phase}=Pending --timeout=90s')).toBe(
      'pod/pod condition met\n',
    )
    const ready = k('wait pod/pod --for=condition=Ready --timeout=90s')
    const created = k('wait configmap/later --for=create --timeout=90s')
    await k(
      `patch pod pod --subresource=status -p '{"status":{"conditions":[{"type":"Ready","status":"True"}]}}'`,
    )
    await k('create configmap later')
    expect(await ready).toBe('pod/pod condition met\n')
    expect(await created).toBe('configmap/later condition met\n')
    const deleted = k('wait pod/pod --for=delete --timeout=90s')
    await k('delete pod pod')
    await deleted
    expect(await k.fails('wait pod/pod --for=condition=Ready')).toBe(
      'Error from server (NotFound): pods "pod" not found\n',
    )
  })
})
