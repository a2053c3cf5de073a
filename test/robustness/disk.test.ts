// A disk that has no room: what cannot be written is refused, what was acknowledged stays, and with room all goes on.
// The room is bounded by the process's limit on files, which looks to the store as a full disk does.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ApiClient, type Reply } from '../process/client.ts'
import { bundleProgram, type Program, run, startServer } from '../process/server.ts'

const COLLECTION = '/api/v1/namespaces/default/configmaps'
/** Of half a KiB each. */
const BLOCKS = 8_000
const TEXT = 'x'.repeat(300_000)
/** More than have room. */
const MAX_WRITES = 40

const base = mkdtempSync(join(tmpdir(), 'dinghy-disk-'))
let program: Program
beforeAll(async () => {
  program = await bundleProgram()
})
afterAll(() => {
  program?.remove()
  rmSync(base, { recursive: true, force: true })
})

const create = (client: ApiClient, name: string, text: string): Promise<Reply> =>
  client.send('POST', COLLECTION, { metadata: { name }, data: { text } })

async function names(client: ApiClient): Promise<string[]> {
  const { status, json } = await client.send('GET', COLLECTION)
  expect(status).toBe(200)
  return (json['items'] as { metadata: { name: string } }[]).map((item) => item.metadata.name).sort()
}

it('loses nothing when there is no room, and goes on when there is', async () => {
  const args = ['--data-dir', join(base, 'data')]
  const small = await startServer(program, args, { fileBlocks: BLOCKS })
  const client = new ApiClient(small)
  const acknowledged: string[] = []
  let refused: Reply | undefined
  for (let n = 0; n < MAX_WRITES && !refused; n++) {
    const reply = await create(client, `large-${n}`, TEXT)
    if (reply.status === 201) acknowledged.push(`large-${n}`)
    else refused = reply
  }
  expect(acknowledged).not.toHaveLength(0)
  expect(refused).toMatchObject({
    status: 500,
    json: {
      kind: 'Status',
      message: expect.stringMatching(/database space exceeded|cannot write to the store/) as string,
    },
  })
  acknowledged.sort()
  expect(await names(client)).toEqual(acknowledged)
  for (const check of ['/livez', '/readyz']) expect((await client.send('GET', check)).status).toBe(200)
  expect((await client.send('DELETE', `${COLLECTION}/large-0`)).status).toBe(200)
  acknowledged.splice(acknowledged.indexOf('large-0'), 1)
  client.close()
  expect((await small.stop()).code).toBe(0)

  const large = await startServer(program, args)
  const again = new ApiClient(large)
  expect(await names(again)).toEqual(acknowledged)
  expect((await create(again, 'more', TEXT)).status).toBe(201)
  again.close()
  await large.kill()
})

it('says in one line that it cannot start', async () => {
  const args = ['up', '--port', '0', '--data-dir', join(base, 'tiny'), '--kubeconfig', join(base, 'config')]
  const { code, stderr } = await run(program, args, { fileBlocks: 300 }).ended
  expect(code).toBe(1)
  expect(stderr.trim().split('\n').at(-1)).toMatch(/^dinghy: cannot (write to|open) the store/)
})
