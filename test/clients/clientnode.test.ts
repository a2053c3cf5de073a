// @kubernetes/client-node, as its users call it, against a cluster in this process: typed calls over HTTP/1.1, lists in
// pieces, every kind of patch, watches, informers, and objects of kinds known at run time only.
import {
  ApiException,
  AppsV1Api,
  AuthorizationV1Api,
  CoreV1Api,
  type Informer,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  PolicyV1Api,
  setHeaderOptions,
  type V1ConfigMap,
  type V1Deployment,
  VersionApi,
  Watch,
} from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'

interface Seen {
  readonly type: string
  readonly name: string | undefined
}

describe('@kubernetes/client-node', () => {
  let cluster: Cluster
  const config = new KubeConfig()
  let core: CoreV1Api
  beforeAll(async () => {
    cluster = await startCluster()
    config.loadFromString(cluster.kubeconfig)
    core = config.makeApiClient(CoreV1Api)
  })
  afterAll(() => cluster.stop())

  const configMap = (name: string, more: Partial<V1ConfigMap> = {}): V1ConfigMap => ({
    metadata: { name },
    ...more,
  })
  async function freshNamespace(): Promise<string> {
    const made = await core.createNamespace({ body: { metadata: { generateName: 'test-' } } })
    return String(made.metadata?.name)
  }

  it('reads the version and the reviews', async () => {
    expect(await config.makeApiClient(VersionApi).getCode()).toMatchObject({ major: '1', minor: '36' })
    const review = await config.makeApiClient(AuthorizationV1Api).createSelfSubjectAccessReview({
      body: { spec: { resourceAttributes: { verb: 'delete', resource: 'nodes' } } },
    })
    expect(review.status).toMatchObject({ allowed: true })
  })

  it('creates, reads, replaces and deletes', async () => {
    const namespace = await freshNamespace()
    const made = await core.createNamespacedConfigMap({
      namespace,
      body: configMap('it', { data: { a: 'b' } }),
    })
    expect(made.metadata?.creationTimestamp).toBeInstanceOf(Date)
    const replaced = await core.replaceNamespacedConfigMap({
      namespace,
      name: 'it',
      body: { ...made, data: { c: 'd' } },
    })
    expect(replaced).toMatchObject({ data: { c: 'd' }, metadata: { uid: made.metadata?.uid } })
    const stale = core.replaceNamespacedConfigMap({ namespace, name: 'it', body: made })
    await expect(stale).rejects.toMatchObject({ code: 409 })
    expect(await core.readNamespacedConfigMap({ namespace, name: 'it' })).toEqual(replaced)
    expect(await core.deleteNamespacedConfigMap({ namespace, name: 'it' })).toMatchObject({
      status: 'Success',
    })
    const gone = await core
      .readNamespacedConfigMap({ namespace, name: 'it' })
      .catch((error: unknown) => error)
    expect(gone).toBeInstanceOf(ApiException)
    expect(JSON.parse((gone as ApiException<string>).body)).toMatchObject({
      kind: 'Status',
      reason: 'NotFound',
      details: { name: 'it', kind: 'configmaps' },
    })
  })

  it('lists in pieces that belong together', async () => {
    const namespace = await freshNamespace()
    for (const name of ['a', 'b', 'c']) {
      await core.createNamespacedConfigMap({ namespace, body: configMap(name) })
    }
    const first = await core.listNamespacedConfigMap({ namespace, limit: 2 })
    expect(first.metadata?.remainingItemCount).toBe(1)
    await core.createNamespacedConfigMap({ namespace, body: configMap('d') })
    const rest = await core.listNamespacedConfigMap({
      namespace,
      limit: 2,
      _continue: String(first.metadata?._continue),
    })
    const names = [...first.items, ...rest.items].map(({ metadata }) => metadata?.name)
    expect(names).toEqual(['a', 'b', 'c'])
    expect(rest.metadata?.resourceVersion).toBe(first.metadata?.resourceVersion)
  })

  it('selects, and deletes collections', async () => {
    const namespace = await freshNamespace()
    for (const name of ['a', 'b', 'c']) {
      await core.createNamespacedConfigMap({
        namespace,
        body: { metadata: { name, labels: { odd: String(name !== 'b') } } },
      })
    }
    const odd = await core.listNamespacedConfigMap({
      namespace,
      labelSelector: 'odd=true',
      fieldSelector: 'metadata.name!=a',
    })
    expect(odd.items.map(({ metadata }) => metadata?.name)).toEqual(['c'])
    await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: 'odd=true' })
    const left = await core.listNamespacedConfigMap({ namespace })
    expect(left.items.map(({ metadata }) => metadata?.name)).toEqual(['b'])
  })

  it('patches in every way', async () => {
    const apps = config.makeApiClient(AppsV1Api)
    const namespace = await freshNamespace()
    const body: V1Deployment = {
      metadata: { name: 'web' },
      spec: {
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'c', image: 'i:1' }] },
        },
      },
    }
    await apps.createNamespacedDeployment({ namespace, body })
    const patch = (strategy: PatchStrategy, change: object) =>
      apps.patchNamespacedDeployment(
        { namespace, name: 'web', body: change },
        setHeaderOptions('Content-Type', strategy),
      )
    const json = await patch(PatchStrategy.JsonPatch, [{ op: 'replace', path: '/spec/replicas', value: 3 }])
    expect(json.spec?.replicas).toBe(3)
    const merged = await patch(PatchStrategy.MergePatch, {
      metadata: { labels: { a: 'b' } },
      spec: { replicas: null },
    })
    expect(merged).toMatchObject({ metadata: { labels: { a: 'b' }, generation: 3 }, spec: { replicas: 1 } })
    const containers = [{ name: 'side', image: 's:1' }]
    const strategic = await patch(PatchStrategy.StrategicMergePatch, {
      spec: { template: { spec: { containers } } },
    })
    expect(strategic.spec?.template.spec?.containers.map(({ name }) => name)).toEqual(['side', 'c'])
    const scaled = await apps.patchNamespacedDeploymentScale(
      { namespace, name: 'web', body: { spec: { replicas: 7 } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    )
    expect(scaled).toMatchObject({ kind: 'Scale', spec: { replicas: 7 }, status: { selector: 'app=web' } })
  })

  it('evicts and binds pods', async () => {
    const namespace = await freshNamespace()
    await core.createNamespacedServiceAccount({ namespace, body: { metadata: { name: 'default' } } })
    for (const name of ['bound', 'evicted']) {
      const body = { metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }] } }
      await core.createNamespacedPod({ namespace, body })
    }
    const binding = { metadata: { name: 'bound' }, target: { kind: 'Node', name: 'n1' } }
    await core.createNamespacedPodBinding({ namespace, name: 'bound', body: binding })
    const bound = await core.readNamespacedPod({ namespace, name: 'bound' })
    expect(bound.spec?.nodeName).toBe('n1')
    expect(bound.status?.conditions).toMatchObject([{ type: 'PodScheduled', status: 'True' }])
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'evicted' } }
    await core.createNamespacedPodEviction({ namespace, name: 'evicted', body })
    const pods = await core.listNamespacedPod({ namespace })
    expect(pods.items.map(({ metadata }) => metadata?.name)).toEqual(['bound'])
    expect(
      (await config.makeApiClient(PolicyV1Api).listNamespacedPodDisruptionBudget({ namespace })).items,
    ).toEqual([])
  })

  it('watches from a resource version, with bookmarks', async () => {
    const namespace = await freshNamespace()
    const { metadata } = await core.createNamespacedConfigMap({ namespace, body: configMap('before') })
    const query = { resourceVersion: metadata?.resourceVersion, allowWatchBookmarks: true }
    const path = `/api/v1/namespaces/${namespace}/configmaps`
    const seen = await watching(path, query, async (done) => {
      await core.createNamespacedConfigMap({ namespace, body: configMap('it') })
      await core.deleteNamespacedConfigMap({ namespace, name: 'it' })
      await done(({ type }) => type === 'DELETED')
    })
    expect(seen.filter(({ type }) => type !== 'BOOKMARK')).toEqual([
      { type: 'ADDED', name: 'it' },
      { type: 'DELETED', name: 'it' },
    ])
  })

  it('streams what there is as the start of a watch', async () => {
    const namespace = await freshNamespace()
    await core.createNamespacedConfigMap({ namespace, body: configMap('a') })
    const query = { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan', allowWatchBookmarks: true }
    const seen = await watching(`/api/v1/namespaces/${namespace}/configmaps`, query, (done) =>
      done(({ type }) => type === 'BOOKMARK'),
    )
    expect(seen.map(({ type, name }) => `${type} ${name}`)).toEqual(['ADDED a', 'BOOKMARK undefined'])
  })

  /** Watches while `during` runs, which may wait for an event; gives all events that were seen. */
  async function watching(
    path: string,
    query: Record<string, string | boolean | undefined>,
    during: (until: (wanted: (event: Seen) => boolean) => Promise<void>) => Promise<void>,
  ): Promise<Seen[]> {
    const seen: Seen[] = []
    let look: () => void = () => undefined
    const onEvent = (type: string, object: V1ConfigMap): void => {
      seen.push({ type, name: object.metadata?.name })
      look()
    }
    const controller = await new Watch(config).watch(path, query, onEvent, () => look())
    try {
      await during(
        (wanted) =>
          new Promise((resolve) => {
            look = () => seen.some(wanted) && resolve()
            look()
          }),
      )
    } finally {
      controller.abort()
    }
    return seen
  }

  it('keeps an informer in step', async () => {
    const namespace = await freshNamespace()
    await core.createNamespacedConfigMap({ namespace, body: configMap('before', { data: { v: '1' } }) })
    const path = `/api/v1/namespaces/${namespace}/configmaps`
    const informer = makeInformer(config, path, () => core.listNamespacedConfigMap({ namespace }))
    const heard: string[] = []
    informer.on('add', ({ metadata }) => heard.push(`add ${metadata?.name}`))
    informer.on('update', ({ metadata }) => heard.push(`update ${metadata?.name}`))
    informer.on('delete', ({ metadata }) => heard.push(`delete ${metadata?.name}`))
    try {
      await informer.start()
      await core.createNamespacedConfigMap({ namespace, body: configMap('during') })
      const before = await core.readNamespacedConfigMap({ namespace, name: 'before' })
      await core.replaceNamespacedConfigMap({
        namespace,
        name: 'before',
        body: { ...before, data: { v: '2' } },
      })
      await heardDelete(informer, () => core.deleteNamespacedConfigMap({ namespace, name: 'during' }))
      expect(heard).toEqual(['add before', 'add during', 'update before', 'delete during'])
      expect(informer.list(namespace).map(({ data }) => data)).toEqual([{ v: '2' }])
    } finally {
      await informer.stop()
    }
  })

  async function heardDelete(informer: Informer<V1ConfigMap>, remove: () => Promise<unknown>): Promise<void> {
    const heard = new Promise<void>((resolve) => informer.on('delete', () => resolve()))
    await remove()
    await heard
  }

  it('handles objects of kinds known at run time', async () => {
    const objects = KubernetesObjectApi.makeApiClient(config)
    const namespace = await freshNamespace()
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'it', namespace } }
    await objects.create({ ...lease, spec: { holderIdentity: 'me' } } as typeof lease)
    const change = { ...lease, spec: { leaseDurationSeconds: 5 } }
    await objects.patch(change, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch)
    expect(await objects.read(lease)).toMatchObject({
      spec: { holderIdentity: 'me', leaseDurationSeconds: 5 },
    })
    const list = await objects.list('coordination.k8s.io/v1', 'Lease', namespace)
    expect(list.items.map(({ metadata }) => metadata?.name)).toEqual(['it'])
    await objects.delete(lease)
    await expect(objects.read(lease)).rejects.toMatchObject({ code: 404 })
  })
})
