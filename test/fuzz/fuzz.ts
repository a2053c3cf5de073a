// The run: seeds the store, sends the requests from several clients at once, and gathers what was wrong.
import type { Access, Server } from '../process/server.ts'
import { residentMiB } from '../process/server.ts'
import { type Client, http1Client, http2Client } from './clients.ts'
import { complaintOf } from './invariants.ts'
import { collectionPath, NAMES, NAMESPACES, storedKinds, validObject } from './objects.ts'
import { Random } from './random.ts'
import { sendRaw } from './raw.ts'
import { type FuzzRequest, requestOf } from './requests.ts'

/** Requests that are under way at once. */
const CONCURRENCY = 24
/** Objects are made anew, and collections emptied, so often. */
const TIDY_EVERY = 2_500
/** Share of the run that warms the server up before its memory is measured. */
const WARM_UP = 0.4
/** One in so many is no request at all. */
const RAW_SHARE = 0.05

export interface Complaint {
  readonly index: number
  readonly complaint: string
  /** The request and its answer, short enough to read. */
  readonly shown: string
}

export interface Report {
  readonly requests: number
  readonly seconds: number
  readonly complaints: readonly Complaint[]
  /** Answers by status; `gone` and `raw` beside. */
  readonly outcomes: Readonly<Record<string, number>>
  readonly slowestMs: number
  readonly warmMiB: number | undefined
  readonly endMiB: number | undefined
}

const plain = (method: string, target: string, body?: object): FuzzRequest => ({
  index: -1,
  method,
  target,
  headers: body ? [['content-type', 'application/json']] : [],
  body: body ? Buffer.from(JSON.stringify(body)) : undefined,
  manner: 'whole',
})

/** Puts the objects there that requests are about; what is left of earlier ones goes. */
export async function tidy(client: Client): Promise<void> {
  for (const namespace of NAMESPACES) {
    const of = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }
    await client.send(plain('PUT', `/api/v1/namespaces/${namespace}/finalize`, { ...of, spec: {} }))
    await client.send(plain('POST', '/api/v1/namespaces', of))
  }
  const places = storedKinds().flatMap((kind) =>
    (kind.resource.namespaced ? NAMESPACES : ['']).map((namespace) => ({ kind, namespace })),
  )
  const renew = async ({ kind, namespace }: (typeof places)[number]): Promise<void> => {
    const path = collectionPath(kind, namespace)
    await client.send(plain('DELETE', path, { propagationPolicy: 'Background', gracePeriodSeconds: 0 }))
    await Promise.all(NAMES.map((name) => client.send(plain('POST', path, validObject(kind, name)))))
  }
  await Promise.all(places.map(renew))
}

export async function fuzz(server: Server, seed: number, count: number): Promise<Report> {
  const access: Access = server
  const clients = [http1Client(access, CONCURRENCY), http2Client(access), http2Client(access)]
  const complaints: Complaint[] = []
  const outcomes: Record<string, number> = {}
  const started = performance.now()
  let next = 0
  let slowestMs = 0
  let warmMiB: number | undefined
  const one = async (index: number): Promise<void> => {
    const began = performance.now()
    const [outcome, complaint, shown] = await sendOne(access, clients, seed, index)
    slowestMs = Math.max(slowestMs, performance.now() - began)
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    if (complaint) complaints.push({ index, complaint, shown })
  }
  const worker = async (): Promise<void> => {
    while (next < count && server.child.exitCode === null) {
      const index = next++
      if (index % TIDY_EVERY === 0) await tidy(clients[1] as Client)
      if (index === Math.floor(count * WARM_UP)) warmMiB = residentMiB(server.pid)
      await one(index)
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
  for (const client of clients) client.close()
  const seconds = (performance.now() - started) / 1000
  return {
    requests: count,
    seconds,
    complaints,
    outcomes,
    slowestMs,
    warmMiB,
    endMiB: residentMiB(server.pid),
  }
}

async function sendOne(
  access: Access,
  clients: readonly Client[],
  seed: number,
  index: number,
): Promise<[outcome: string, complaint: string | undefined, shown: string]> {
  const random = new Random(seed, ~index)
  if (random.chance(RAW_SHARE)) return ['raw', await sendRaw(access, seed, index), 'raw bytes']
  const request = requestOf(seed, index)
  const protocol = random.chance(0.4) ? 1 : 2
  const client = protocol === 1 ? (clients[0] as Client) : random.pick(clients.slice(1))
  const outcome = await client.send(request)
  const complaint = complaintOf(outcome, request)
  const answer = typeof outcome === 'string' ? outcome : `${outcome.status} ${clip(outcome.body)}`
  const kind = typeof outcome === 'string' ? outcome : String(outcome.status)
  return [kind, complaint, complaint ? `HTTP/${protocol} ${show(request)} → ${answer}` : '']
}

const clip = (bytes: Buffer | undefined): string => (bytes ? bytes.toString('utf8', 0, 300) : '')

function show({ method, target, headers, body, manner }: FuzzRequest): string {
  const fields = headers.map(([name, value]) => `${name}: ${value.slice(0, 100)}`).join('; ')
  return `${method} ${target.slice(0, 300)} [${fields}] ${manner} ${clip(body)}`
}
