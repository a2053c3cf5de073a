// Attempts to exceed rights, generated from a seed: none is let in, nothing changes by any, and each is refused as
// kube-apiserver refuses it. DINGHY_ATTACKS says how many (10,000 in the full run), DINGHY_ATTACKS_SEED which.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import { ensurePki, STANDARD_HOSTS } from '../../src/pki/pki.ts'
import { type EtcdServer, findEtcd, startEtcd } from '../../src/storage/etcd/testing.suite.ts'
import { findKubeApiServer, type KubeApiServer, startKubeApiServer } from '../etcd/kubeapiserver.ts'
import { Random } from '../fuzz/random.ts'
import { Door, type Heard, type Knock } from './door.ts'
import { attack } from './families.ts'
import { census, copyAggregated, furnish, tokensCsv, TREASURE } from './world.ts'

const COUNT = Number(process.env['DINGHY_ATTACKS'] ?? 600)
const SEED = Number(process.env['DINGHY_ATTACKS_SEED'] ?? 1)
/** An attack takes some milliseconds, and tens on the slowest machine. */
const TIMEOUT_MS = 120_000 + COUNT * 60

const etcdBinary = findEtcd()
const upstreamBinary = findKubeApiServer()
const PRESENT = etcdBinary !== undefined && upstreamBinary !== undefined
if (!PRESENT) console.warn('no etcd and kube-apiserver found: attacks are not compared with upstream')

/** Under way at once. */
const LANES = 8

const folder = mkdtempSync(join(tmpdir(), 'dinghy-attacks-'))
const tokenAuthFile = join(folder, 'tokens.csv')
let cluster: Cluster
let ours: Door

beforeAll(async () => {
  writeFileSync(tokenAuthFile, tokensCsv(), { mode: 0o600 })
  cluster = await startCluster({
    tokenAuthFile,
    enableAdmissionPlugins: ['NodeRestriction'],
    logLevel: 'error',
  })
  ours = openOurs()
  await furnish(ours)
})
afterAll(async () => {
  ours.close()
  await cluster.stop()
  rmSync(folder, { recursive: true, force: true })
})

const openOurs = (): Door => new Door(cluster.url, { ca: cluster.caCert })

interface Outcome extends Heard {
  readonly number: number
  readonly name: string
  readonly knock: Knock
}

async function tryAll(open: () => Door): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  let next = 0
  const lane = async (): Promise<void> => {
    const door = open()
    try {
      for (let number = next++; number < COUNT; number = next++) {
        const { name, knock } = attack(new Random(SEED, number))
        outcomes[number] = { number, name, knock, ...(await door.knock(knock)) }
      }
    } finally {
      door.close()
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return outcomes
}

/** Refused is what is no success, and shows nothing. */
const isRefused = ({ status, text }: Heard): boolean =>
  status >= 400 && status < 500 && !text.includes(TREASURE) && !text.includes(btoa(TREASURE))

const shown = ({ number, name, knock, status, text }: Outcome): string =>
  `#${number} ${name}: ${JSON.stringify(knock)} → ${status} ${text.slice(0, 400)}`

it(
  `${COUNT} attempts to exceed rights: none passes, nothing changes (seed ${SEED})`,
  async () => {
    const before = await census(ours)
    const outcomes = await tryAll(openOurs)
    expect(outcomes.filter((outcome) => !isRefused(outcome)).map(shown)).toEqual([])
    expect(await census(ours)).toEqual(before)
  },
  TIMEOUT_MS,
)

it('a certificate of another CA makes nobody an administrator, whatever it says', async () => {
  const { adminCert, adminKey } = await ensurePki({ hosts: STANDARD_HOSTS })
  const door = new Door(cluster.url, { ca: cluster.caCert, key: adminKey, cert: adminCert })
  try {
    const { status, text } = await door.knock({ method: 'GET', path: '/api/v1/namespaces/blue/secrets' })
    expect([status, text.includes(TREASURE)]).toEqual([401, false])
  } finally {
    door.close()
  }
})

describe.skipIf(!PRESENT)('beside kube-apiserver', () => {
  let etcd: EtcdServer
  let upstream: KubeApiServer
  let theirs: Door

  beforeAll(async () => {
    etcd = await startEtcd(etcdBinary as string)
    upstream = await startKubeApiServer(upstreamBinary as string, etcd.url, [
      `--token-auth-file=${tokenAuthFile}`,
      '--authorization-mode=Node,RBAC',
      '--enable-admission-plugins=NodeRestriction',
    ])
    theirs = new Door(upstream.url)
    await furnish(theirs)
    await copyAggregated(ours, theirs)
  }, 180_000)
  afterAll(async () => {
    theirs?.close()
    await upstream?.stop()
    await etcd?.stop()
  })

  it(
    'each is refused with the same code, reason and message',
    async () => {
      const mine = await tryAll(openOurs)
      const others = await tryAll(() => new Door(upstream.url))
      expect(others.filter((outcome) => !isRefused(outcome)).map(shown)).toEqual([])
      const different = mine.filter((outcome, i) => verdictOf(outcome) !== verdictOf(others[i] as Outcome))
      expect(
        different
          .map((outcome) => [shown(outcome), verdictOf(others[outcome.number] as Outcome)])
          .slice(0, 20),
      ).toEqual([])
    },
    2 * TIMEOUT_MS,
  )
})

/** What a client is told, less what a server makes up anew each time. */
function verdictOf({ status, text }: Heard): string {
  try {
    const { reason, message } = JSON.parse(text) as { reason?: string; message?: string }
    return `${status} ${reason} ${message}`
  } catch {
    return `${status} ${text}`
  }
}
