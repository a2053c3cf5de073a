// kubectl edit, label, annotate, patch, scale, set, rollout: changes to what is there.
import { describe, expect, it } from 'vitest'
import { findKubectl, useKubectl } from './driver.ts'

const program = await findKubectl('1.36')

describe.skipIf(program === undefined).concurrent('changes by kubectl', () => {
  const kubectl = useKubectl(program)

  it('edits', async () => {
    const k = await kubectl.namespace('edit')
    await k('create configmap it --from-literal=old=1')
    await k('create deployment web --image=nginx')
    const edit = (what: string, script: string) => k.run(`edit ${what}`, { env: { KUBE_EDITOR: script } })
    expect((await edit('configmap it', 'sed -i s/old:/new:/')).stdout).toBe('configmap/it edited\n')
    expect(await k('get configmap it -o jsonpath={.data}')).toBe('{"new":"1"}')
    expect((await edit('configmap it', 'true')).stderr).toBe('Edit cancelled, no changes made.\n')
    const refused = await edit('deployment web', 'sed -i s/replicas:.*/replicas:\\ -3/')
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('deployments.apps "web" is invalid')
    expect(await k('get deployment web -o jsonpath={.metadata.generation}/{.spec.replicas}')).toBe('1/1')
    expect(
      (await edit('deployment web --subresource=status', 'sed -i s/status:.*/status:\\ {replicas:\\ 7}/'))
        .code,
    ).toBe(0)
    expect(await k('get deployment web -o jsonpath={.status.replicas}')).toBe('7')
  })

  it('labels and annotates', async () => {
    const k = await kubectl.namespace('label')
    await k('create configmap one')
    await k('create configmap two')
    expect(await k('label configmap one two env=prod')).toBe('configmap/one labeled\nconfigmap/two labeled\n')
    expect(await k.fails('label configmap one env=dev')).toContain(
      `'env' already has a value (prod), and --overwrite is false`,
    )
    expect(await k('label configmap one env=dev --overwrite')).toBe('configmap/one labeled\n')
    expect(await k('label configmaps -l env=prod picked=yes')).toBe('configmap/two labeled\n')
    expect(await k('label configmap two env-')).toBe('configmap/two unlabeled\n')
    expect(await k('get configmaps -L env,picked --no-headers')).toMatch(/^one .* dev *\ntwo .* yes *\n$/)
    expect(await k.fails(`label configmap one 'bad key=1'`)).toContain(
      'metadata.labels: Invalid value: "bad key": name part must consist of alphanumeric characters',
    )
    expect(await k.fails('label configmap one env=a --overwrite --resource-version=1')).toContain(
      'the object has been modified',
    )
    await k(`annotate configmap one 'note=some words'`)
    expect(await k('annotate configmap one --list')).toBe('note=some words\n')
    expect(await k('annotate configmap one note-')).toBe('configmap/one annotated\n')
    expect(await k('get configmap one -o jsonpath={.metadata.annotations}')).toBe('')
  })

  it('patches in every way', async () => {
    const k = await kubectl.namespace('patch')
    await k('create deployment web --image=nginx')
    const patch = (type: string, body: string, more = '') =>
      k(`patch deployment web --type=${type} -p '${body}' ${more}`)
    const added = '{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"envoy"}]}}}}'
    expect(await patch('strategic', added)).toBe('deployment.apps/web patched\n')
    const images = '-o jsonpath={.spec.template.spec.containers[*].image}'
    expect(await k(`get deployment web ${images}`)).toBe('envoy nginx')
    await patch(
      'strategic',
      '{"spec":{"template":{"spec":{"containers":[{"name":"side","$patch":"delete"}]}}}}',
    )
    expect(await k(`get deployment web ${images}`)).toBe('nginx')
    await patch('merge', added)
    expect(await k(`get deployment web ${images}`)).toBe('envoy')
    await patch(
      'json',
      '[{"op":"test","path":"/spec/replicas","value":1},{"op":"replace","path":"/spec/replicas","value":4}]',
    )
    expect(await k('get deployment web -o jsonpath={.spec.replicas}')).toBe('4')
    expect(await patch('merge', '{"spec":{"replicas":4}}')).toBe('deployment.apps/web patched (no change)\n')
    expect(
      await patch('merge', '{"spec":{"replicas":9}}', '--dry-run=server -o jsonpath={.spec.replicas}'),
    ).toBe('9')
    const file = k.file('patch.yaml', 'spec:\n  paused: true\n')
    await k(`patch deployment web --patch-file=${file}`)
    expect(await k('get deployment web -o jsonpath={.spec.replicas},{.spec.paused}')).toBe('4,true')
  })

  it('patches subresources, and only what they hold', async () => {
    const k = await kubectl.namespace('subresources')
    await k('create deployment web --image=nginx')
    const body = '{"spec":{"replicas":5},"status":{"replicas":7,"observedGeneration":1}}'
    await k(`patch deployment web --subresource=status --type=merge -p '${body}'`)
    expect(
      await k('get deployment web -o jsonpath={.metadata.generation},{.spec.replicas},{.status.replicas}'),
    ).toBe('1,1,7')
    await k(`patch deployment web --type=merge -p '${body.replace('7', '8')}'`)
    expect(
      await k('get deployment web -o jsonpath={.metadata.generation},{.spec.replicas},{.status.replicas}'),
    ).toBe('2,5,7')
    expect(
      await k(`patch deployment web --subresource=scale --type=merge -p '{"spec":{"replicas":6}}'`),
    ).toBe('scale.autoscaling/web patched\n')
    expect(await k('get deployment web -o jsonpath={.spec.replicas}')).toBe('6')
  })

  it('says why a patch fails', async () => {
    const k = await kubectl.namespace('patch-errors')
    await k('create deployment web --image=nginx')
    await k('run pod --image=nginx')
    const fails = (type: string, body: string) => k.fails(`patch deployment web --type=${type} -p '${body}'`)
    expect(await fails('json', '[{"op":"test","path":"/spec/replicas","value":9}]')).toBe(
      'The request is invalid: the server rejected our request due to an error in our request\n',
    )
    expect(await fails('merge', '{"spec":{"replicas":"x"}}')).toContain(
      'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    )
    expect(await fails('strategic', '{"spec":{"replicas":"x"}}')).toBe(
      'The request is invalid: patch: Invalid value: "map[spec:map[replicas:x]]": unrecognized type: int32\n',
    )
    expect(await fails('strategic', '{"spec":{"replicas":-1}}')).toBe(
      'The Deployment "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0\n',
    )
    expect(await fails('merge', '{"metadata":{"name":"other"}}')).toContain(
      'the name of the object (other) does not match',
    )
    expect(await k.fails(`patch deployment nosuch -p '{}'`)).toBe(
      'Error from server (NotFound): deployments.apps "nosuch" not found\n',
    )
    expect(await k.fails(`patch pod pod -p '{"spec":{"restartPolicy":"Never"}}'`)).toContain(
      'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`',
    )
    expect(await k(`patch pod pod -p '{"spec":{"containers":[{"name":"pod","image":"new"}]}}'`)).toBe(
      'pod/pod patched\n',
    )
  })

  it('scales', async () => {
    const k = await kubectl.namespace('scale')
    await k('create deployment web --image=nginx')
    expect(await k('scale deployment web --replicas=3')).toBe('deployment.apps/web scaled\n')
    expect(await k.fails('scale deployment web --replicas=5 --current-replicas=9')).toContain(
      'Expected replicas to be 9, was 3',
    )
    expect(await k('scale deployments --all --replicas=0')).toBe('deployment.apps/web scaled\n')
    expect(await k('get deployment web -o jsonpath={.metadata.generation}/{.spec.replicas}')).toBe('3/0')
    expect(await k.fails('scale replicaset nosuch --replicas=1')).toContain(
      'replicasets.apps "nosuch" not found\n',
    )
  })

  it('sets images, environments, resources and more', async () => {
    const k = await kubectl.namespace('set')
    await k('create deployment web --image=nginx')
    await k('create service clusterip svc --tcp=80')
    await k('create rolebinding rb --clusterrole=view --user=jane')
    expect(await k('set image deployment/web nginx=nginx:2')).toBe('deployment.apps/web image updated\n')
    await k('set env deployment/web A=B C=D')
    await k('set env deployment/web C-')
    await k('set resources deployment web --limits=cpu=200m,memory=512Mi --requests=cpu=0.1')
    await k('set serviceaccount deployment web robot')
    await k('set selector service svc a=b')
    await k('set subject rolebinding rb --group=devs')
    expect(JSON.parse(await k('get deployment web -o jsonpath={.spec.template.spec}'))).toMatchObject({
      containers: [
        {
          env: [{ name: 'A', value: 'B' }],
          image: 'nginx:2',
          resources: { limits: { cpu: '200m', memory: '512Mi' }, requests: { cpu: '100m' } },
        },
      ],
      serviceAccount: 'robot',
      serviceAccountName: 'robot',
    })
    expect(await k('get service svc -o jsonpath={.spec.selector}')).toBe('{"a":"b"}')
    expect(await k('get rolebinding rb -o jsonpath={.subjects[*].name}')).toBe('jane devs')
  })

  it('follows rollouts', async () => {
    const k = await kubectl.namespace('rollout')
    await k('create deployment web --image=nginx')
    expect(await k('rollout pause deployment/web')).toBe('deployment.apps/web paused\n')
    expect(await k.fails('rollout pause deployment/web')).toContain('already paused')
    expect(await k.fails('rollout restart deployment/web')).toContain(`can't restart paused deployment`)
    expect(await k('rollout resume deployment/web')).toBe('deployment.apps/web resumed\n')
    expect(await k('rollout restart deployment/web')).toBe('deployment.apps/web restarted\n')
    const waiting = await k.run('rollout status deployment/web --watch=false')
    expect(waiting.stdout).toContain('Waiting for deployment spec update to be observed...')
    await k('create -f -', {
      stdin: await replicaSet(await k('get deployment web -o jsonpath={.metadata.uid}')),
    })
    expect(await k('rollout history deployment/web')).toBe(
      'deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         first\n\n',
    )
    expect(await k('rollout history deployment/web --revision=1')).toContain('Image:\told:1')
    expect(await k('rollout undo deployment/web --to-revision=1')).toBe('deployment.apps/web rolled back\n')
    expect(await k('get deployment web -o jsonpath={.spec.template.spec.containers[0].image}')).toBe('old:1')
    const generation = await k('get deployment web -o jsonpath={.metadata.generation}')
    const status = `{"observedGeneration":${generation},"replicas":1,"updatedReplicas":1,"readyReplicas":1,"availableReplicas":1}`
    await k(`patch deployment web --subresource=status --type=merge -p '{"status":${status}}'`)
    expect(await k('rollout status deployment/web')).toBe('deployment "web" successfully rolled out\n')
  })
})

/** What the deployment controller would have left of an earlier revision. */
const replicaSet = (owner: string): string => `
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: web-1
  labels: {app: web}
  annotations: {deployment.kubernetes.io/revision: "1", kubernetes.io/change-cause: first}
  ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, uid: ${owner}, controller: true}]
spec:
  replicas: 0
  selector: {matchLabels: {app: web, pod-template-hash: "1"}}
  template:
    metadata: {labels: {app: web, pod-template-hash: "1"}}
    spec: {containers: [{name: nginx, image: "old:1"}]}
`
