// kubectl describe and explain: what it reads of many kinds, and of the published schemas.
import { beforeAll, describe, expect, it } from 'vitest'
import { DESCRIPTIONS, findKubectl, type Kubectl, useKubectl } from './driver.ts'

const program = await findKubectl('1.36')

const POD =
  '{containers: [{name: c, image: "i:1", ports: [{containerPort: 80}], resources: {limits: {cpu: "1"}}}]}'
const TEMPLATE = (name: string): string =>
  `selector: {matchLabels: {app: ${name}}}, template: {metadata: {labels: {app: ${name}}}, spec: ${POD}}`
const CLAIM = 'accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, storageClassName: fast'

const OBJECTS = `
{apiVersion: v1, kind: Pod, metadata: {name: pod, labels: {run: pod}}, spec: ${POD}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: deploy}, spec: {${TEMPLATE('deploy')}}}
---
{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: rs}, spec: {${TEMPLATE('rs')}}}
---
{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: ds}, spec: {${TEMPLATE('ds')}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: sts}
spec: {serviceName: s, ${TEMPLATE('sts')}, volumeClaimTemplates: [{metadata: {name: v}, spec: {${CLAIM}}}]}
---
{apiVersion: v1, kind: ReplicationController, metadata: {name: rc}, spec: {selector: {a: rc}, template: {metadata: {labels: {a: rc}}, spec: ${POD}}}}
---
{apiVersion: batch/v1, kind: Job, metadata: {name: job}, spec: {completions: 3, template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: svc}, spec: {selector: {run: pod}, ports: [{name: http, port: 80, targetPort: 8080}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: svc-1, labels: {kubernetes.io/service-name: svc}}
addressType: IPv4
endpoints: [{addresses: [10.1.2.3], conditions: {ready: true}}]
ports: [{name: http, port: 8080, protocol: TCP}]
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: cm}, data: {key: some text}}
---
{apiVersion: v1, kind: Secret, metadata: {name: secret}, stringData: {key: four}}
---
{apiVersion: v1, kind: PersistentVolume, metadata: {name: pv}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /x}, claimRef: {namespace: things, name: pvc}}}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: pvc}, spec: {${CLAIM}}}
---
{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: fast}, provisioner: example.org/fast, parameters: {type: ssd}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: netpol}
spec: {podSelector: {matchLabels: {a: b}}, ingress: [{from: [{podSelector: {}}], ports: [{port: 80}]}], policyTypes: [Ingress]}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: ing}, spec: {defaultBackend: {service: {name: svc, port: {number: 80}}}}}
---
{apiVersion: v1, kind: LimitRange, metadata: {name: lr}, spec: {limits: [{type: Container, max: {cpu: "2"}, default: {cpu: "1"}}]}}
---
{apiVersion: v1, kind: ResourceQuota, metadata: {name: quota}, spec: {hard: {pods: "5"}}}
---
{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: pdb}, spec: {minAvailable: 1, selector: {matchLabels: {a: b}}}}
---
{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: hpa}, spec: {maxReplicas: 4, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: deploy}}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: role}, rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]}
---
{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: lease}, spec: {holderIdentity: me, renewTime: "2025-01-01T00:00:00.000001Z"}}
`

const event = (uid: string): string => `
apiVersion: v1
kind: Event
metadata: {name: event}
involvedObject: {apiVersion: v1, kind: Pod, name: pod, namespace: things, uid: ${uid}}
reason: Noticed
message: Something happened
type: Warning
count: 3
source: {component: me}
firstTimestamp: "2025-01-01T00:00:00Z"
lastTimestamp: "2025-01-01T00:00:00Z"
`

/** Per object, what a description of it must say. */
const SAYS: Readonly<Record<string, readonly RegExp[]>> = {
  'pod/pod': [
    /Status: +Pending/,
    /Limits:\n +cpu: +1\n/,
    /QoS Class: +Burstable/,
    /node.kubernetes.io\/not-ready:NoExecute op=Exists for 300s/,
  ],
  'deployment/deploy': [
    /Replicas: +1 desired \| 0 updated \| 0 total/,
    /StrategyType: +RollingUpdate/,
    /Selector: +app=deploy/,
  ],
  'replicaset/rs': [/Replicas: +0 current \/ 1 desired/, /Image: +i:1/],
  'daemonset/ds': [/Desired Number of Nodes Scheduled: 0/, /Selector: +app=ds/],
  'statefulset/sts': [/Update Strategy: +RollingUpdate/, /Volume Claims:\n +Name: +v\n +StorageClass: +fast/],
  'rc/rc': [/Selector: +a=rc/],
  'job/job': [/Completions: +3/, /Completion Mode: +NonIndexed/, /batch.kubernetes.io\/job-name=job/],
  'service/svc': [
    /Type: +ClusterIP/,
    /IP: +10\.96\./,
    /TargetPort: +8080\/TCP/,
    /Endpoints: +10\.1\.2\.3:8080/,
  ],
  'endpointslice/svc-1': [/AddressType: +IPv4/, /- Addresses: +10\.1\.2\.3/],
  'configmap/cm': [/key:\n----\nsome text\n/],
  'secret/secret': [/Type: +Opaque/, /key: +4 bytes/],
  'pv/pv': [
    /Reclaim Policy: +Retain/,
    /Capacity: +1Gi/,
    /Finalizers: +\[kubernetes.io\/pv-protection\]/,
    /Claim: +things\/pvc/,
  ],
  'pvc/pvc': [/StorageClass: +fast/, /Finalizers: +\[kubernetes.io\/pvc-protection\]/],
  'storageclass/fast': [
    /Provisioner: +example.org\/fast/,
    /ReclaimPolicy: +Delete/,
    /VolumeBindingMode: +Immediate/,
  ],
  'netpol/netpol': [/PodSelector: +a=b/, /To Port: 80\/TCP/, /Policy Types: Ingress/],
  'ingress/ing': [/Default backend: +svc:80/],
  'limits/lr': [/Container +cpu +- +2 +1 +1 +-/],
  'quota/quota': [/pods +1 +5/],
  'pdb/pdb': [/Min available: +1/],
  'hpa/hpa': [
    /Reference: +Deployment\/deploy/,
    /Max replicas: +4/,
    /resource cpu on pods {2}\(as a percentage of request\): +<unknown> \/ 80%/,
  ],
  'role/role': [/pods +\[\] +\[\] +\[get\]/],
  'lease/lease': [/Holder Identity: +me/, /Renew Time: +2025-01-01T00:00:00.000001Z/],
  'namespace/things': [/kubernetes.io\/metadata.name=things/, /Status: +Active/],
  'priorityclass/system-node-critical': [/Value: +2000001000/],
  'clusterrole/system:discovery': [/\[\/apis\/\*\] +\[\] +\[get\]/],
  'clusterrolebinding/cluster-admin': [/Group +system:masters/],
  'service/kubernetes -n default': [/Port: +https +443\/TCP/, /Endpoints: +\S+:\d+/],
}

describe.skipIf(program === undefined).concurrent('kubectl describe and explain', () => {
  const kubectl = useKubectl(program)
  let k: Kubectl
  beforeAll(async () => {
    k = await kubectl.namespace('things')
    await k('create -f -', { stdin: OBJECTS })
    await k('create -f -', { stdin: event(await k('get pod pod -o jsonpath={.metadata.uid}')) })
    await k(
      `patch quota quota --subresource=status -p '{"status":{"hard":{"pods":"5"},"used":{"pods":"1"}}}'`,
    )
  })

  it('describes every kind', async () => {
    const wrong: string[] = []
    for (const [object, patterns] of Object.entries(SAYS)) {
      const text = await k(`describe ${object}`)
      wrong.push(
        ...patterns
          .filter((pattern) => !pattern.test(text))
          .map((pattern) => `${object}: ${pattern}\n${text}`),
      )
    }
    expect(wrong).toEqual([])
  })

  it('shows events with what they are about', async () => {
    expect(await k('describe pod pod')).toMatch(
      /Warning +Noticed +\S+ \(x3 over \S+\) +me +Something happened\n/,
    )
    expect(await k('events --for pod/pod')).toMatch(/Warning +Noticed +Pod\/pod +Something happened/)
    expect(await k('get events --no-headers')).toMatch(/Warning +Noticed +pod\/pod +Something happened/)
    expect(await k('get events --field-selector=involvedObject.name=other -o name')).toBe('')
    expect(await k('get events.v1.events.k8s.io event -o jsonpath={.note}/{.deprecatedCount}')).toBe(
      'Something happened/3',
    )
  })

  it('describes many at once', async () => {
    const text = await k('describe deployments,replicasets,services')
    expect(text.match(/^Name: +\S+/gm)?.map((line) => line.replace(/.* /, ''))).toEqual([
      'deploy',
      'rs',
      'svc',
    ])
    expect(await k.fails('describe pod nosuch')).toBe(
      'Error from server (NotFound): pods "nosuch" not found\n',
    )
  })

  it('explains kinds and fields', async () => {
    const pod = await kubectl('explain pod')
    expect(pod).toMatch(/^KIND: +Pod\nVERSION: +v1\n/)
    expect(pod).toMatch(/^ {2}spec\t<PodSpec>$/m)
    const containers = await kubectl('explain pod.spec.containers')
    expect(containers).toMatch(/^FIELD: containers <\[\]Container>$/m)
    expect(containers).toMatch(/^ {2}name\t<string> -required-$/m)
    expect(containers).toMatch(/^ {2}imagePullPolicy\t<string>\n {2}enum: Always, IfNotPresent, Never$/m)
    expect(await kubectl('explain deployment.spec.strategy.rollingUpdate.maxSurge')).toMatch(
      /^GROUP: +apps\nKIND: +Deployment\nVERSION: +v1\n\nFIELD: maxSurge <IntOrString>\n/,
    )
    expect(await kubectl('explain events --api-version=events.k8s.io/v1')).toMatch(/^GROUP: +events.k8s.io\n/)
    expect(await kubectl.fails('explain pod.nosuch')).toContain('field "nosuch" does not exist')
  })

  it.skipIf(!DESCRIPTIONS)('explains in words', async () => {
    expect(await kubectl('explain pod.spec.containers.image')).toMatch(
      /DESCRIPTION:\n {4}Container image name/,
    )
    expect(await kubectl('explain configmap')).toMatch(/DESCRIPTION:\n {4}ConfigMap holds configuration data/)
  })

  it('explains all of a kind', async () => {
    const deployment = await kubectl('explain deployment --recursive')
    expect(deployment).toMatch(/^ {8}containers\t<\[\]Container> -required-\n/m)
    expect(deployment).toMatch(/^ {10}command\t<\[\]string>$/m)
    expect(deployment.split('\n').length).toBeGreaterThan(800)
    expect(await kubectl('explain pod.spec.containers --output=plaintext-openapiv2')).toMatch(
      /^ {3}image\t<string>$/m,
    )
  })
})
