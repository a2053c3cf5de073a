// kubectl create, run, expose, autoscale: every generator, and what the server made of it.
import { describe, expect, it } from 'vitest'
import { findKubectl, useKubectl } from './driver.ts'

const program = await findKubectl('1.36')

describe.skipIf(program === undefined).concurrent('kubectl create', () => {
  const kubectl = useKubectl(program)

  it('makes a deployment', async () => {
    const k = await kubectl.namespace('deployment')
    expect(await k('create deployment web --image=nginx:1.27 --replicas=3 --port=80')).toBe(
      'deployment.apps/web created\n',
    )
    const made = JSON.parse(await k('get deployment web -o json')) as {
      metadata: object
      spec: { template: { spec: { containers: object[] } } }
    }
    expect(made.metadata).toMatchObject({ generation: 1, labels: { app: 'web' }, name: 'web' })
    expect(made.spec).toMatchObject({
      replicas: 3,
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 10,
      selector: { matchLabels: { app: 'web' } },
      strategy: { rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' }, type: 'RollingUpdate' },
    })
    expect(made.spec.template.spec.containers).toEqual([
      {
        image: 'nginx:1.27',
        imagePullPolicy: 'IfNotPresent',
        name: 'nginx',
        ports: [{ containerPort: 80, protocol: 'TCP' }],
        resources: {},
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
      },
    ])
  })

  it('makes jobs and cron jobs, and a job of a cron job', async () => {
    const k = await kubectl.namespace('jobs')
    expect(await k('create job once --image=busybox -- echo hi')).toBe('job.batch/once created\n')
    expect(
      await k(`create cronjob often --image=busybox --schedule='*/5 * * * *' --restart=Never -- date`),
    ).toBe('cronjob.batch/often created\n')
    expect(await k('create job now --from=cronjob/often')).toBe('job.batch/now created\n')
    const uid = await k('get job now -o jsonpath={.metadata.uid}')
    expect(await k('get job now -o jsonpath={.spec.selector.matchLabels}')).toBe(
      `{"batch.kubernetes.io/controller-uid":"${uid}"}`,
    )
    for (const place of ['.metadata.labels', '.spec.template.metadata.labels']) {
      expect(JSON.parse(await k(`get job now -o jsonpath={${place}}`))).toEqual({
        'batch.kubernetes.io/controller-uid': uid,
        'batch.kubernetes.io/job-name': 'now',
        'controller-uid': uid,
        'job-name': 'now',
      })
    }
    expect(
      await k('get job now -o jsonpath={.metadata.ownerReferences[0].kind}/{.metadata.annotations}'),
    ).toBe('CronJob/{"cronjob.kubernetes.io/instantiate":"manual"}')
    expect(
      await k('get cronjob often -o jsonpath={.spec.concurrencyPolicy},{.spec.failedJobsHistoryLimit}'),
    ).toBe('Allow,1')
  })

  it('makes config maps from literals, files and env files', async () => {
    const k = await kubectl.namespace('configmaps')
    const text = k.file('some.txt', 'one\ntwo\n')
    const env = k.file('some.env', '# a comment\nA=1\nB=two words\n')
    const bytes = k.file('some.bin', '')
    expect(await k(`create configmap lit --from-literal=a=b --from-literal=c=d=e`)).toBe(
      'configmap/lit created\n',
    )
    await k(`create configmap files --from-file=${text} --from-file=renamed=${text} --from-file=${bytes}`)
    await k(`create configmap env --from-env-file=${env}`)
    expect(JSON.parse(await k('get configmap lit -o jsonpath={.data}'))).toEqual({ a: 'b', c: 'd=e' })
    expect(JSON.parse(await k('get configmap files -o jsonpath={.data}'))).toEqual({
      'some.txt': 'one\ntwo\n',
      'some.bin': '',
      renamed: 'one\ntwo\n',
    })
    expect(JSON.parse(await k('get configmap env -o jsonpath={.data}'))).toEqual({ A: '1', B: 'two words' })
  })

  it('makes secrets of every kind', async () => {
    const k = await kubectl.namespace('secrets')
    await k('create secret generic plain --from-literal=password=hush --type=example.org/mine')
    await k('create secret docker-registry pull --docker-server=x --docker-username=u --docker-password=p')
    const { clientCert, clientKey } = k.cluster()
    await k(
      `create secret tls serving --cert=${k.file('tls.crt', clientCert)} --key=${k.file('tls.key', clientKey)}`,
    )
    expect(await k('get secret plain -o jsonpath={.type},{.data.password}')).toBe('example.org/mine,aHVzaA==')
    const pull = await k(
      `get secret pull -o 'go-template={{index .data ".dockerconfigjson" | base64decode}}'`,
    )
    expect(JSON.parse(pull)).toEqual({ auths: { x: { username: 'u', password: 'p', auth: 'dTpw' } } })
    expect(await k('get secret serving -o jsonpath={.type}')).toBe('kubernetes.io/tls')
  })

  it('makes services of every type, with addresses and ports', async () => {
    const k = await kubectl.namespace('services')
    await k('create service clusterip inside --tcp=80:8080 --tcp=443')
    await k('create service clusterip headless --clusterip=None --tcp=80')
    await k('create service nodeport node --tcp=80 --node-port=30123')
    await k('create service loadbalancer balanced --tcp=80')
    await k('create service externalname outside --external-name=example.com')
    const columns = 'custom-columns=N:.metadata.name,T:.spec.type,I:.spec.clusterIP,P:.spec.ports[*].port'
    const lines = (await k(`get services --no-headers -o ${columns}`)).trim().split('\n')
    const cells = lines.map((line) => line.split(/\s+/))
    const address = expect.stringMatching(/^10\.96\.\d+\.\d+$/) as string
    expect(cells).toEqual([
      ['balanced', 'LoadBalancer', address, '80'],
      ['headless', 'ClusterIP', 'None', '80'],
      ['inside', 'ClusterIP', address, '80,443'],
      ['node', 'NodePort', address, '80'],
      ['outside', 'ExternalName', '<none>', '<none>'],
    ])
    expect(await k('get service node -o jsonpath={.spec.ports[0].nodePort}')).toBe('30123')
    expect(Number(await k('get service balanced -o jsonpath={.spec.ports[0].nodePort}'))).toBeGreaterThan(
      29_999,
    )
    expect(await k.fails('create service nodeport again --tcp=80 --node-port=30123')).toContain(
      'spec.ports[0].nodePort: Invalid value: 30123: provided port is already allocated',
    )
  })

  it('makes ingresses', async () => {
    const k = await kubectl.namespace('ingresses')
    await k(`create ingress in --class=outer --rule='foo.com/bar*=svc:8080,tls=cert' --annotation=a=b`)
    expect(JSON.parse(await k('get ingress in -o jsonpath={.spec}'))).toEqual({
      ingressClassName: 'outer',
      rules: [
        {
          host: 'foo.com',
          http: {
            paths: [
              {
                backend: { service: { name: 'svc', port: { number: 8080 } } },
                path: '/bar',
                pathType: 'Prefix',
              },
            ],
          },
        },
      ],
      tls: [{ hosts: ['foo.com'], secretName: 'cert' }],
    })
  })

  it('makes roles and bindings', async () => {
    const k = await kubectl.namespace('roles')
    await k('create role reader --verb=get,list --resource=pods,deployments.apps --resource-name=web')
    await k(
      'create rolebinding readers --role=reader --user=jane --group=devs --serviceaccount=roles:default',
    )
    await k('create clusterrole nodes-reader --verb=get --resource=nodes,nodes/status')
    await k('create clusterrole metrics-reader --verb=get --non-resource-url=/metrics')
    await k(`create clusterrole gathered --aggregation-rule='rbac.example.org/gather=true'`)
    await k('create clusterrolebinding nodes-readers --clusterrole=nodes-reader --group=ops')
    expect(JSON.parse(await k('get role reader -o jsonpath={.rules}'))).toEqual([
      { apiGroups: [''], resourceNames: ['web'], resources: ['pods'], verbs: ['get', 'list'] },
      { apiGroups: ['apps'], resourceNames: ['web'], resources: ['deployments'], verbs: ['get', 'list'] },
    ])
    expect(JSON.parse(await k('get rolebinding readers -o jsonpath={.subjects}'))).toEqual([
      { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' },
      { apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'devs' },
      { kind: 'ServiceAccount', name: 'default', namespace: 'roles' },
    ])
    expect(await k('get clusterrole metrics-reader -o jsonpath={.rules[0].nonResourceURLs}')).toBe(
      '["/metrics"]',
    )
    expect(await k('get clusterrole gathered -o jsonpath={.aggregationRule}')).toBe(
      '{"clusterRoleSelectors":[{"matchLabels":{"rbac.example.org/gather":"true"}}]}',
    )
    expect(await k('get clusterrolebinding nodes-readers -o jsonpath={.roleRef.name}')).toBe('nodes-reader')
  })

  it('makes quotas, disruption budgets and priority classes', async () => {
    const k = await kubectl.namespace('policies')
    await k('create quota limits --hard=cpu=1500m,pods=2,requests.memory=0.5Gi')
    await k('create poddisruptionbudget keep --selector=app=web --min-available=50%')
    await k('create priorityclass urgent --value=1000 --description=now --preemption-policy=Never')
    expect(JSON.parse(await k('get quota limits -o jsonpath={.spec.hard}'))).toEqual({
      cpu: '1500m',
      pods: '2',
      'requests.memory': '512Mi',
    })
    expect(await k('get pdb keep -o jsonpath={.spec.minAvailable},{.spec.selector.matchLabels}')).toBe(
      '50%,{"app":"web"}',
    )
    expect(await k('get priorityclass urgent -o jsonpath={.value},{.preemptionPolicy},{.description}')).toBe(
      '1000,Never,now',
    )
  })

  it('makes namespaces, with the label of their name, and service accounts', async () => {
    expect(await kubectl('create namespace fresh')).toBe('namespace/fresh created\n')
    expect(await kubectl('get namespace fresh -o jsonpath={.metadata.labels},{.spec.finalizers}')).toBe(
      '{"kubernetes.io/metadata.name":"fresh"},["kubernetes"]',
    )
    expect(await kubectl('create serviceaccount robot --namespace fresh')).toBe(
      'serviceaccount/robot created\n',
    )
    expect(await kubectl('get serviceaccounts --namespace fresh -o name')).toBe('serviceaccount/robot\n')
  })

  it('runs and exposes pods', async () => {
    const k = await kubectl.namespace('run')
    expect(
      await k('run web --image=nginx --labels=tier=front --env=A=B --port=80 --expose --restart=Never'),
    ).toBe('service/web created\npod/web created\n')
    const pod = JSON.parse(await k('get pod web -o json')) as { spec: { volumes: { name: string }[] } }
    expect(pod).toMatchObject({
      metadata: { labels: { tier: 'front' } },
      spec: {
        containers: [{ env: [{ name: 'A', value: 'B' }], imagePullPolicy: 'Always' }],
        enableServiceLinks: true,
        preemptionPolicy: 'PreemptLowerPriority',
        priority: 0,
        restartPolicy: 'Never',
        serviceAccountName: 'default',
      },
      status: { phase: 'Pending', qosClass: 'BestEffort' },
    })
    expect(pod.spec.volumes[0]?.name).toMatch(/^kube-api-access-[a-z0-9]{5}$/)
    expect(await k('get service web -o jsonpath={.spec.selector}')).toBe('{"tier":"front"}')
    expect(await k('expose pod web --name=again --port=8080 --target-port=http')).toBe(
      'service/again exposed\n',
    )
    expect(await k('get service again -o jsonpath={.spec.ports[0].targetPort}')).toBe('http')
  })

  it('scales by itself', async () => {
    const k = await kubectl.namespace('autoscale')
    await k('create deployment web --image=nginx')
    await k('autoscale deployment web --min=1 --max=3 --cpu-percent=80')
    expect(JSON.parse(await k('get hpa web -o jsonpath={.spec}'))).toEqual({
      maxReplicas: 3,
      metrics: [
        {
          resource: { name: 'cpu', target: { averageUtilization: 80, type: 'Utilization' } },
          type: 'Resource',
        },
      ],
      minReplicas: 1,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    })
    expect(
      await k(
        'get horizontalpodautoscalers.v1.autoscaling web -o jsonpath={.spec.targetCPUUtilizationPercentage}',
      ),
    ).toBe('80')
  })

  it('only shows what it would make in a dry run', async () => {
    const k = await kubectl.namespace('dry')
    const shown = JSON.parse(
      await k('create configmap no --from-literal=a=b --dry-run=server -o json'),
    ) as object
    expect(shown).toMatchObject({
      data: { a: 'b' },
      metadata: { uid: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    })
    expect(await k('create configmap no --dry-run=server')).toBe('configmap/no created (server dry run)\n')
    expect(await k.fails('get configmap no')).toBe(
      'Error from server (NotFound): configmaps "no" not found\n',
    )
  })

  it('says what is wrong', async () => {
    const k = await kubectl.namespace('wrong')
    await k('create configmap one')
    expect(await k.fails('create configmap one')).toContain('configmaps "one" already exists')
    expect(await k.fails('create configmap Bad_Name')).toContain(
      'metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of',
    )
    expect(await k.fails('create configmap two --namespace nowhere')).toContain(
      'namespaces "nowhere" not found',
    )
    expect(await k.fails('create role none --verb=get --resource=nosuch')).toContain(
      `the server doesn't have a resource type "nosuch"`,
    )
    expect(await k.fails('run pod --image= ')).toContain('--image is required')
  })
})
