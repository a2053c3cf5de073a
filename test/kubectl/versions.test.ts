// Older kubectls, against memory: what everybody does first. And that 1.36's answers do not hang on memory: with lmdb
// a cluster is stopped and started again, and kubectl goes on where it was.
import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { startCluster } from '../../src/cmd/cluster.ts'
import { kubectlOnPath } from '../../tools/kubectl/programs.ts'
import { findKubectl, type Kubectl, printed, rows, useKubectl } from './driver.ts'

const PROGRAMS: readonly (readonly [string, string | undefined])[] = [
  ['kubectl 1.30', await findKubectl('1.30')],
  ['kubectl of the PATH', kubectlOnPath()],
]

async function tour(k: Kubectl): Promise<void> {
  await k('create deployment web --image=nginx --replicas=2')
  expect(rows(await k('get deployments'))).toEqual([
    ['NAME', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'AGE'],
    ['web', '0/2', '0', '0', 'AGE'],
  ])
  const settings = (data: object) => ({
    stdin: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'it' }, data }),
  })
  expect(await k('apply -f -', settings({ a: 'b' }))).toBe('configmap/it created\n')
  expect(await k('apply -f -', settings({ c: 'd' }))).toBe('configmap/it configured\n')
  expect(await k('get configmap it -o jsonpath={.data}')).toBe('{"c":"d"}')
  expect(await k('scale deployment web --replicas=3')).toBe('deployment.apps/web scaled\n')
  expect(await k('set image deployment/web nginx=nginx:2')).toBe('deployment.apps/web image updated\n')
  await k('label deployment web a=b')
  await k(
    `patch deployment web -p '{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"s"}]}}}}'`,
  )
  const described = await k('describe deployment web')
  expect(described).toMatch(/Replicas: +3 desired/)
  expect(described).toMatch(/Image: +nginx:2/)
  expect(await k('explain deployment.spec.replicas')).toMatch(/FIELD: replicas <integer>/)
  expect(await k('auth can-i create pods')).toBe('yes\n')
  expect(await k('api-resources --api-group=batch -o name')).toBe('cronjobs.batch\njobs.batch\n')
  expect(await k.fails('get pod nosuch')).toBe('Error from server (NotFound): pods "nosuch" not found\n')
}

async function watchAndDelete(k: Kubectl): Promise<void> {
  const watch = k.start('get deployments -w -o name')
  try {
    await printed(watch, /web\n/)
    const again = printed(watch, /web\n/)
    expect(await k('delete deployment web')).toMatch(/^deployment.apps "web" deleted/)
    await again
  } finally {
    watch.kill()
  }
  expect(await k('get deployments -o name')).toBe('')
}

describe.each(PROGRAMS)('%s', (_, program) => {
  const kubectl = useKubectl(program)

  it.skipIf(program === undefined)('creates, applies, changes, describes, watches, deletes', async () => {
    const k = await kubectl.namespace('tour')
    await tour(k)
    await watchAndDelete(k)
  })
})

const program = await findKubectl('1.36')

describe.skipIf(program === undefined)('kubectl 1.36, data on disk', () => {
  const dataDir = join(tmpdir(), `dinghy-data-${randomUUID()}`)
  const storage = { dataDir: join(dataDir, 'data') }
  const kubectl = useKubectl(program, { storage, certDir: join(dataDir, 'certs') })
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

  it('does all that it does in memory', async () => {
    const k = await kubectl.namespace('tour')
    await tour(k)
    await watchAndDelete(k)
  })

  it('finds everything again after a restart', async () => {
    const k = await kubectl.namespace('kept')
    await k('create configmap it --from-literal=a=b')
    const everything = 'get configmaps,secrets,services,namespaces,clusterroles,flowschemas -A -o json'
    const before = await k(everything)
    const { port } = new URL(kubectl.cluster().url)
    await kubectl.cluster().stop()
    const again = await startCluster({ storage, certDir: join(dataDir, 'certs'), port: Number(port) })
    try {
      expect(JSON.parse(await k(everything))).toEqual(JSON.parse(before))
      expect(await k(`patch configmap it -p '{"data":{"c":"d"}}'`)).toBe('configmap/it patched\n')
      expect(await k('get configmap it -o jsonpath={.data}')).toBe('{"a":"b","c":"d"}')
    } finally {
      await again.stop()
    }
  })
})
