// What a server finds of registrations when it starts: its own are made right, those of others are at work at once.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Aggregated, APISERVICES, eventually, isReachable } from './aggregated.ts'
import { THINGS } from './extensionserver.ts'

const folder = mkdtempSync(join(tmpdir(), 'dinghy-aggregation-'))
const cluster = new Aggregated({ storage: { dataDir: join(folder, 'data') }, certDir: join(folder, 'pki') })
beforeAll(() => cluster.start())
afterAll(async () => {
  await cluster.stop()
  rmSync(folder, { recursive: true, force: true })
})

const priorityOf = async (name: string): Promise<unknown> => {
  const { body } = await cluster.send('GET', `${APISERVICES}/${name}`)
  return (body['spec'] as Record<string, unknown> | undefined)?.['groupPriorityMinimum']
}

const spec = (group: string) => ({ group, version: 'v1', groupPriorityMinimum: 5, versionPriority: 5 })
const managed = (how: string) => ({ labels: { 'kube-aggregator.kubernetes.io/automanaged': how } })

it.skipIf(!isReachable)(
  'sets its own right, takes away what nobody wants, and goes on with extension servers',
  async () => {
    await cluster.serve()
    await cluster.register()
    const isThere = ({ code }: { code: number }): boolean => code === 200
    expect((await eventually(() => cluster.send('GET', THINGS), isThere)).code).toBe(200)
    expect(existsSync(join(folder, 'pki/front-proxy-client.key'))).toBe(true)

    await cluster.send('PATCH', `${APISERVICES}/v1.apps`, { spec: { groupPriorityMinimum: 7 } })
    await cluster.send('PATCH', `${APISERVICES}/v1.batch`, {
      metadata: { labels: null },
      spec: { groupPriorityMinimum: 7 },
    })
    for (const [group, how] of [
      ['once.example', 'onstart'],
      ['always.example', 'true'],
      ['mine.example', 'never'],
    ] as const) {
      const metadata = { name: `v1.${group}`, ...managed(how) }
      expect((await cluster.send('POST', APISERVICES, { metadata, spec: spec(group) })).code).toBe(201)
    }
    // Until the next start, what is managed at the start is left alone.
    expect(await priorityOf('v1.apps')).toBe(7)

    await cluster.restart()
    expect((await cluster.send('GET', THINGS)).code).toBe(200)
    expect(await priorityOf('v1.apps')).toBe(17_800)
    expect(await priorityOf('v1.batch')).toBe(7)
    expect(await priorityOf('v1.mine.example')).toBe(5)
    expect(await priorityOf('v1.once.example')).toBeUndefined()
    const gone = (seen: unknown): boolean => seen === undefined
    expect(await eventually(() => priorityOf('v1.always.example'), gone)).toBeUndefined()
  },
)
