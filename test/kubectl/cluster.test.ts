// What kubectl asks of the cluster itself: discovery, who may, nodes, certificates, connections, raw access.
import { describe, expect, it } from 'vitest'
import { findKubectl, printed, rows, useKubectl } from './driver.ts'

const program = await findKubectl('1.36')

/** A signing request (PKCS #10) for bob of dev, whose key nobody kept. */
const REQUEST = `-----BEGIN CERTIFICATE REQUEST-----
MIHVMH4CAQAwHDEMMAoGA1UECgwDZGV2MQwwCgYDVQQDDANib2IwWTATBgcqhkjO
PQIBBggqhkjOPQMBBwNCAARqli6quM2a4Sasd9jEBnEzWd6Kl+d/37kVWaVsbP6A
hGBtA0meXhGbKjPdOXANPQavG2mzMP7CvktRQagMV8KpoAAwCgYIKoZIzj0EAwID
RwAwRAIgNzvznu1gx4RpmPEg8bbREca24SUSkVZLG+zayAyNoDECIA3XlymQtAYe
SfLo4q7u49YBxohPg7Q290GtfWwkqgGn
-----END CERTIFICATE REQUEST-----
`

describe.skipIf(program === undefined).concurrent('kubectl and the cluster', () => {
  const kubectl = useKubectl(program)

  it('lists resources and versions', async () => {
    const resources = rows(await kubectl('api-resources'))
    expect(resources).toContainEqual(['pods', 'po', 'v1', 'true', 'Pod'])
    expect(resources).toContainEqual(['deployments', 'deploy', 'apps/v1', 'true', 'Deployment'])
    expect(resources.length).toBeGreaterThan(60)
    expect(rows(await kubectl('api-resources --api-group=apps --no-headers')).map(([name]) => name)).toEqual([
      'controllerrevisions',
      'daemonsets',
      'deployments',
      'replicasets',
      'statefulsets',
    ])
    expect((await kubectl('api-resources --namespaced=false -o name')).split('\n')).toContain('nodes')
    expect(await kubectl('api-resources --categories=all -o name')).toContain('pods\n')
    expect(await kubectl('api-resources --verbs=deletecollection --api-group=batch -o name')).toBe(
      'cronjobs.batch\njobs.batch\n',
    )
    expect((await kubectl('api-versions')).split('\n')).toEqual(
      expect.arrayContaining(['apps/v1', 'autoscaling/v2', 'v1']),
    )
  })

  it('says what it is', async () => {
    expect(JSON.parse(await kubectl('version -o json'))).toMatchObject({
      serverVersion: { gitVersion: 'v1.36.3', major: '1', minor: '36' },
    })
    expect(await kubectl('cluster-info')).toContain(`is running at ${kubectl.cluster().url}`)
    expect(await kubectl('cluster-info dump --namespaces default')).toContain('"kind": "NodeList"')
    expect(await kubectl('config current-context')).toBe('dinghy\n')
    expect(await kubectl('config view --minify -o jsonpath={.clusters[0].cluster.server}')).toBe(
      kubectl.cluster().url,
    )
    expect(rows(await kubectl('get namespaces --no-headers')).map(([name]) => name)).toEqual(
      expect.arrayContaining(['default', 'kube-node-lease', 'kube-public', 'kube-system']),
    )
  })

  it('knows who asks and what they may', async () => {
    expect(JSON.parse(await kubectl('auth whoami -o json'))).toMatchObject({
      kind: 'SelfSubjectReview',
      status: {
        userInfo: { groups: ['system:masters', 'system:authenticated'], username: 'kubernetes-admin' },
      },
    })
    expect(await kubectl('auth can-i create deployments')).toBe('yes\n')
    const k = await kubectl.namespace('who')
    await k('create role reader --verb=get,list --resource=pods')
    await k('create rolebinding readers --role=reader --user=jane --group=devs')
    expect(await k('auth can-i get pods --as=jane')).toBe('yes\n')
    expect((await k.run('auth can-i delete pods --as=jane')).stdout).toBe('no\n')
    expect(await k('auth can-i list pods --as=joe --as-group=devs')).toBe('yes\n')
    expect((await k('auth can-i --list --as=jane')).split('\n')).toContainEqual(
      expect.stringMatching(/^pods +\[\] +\[\] +\[get list\]$/),
    )
    expect((await k.run('get pods --as=jane')).stderr).toBe('No resources found in who namespace.\n')
    expect(await k.fails('get secrets --as=jane')).toBe(
      'Error from server (Forbidden): secrets is forbidden: User "jane" cannot list resource "secrets" in API group "" in the namespace "who"\n',
    )
    expect(await k.fails('create role more --verb=delete --resource=nodes --as=jane')).toContain(
      'cannot create resource "roles"',
    )
  })

  it('reconciles roles', async () => {
    const rules = (verbs: string) =>
      `---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: recon}, rules: [{apiGroups: [""], resources: [pods], verbs: [${verbs}]}]}`
    const stdin = (verbs: string) => ({ stdin: rules(verbs) })
    expect(await kubectl('auth reconcile -f -', stdin('get'))).toContain(
      'clusterrole.rbac.authorization.k8s.io/recon reconciled\n',
    )
    await kubectl('auth reconcile -f -', stdin('list'))
    expect(await kubectl('get clusterrole recon -o jsonpath={.rules[*].verbs}')).toBe('["get"] ["list"]')
  })

  it('taints, cordons and drains nodes', async () => {
    await kubectl('create -f -', { stdin: '---\n{apiVersion: v1, kind: Node, metadata: {name: n1}}' })
    const taints = () => kubectl('get node n1 -o jsonpath={.spec.taints[*].key}')
    expect(await taints()).toBe('node.kubernetes.io/not-ready')
    expect(await kubectl('taint node n1 k=v:NoSchedule')).toBe('node/n1 tainted\n')
    expect(await taints()).toContain('k')
    expect(await kubectl.fails('taint node n1 k=v:NoSchedule')).toContain(
      'already has k taint(s) with same effect(s)',
    )
    expect(await kubectl('taint node n1 k-')).toBe('node/n1 untainted\n')
    expect(await kubectl('cordon n1')).toBe('node/n1 cordoned\n')
    expect(await kubectl('get node n1 --no-headers')).toMatch(/^n1 +Unknown,SchedulingDisabled +<none> /)
    expect(await kubectl('uncordon n1')).toBe('node/n1 uncordoned\n')
    const k = await kubectl.namespace('drained')
    const spec = '{nodeName: n1, terminationGracePeriodSeconds: 0, containers: [{name: c, image: i}]}'
    await k('create -f -', {
      stdin: `---\n{apiVersion: v1, kind: Pod, metadata: {name: guest}, spec: ${spec}}`,
    })
    expect(await kubectl.fails('drain n1')).toContain('cannot delete Pods that declare no controller')
    expect(await kubectl('drain n1 --force')).toContain(
      'evicting pod drained/guest\npod/guest evicted\nnode/n1 drained\n',
    )
    expect(await k('get pods -o name')).toBe('')
  })

  it('approves certificate requests', async () => {
    const request = Buffer.from(REQUEST).toString('base64')
    const csr = (name: string) => `
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: ${name}}
spec: {request: ${request}, signerName: kubernetes.io/kube-apiserver-client, usages: [client auth], expirationSeconds: 86400}
`
    await kubectl('create -f -', { stdin: `${csr('good')}---${csr('bad')}` })
    expect(rows(await kubectl('get csr good --no-headers'))).toEqual([
      ['good', 'AGE', 'kubernetes.io/kube-apiserver-client', 'kubernetes-admin', 'AGE', 'Pending'],
    ])
    expect(await kubectl('certificate approve good')).toBe(
      'certificatesigningrequest.certificates.k8s.io/good approved\n',
    )
    expect(await kubectl('certificate deny bad')).toBe(
      'certificatesigningrequest.certificates.k8s.io/bad denied\n',
    )
    expect(await kubectl.fails('certificate deny good')).toContain(
      'certificate signing request "good" is already Approved',
    )
    expect(await kubectl('get csr -o jsonpath={.items[*].status.conditions[0].type}')).toBe('Denied Approved')
    expect(await kubectl('describe csr good')).toMatch(/Common Name: +bob/)
  })

  it('says that no node runs what exec, logs and others want', async () => {
    const k = await kubectl.namespace('nowhere')
    await k('run pod --image=nginx')
    expect(await k('logs pod')).toBe('')
    expect(await k.fails('logs nosuch')).toContain('pods "nosuch" not found')
    expect(await k.fails('exec pod -- ls')).toContain('pod pod does not have a host assigned')
    expect(await k.fails(`cp ${k.file('some.txt', 'text')} pod:/tmp/some.txt`)).toContain(
      'pod pod does not have a host assigned',
    )
    expect(await k.fails('attach pod')).toContain('pod pod does not have a host assigned')
    expect(await k.fails('port-forward pod/pod 8080')).toContain('pod is not running. Current status=Pending')
    expect(await k.fails('top pod')).toContain('Metrics API not available')
    expect(await k.fails('top node')).toContain('Metrics API not available')
    await k('debug pod --image=busybox --container=look --quiet --attach=false')
    expect(await k('get pod pod -o jsonpath={.spec.ephemeralContainers[0].name}')).toBe('look')
  })

  it('passes requests on as a proxy', async () => {
    const proxy = kubectl.start('proxy --port=0')
    try {
      const address = /127\.0\.0\.1:\d+/.exec(await printed(proxy, /\n/))?.[0]
      const answer = await fetch(`http://${address}/api/v1/namespaces/default`)
      expect(await answer.json()).toMatchObject({ kind: 'Namespace', metadata: { name: 'default' } })
      expect((await fetch(`http://${address}/api/v1/namespaces/nosuch`)).status).toBe(404)
    } finally {
      proxy.kill()
    }
  })

  it('creates, replaces and deletes by raw paths', async () => {
    const k = await kubectl.namespace('raw')
    const body = (value: string) => ({
      stdin: `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"raw"},"data":{"k":"${value}"}}`,
    })
    const path = '/api/v1/namespaces/raw/configmaps'
    expect(JSON.parse(await k(`create --raw ${path} -f -`, body('1')))).toMatchObject({ data: { k: '1' } })
    expect(JSON.parse(await k(`replace --raw ${path}/raw -f -`, body('2')))).toMatchObject({
      data: { k: '2' },
    })
    expect(JSON.parse(await k(`delete --raw ${path}/raw`))).toMatchObject({
      kind: 'Status',
      status: 'Success',
    })
  })

  it('turns strangers away', async () => {
    const { url, caCert } = kubectl.cluster()
    const stranger = `--kubeconfig /dev/null --server ${url} --certificate-authority ${kubectl.file('ca.crt', caCert)}`
    expect(await kubectl.fails(`${stranger} --token bad get pods`)).toBe(
      'error: You must be logged in to the server (Unauthorized)\n',
    )
    expect(await kubectl.fails(`--kubeconfig /dev/null --server ${url} --token bad get pods`)).toContain(
      'failed to verify certificate',
    )
  })
})
