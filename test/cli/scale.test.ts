// `dinghy scale nodes N` against a cluster that runs: more nodes, fewer, and what it says where it cannot.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import { ApiClient } from '../process/client.ts'
import { bundleProgram, type Ended, type Program, readAccess, run } from '../process/server.ts'

const base = mkdtempSync(join(tmpdir(), 'dinghy-scale-'))
const file = join(base, 'kubeconfig')
let program: Program
let cluster: Cluster
let client: ApiClient
beforeAll(async () => {
  program = await bundleProgram()
  cluster = await startCluster({ parts: ['nodes'] })
  writeFileSync(file, cluster.kubeconfig)
  client = new ApiClient(readAccess(cluster.kubeconfig))
})
afterAll(async () => {
  client.close()
  await cluster.stop()
  program.remove()
  rmSync(base, { recursive: true, force: true })
})

const scale = (...args: readonly string[]): Promise<Ended> =>
  run(program, ['scale', ...args, '--kubeconfig', file]).ended

async function nodes(): Promise<string[]> {
  const { json } = await client.send('GET', '/api/v1/nodes')
  return (json['items'] as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name)
}

it('adds nodes and takes them away, and leaves those of others', async () => {
  expect(await nodes()).toEqual(['node-0'])
  await client.send('POST', '/api/v1/nodes', { metadata: { name: 'other-7' } })
  expect(await scale('nodes', '4')).toMatchObject({ code: 0, stdout: 'nodes scaled to 4\n', stderr: '' })
  expect(await nodes()).toEqual(['node-0', 'node-1', 'node-2', 'node-3', 'other-7'])
  expect((await scale('nodes', '2')).code).toBe(0)
  expect(await nodes()).toEqual(['node-0', 'node-1', 'other-7'])
  // At once, while the nodes that were let go may still be known.
  expect((await scale('nodes', '3')).code).toBe(0)
  expect(await nodes()).toEqual(['node-0', 'node-1', 'node-2', 'other-7'])
})

it('says in one line what it cannot do', async () => {
  const refused = async (...args: readonly string[]): Promise<string> => {
    const { code, stderr } = await scale(...args)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^dinghy: [^\n]+\n$/)
    return stderr
  }
  expect(await refused('nodes', '5001')).toContain('a number from 0 to 5000')
  expect(await refused('nodes', 'many')).toContain('a number from 0 to 5000')
  expect(await refused('pods', '3')).toContain('dinghy scale nodes N')
  expect(await refused('nodes', '3', '--context', 'nosuch')).toContain('it has no context "nosuch"')
})

it('says that nobody simulates nodes', async () => {
  const alone = await startCluster()
  try {
    const own = join(base, 'alone')
    writeFileSync(own, alone.kubeconfig)
    const { code, stderr } = await run(program, ['scale', 'nodes', '1', '--kubeconfig', own]).ended
    expect(code).toBe(1)
    expect(stderr).toContain('does the part "nodes" run in this cluster?')
  } finally {
    await alone.stop()
  }
})
