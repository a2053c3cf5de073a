// Who somebody is, at random: TokenRequests, TokenReviews of tokens that were issued, forged or broken, whose objects are
// gone or made anew, and SelfSubjectReviews with tokens and with headers that ask to act as another, of a kube-apiserver
// and of this server.
//
//	node tools/run.js conformance/differential/tokens.ts -- --upstream URL --ours URL [--token T] [SIGNING-KEY]
//	   --seed N   --rounds N (6)   --steps N of each round (300)   --verbose  every difference, not the first of its sort
//
// SIGNING-KEY is the private key with which both servers sign accounts' tokens, a PEM file; without it none are forged.
// Ends with `N requests, N differ`; exits 1 where some do.
import {
  createPrivateKey,
  createPublicKey,
  createHash,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { JsonObject } from '../../src/machinery/json.ts'
import { type Answer, mapOf } from './answers.ts'
import { type Both, Pair, settings } from './both.ts'
import { RBAC, type World } from './rights-shapes.ts'
import { awaitRules, bindMarkers, letAsk } from './rights-seen.ts'
import {
  claimsOf,
  forgedClaims,
  garbled,
  impersonation,
  impersonationRule,
  legacyClaims,
  signed,
  tokenRequest,
  type Uids,
} from './token-shapes.ts'

const AUTHENTICATION = '/apis/authentication.k8s.io/v1'
const GROUP = 'rbac.authorization.k8s.io'
/** Upstream remembers whom a token stands for so long; its informers hear of what is gone meanwhile. */
const FORGOTTEN_MS = 11_000

const uidOf = ({ body }: Answer): string => String(mapOf(mapOf(body)['metadata'])['uid'])
const same = (body: Both<JsonObject>, path: string, headers?: Both<JsonObject>) => {
  const asked = (side: 'theirs' | 'ours') => ({
    method: 'POST',
    path,
    body: body[side],
    ...(headers ? { headers: headers[side] as never } : {}),
  })
  return { theirs: asked('theirs'), ours: asked('ours') }
}

class Round {
  readonly #pair: Pair
  readonly #world: World
  readonly #namespace: string
  readonly #key: KeyObject | undefined
  readonly #uids = { theirs: new Map<string, string>(), ours: new Map<string, string>() }
  readonly #tokens: Both<string>[] = []
  readonly #accounts: Both<string>[] = []

  constructor(pair: Pair, world: World, key: KeyObject | undefined) {
    this.#pair = pair
    this.#world = world
    this.#namespace = world.namespaces[0] as string
    this.#key = key
  }

  async #make(path: string, object: JsonObject): Promise<void> {
    const { theirs, ours } = await this.#pair.post(path, object)
    const key = `${String(object['kind'])}/${String(mapOf(object['metadata'])['name'])}`
    this.#uids.theirs.set(key, uidOf(theirs))
    this.#uids.ours.set(key, uidOf(ours))
  }

  #uidsOf(side: 'theirs' | 'ours'): Uids {
    return (kind, name) => this.#uids[side].get(`${kind}/${name}`) ?? 'none'
  }

  /** The same for each server, by its uids. */
  #each<T>(make: (uids: Uids) => T): Both<T> {
    return { theirs: make(this.#uidsOf('theirs')), ours: make(this.#uidsOf('ours')) }
  }

  async furnish(): Promise<void> {
    const core = `/api/v1/namespaces/${this.#namespace}`
    const { tag } = this.#world
    await this.#pair.post('/api/v1/namespaces', { metadata: { name: this.#namespace } })
    for (const name of ['a', 'b', 'default', 'c0', 'c1', 'c2'])
      await this.#make(`${core}/serviceaccounts`, { kind: 'ServiceAccount', metadata: { name } })
    await this.#make(`/api/v1/nodes`, { kind: 'Node', metadata: { name: `node-${tag}` } })
    const pod = (name: string, serviceAccountName: string, nodeName?: string): JsonObject => ({
      kind: 'Pod',
      metadata: { name },
      spec: {
        serviceAccountName,
        ...(nodeName ? { nodeName } : {}),
        containers: [{ name: 'c', image: 'i' }],
      },
    })
    await this.#make(`${core}/pods`, pod('p', 'a'))
    await this.#make(`${core}/pods`, pod('placed', 'a', `node-${tag}`))
    await this.#make(`${core}/pods`, pod('lost', 'a', 'nowhere'))
    await this.#make(`${core}/pods`, pod('others', 'b'))
    await this.#make(`${core}/secrets`, { kind: 'Secret', metadata: { name: 's' } })
    const annotations = { 'kubernetes.io/service-account.name': 'a' }
    await this.#make(`${core}/secrets`, {
      kind: 'Secret',
      type: 'kubernetes.io/service-account-token',
      metadata: { name: 'legacy', annotations },
    })
    await this.#entitle()
  }

  /** Accounts that may act as some others. */
  async #entitle(): Promise<void> {
    const { draw } = this.#pair
    for (const account of ['c0', 'c1', 'c2']) {
      const name = `acts-${account}-${this.#world.tag}`
      const rules = Array.from({ length: 6 }, () => impersonationRule(draw))
      await this.#pair.post(`${RBAC}/clusterroles`, { metadata: { name }, rules })
      await this.#pair.post(`${RBAC}/clusterrolebindings`, {
        metadata: { name },
        roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name },
        subjects: [{ kind: 'ServiceAccount', namespace: this.#namespace, name: account }],
      })
      const path = `/api/v1/namespaces/${this.#namespace}/serviceaccounts/${account}/token`
      const { theirs, ours } = await this.#pair.post(path, { spec: {} })
      this.#accounts.push({ theirs: tokenIn(theirs), ours: tokenIn(ours) })
    }
    await bindMarkers(this.#pair, this.#world)
    await awaitRules(this.#pair, this.#world)
  }

  async request(): Promise<void> {
    const account = this.#pair.draw.of(['a', 'a', 'a', 'b', 'absent'])
    const bodies = this.#each(tokenRequest(this.#pair.draw, this.#world.tag))
    const path = `/api/v1/namespaces/${this.#namespace}/serviceaccounts/${account}/token`
    const answers = await this.#pair.compare(same(bodies, path), withClaims)
    if (answers.theirs.status === 201 && answers.ours.status === 201)
      this.#tokens.push({ theirs: tokenIn(answers.theirs), ours: tokenIn(answers.ours) })
  }

  /** Some of what tokens are bound to is taken away, or made anew. */
  async change(): Promise<void> {
    const core = `/api/v1/namespaces/${this.#namespace}`
    const { draw } = this.#pair
    const remove = (path: string): Promise<unknown> =>
      this.#pair.both({ method: 'DELETE', path: `${path}?gracePeriodSeconds=0` })
    if (draw.chance(0.5)) await remove(`${core}/pods/p`)
    if (draw.chance(0.5)) await remove(`${core}/secrets/s`)
    if (draw.chance(0.4)) await remove(`/api/v1/nodes/node-${this.#world.tag}`)
    if (draw.chance(0.3)) await remove(`${core}/serviceaccounts/b`)
    if (draw.chance(0.3)) {
      await remove(`${core}/serviceaccounts/a`)
      await this.#pair.post(`${core}/serviceaccounts`, { metadata: { name: 'a' } })
    }
    if (draw.chance(0.3)) {
      await remove(`${core}/secrets/s`)
      await this.#pair.post(`${core}/secrets`, { metadata: { name: 's' } })
    }
    await new Promise((resolve) => setTimeout(resolve, FORGOTTEN_MS))
  }

  #token(): Both<string> {
    const { draw } = this.#pair
    const issued = this.#tokens.length > 0 ? draw.of(this.#tokens) : { theirs: 'x', ours: 'x' }
    const form = draw.of(['issued', 'issued', 'forged', 'forged', 'legacy', 'garbled'])
    if (form === 'issued') return issued
    const key = this.#key
    if (form === 'garbled' || !key) {
      const seed = draw.of(Array.from({ length: 10 }, (_, i) => i))
      const pick: typeof draw = { chance: draw.chance, of: (list) => list[seed % list.length] as never }
      return { theirs: garbled(pick, issued.theirs), ours: garbled(pick, issued.ours) }
    }
    const header = { alg: 'RS256', kid: draw.chance(0.8) ? kidOf(key) : draw.of(['x', '']) }
    const by = draw.chance(0.9) ? key : STRANGER
    const claims = this.#each(
      form === 'forged'
        ? forgedClaims(draw, this.#namespace, this.#world.tag)
        : legacyClaims(draw, this.#namespace),
    )
    return { theirs: signed(claims.theirs, by, header), ours: signed(claims.ours, by, header) }
  }

  async review(): Promise<void> {
    const { draw } = this.#pair
    const form = draw.of(['review', 'self', 'act', 'act', 'act as'])
    const self = { theirs: {}, ours: {} }
    const selves = `${AUTHENTICATION}/selfsubjectreviews`
    if (form === 'review') {
      const audiences = draw.of([
        undefined,
        undefined,
        ['one'],
        ['https://kubernetes.default.svc', 'two'],
        ['x'],
        [''],
      ])
      const spec = (token: string): JsonObject => ({ spec: { token, ...(audiences ? { audiences } : {}) } })
      const token = this.#token()
      const bodies = { theirs: spec(token.theirs), ours: spec(token.ours) }
      await this.#pair.compare(same(bodies, `${AUTHENTICATION}/tokenreviews`), settled)
      return
    }
    if (form === 'self') {
      const token = this.#token()
      const bearer = (text: string): JsonObject => ({ authorization: `Bearer ${text}` })
      await this.#pair.compare(
        same(self, selves, { theirs: bearer(token.theirs), ours: bearer(token.ours) }),
        settled,
      )
      return
    }
    const headers = impersonation(draw) as unknown as JsonObject
    const token = form === 'act as' ? undefined : draw.of(this.#accounts)
    const of = (text: string | undefined): JsonObject => ({
      ...headers,
      ...(text ? { authorization: `Bearer ${text}` } : {}),
    })
    await this.#pair.compare(
      same(self, selves, { theirs: of(token?.theirs), ours: of(token?.ours) }),
      settled,
    )
  }
}

const STRANGER = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const kidOf = (key: KeyObject): string =>
  createHash('sha256')
    .update(createPublicKey(key).export({ type: 'spki', format: 'der' }))
    .digest('base64url')
const tokenIn = ({ body }: Answer): string => String(mapOf(mapOf(body)['status'])['token'])

/** With what the token says in place of it. */
function withClaims(answer: Answer): Answer {
  const body = structuredClone(answer.body)
  const status = mapOf(mapOf(body)['status'])
  if (typeof status['token'] === 'string') status['token'] = claimsOf(status['token']) ?? 'none'
  if ('expirationTimestamp' in status) status['expirationTimestamp'] = 'a time'
  return { ...answer, body }
}

/** Without the token, which is each server's own, and its identity. */
function settled(answer: Answer): Answer {
  const text = JSON.stringify(answer.body)
    .replace(/"token":"[^"]*"/, '"token":""')
    .replaceAll(/[A-Za-z]+=?JTI=[0-9a-f-]{36}/g, 'JTI')
  return { ...answer, body: JSON.parse(text) as Answer['body'] }
}

async function main(): Promise<void> {
  const asked = settings(6, 300)
  const pair = new Pair(asked)
  const [file] = asked.parts
  const key = file === undefined ? undefined : createPrivateKey(readFileSync(file))
  await letAsk(pair)
  for (let i = 0; i < asked.rounds; i++) {
    const tag = `t${asked.seed}-${i}`
    const round = new Round(pair, { tag, namespaces: [`tokens-${tag}`] }, key)
    await round.furnish()
    for (let step = 0; step < asked.steps / 4; step++) await round.request()
    await round.change()
    for (let step = 0; step < asked.steps; step++) await round.review()
  }
  pair.end()
}

await main()
