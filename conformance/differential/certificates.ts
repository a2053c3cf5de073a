// CertificateSigningRequests from their making to what is signed: keys of all sorts, every built-in signer, right and wrong
// subjects, names, usages and times, approvals and certificates by people with and without rights, of a kube-apiserver with
// upstream's kube-controller-manager (csrsigning, csrapproving) and of this server with its own.
//
//	node tools/run.js conformance/differential/certificates.ts -- --upstream URL --ours URL [--token T]
//	   --seed N   --rounds N (150)   --verbose  every difference, not the first of its sort
//
// Both servers take the token (secret) as an administrator's. Needs openssl. Ends with `N requests, N differ`; exits 1
// where some do.
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import { type Answer, mapOf } from './answers.ts'
import { as, type Both, Pair, settings, several } from './both.ts'
import type { Draw } from './mutations.ts'
import { RBAC } from './rights-shapes.ts'

const CSRS = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
const MINUTE_MS = 60_000
/** Controllers have this long for a request, and are looked at so often. */
const PATIENCE_MS = 6_000
const LOOK_MS = 100

const KEYS: readonly (readonly string[])[] = [
  ['rsa:2048'],
  ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  ['ed25519'],
  ['ed25519'],
  ['rsa:2048'],
  ['rsa:1024'],
  ['rsa:4096'],
  ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  ['ec', '-pkeyopt', 'ec_paramgen_curve:P-521'],
  ['ec', '-pkeyopt', 'ec_paramgen_curve:secp224r1'],
  ['ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1'],
  ['ed25519'],
  ['ed448'],
]
const SUBJECTS = [
  ...[
    '/O=system:nodes/CN=system:node:a',
    '/O=system:nodes/CN=system:node:a',
    '/CN=jo',
    '/O=devs/O=ops/CN=jo',
  ],
  ...[
    '/O=system:nodes/CN=jo',
    '/O=system:nodes/O=x/CN=system:node:a',
    '/O=system:masters/CN=jo',
    '/O=nodes/CN=system:node:a',
  ],
  ...['/C=CH/L=Bern/O=x/OU=y/CN=jo/UID=7', '/CN=', '/O=x', '/CN=system:node:', '/CN=a/CN=b', '/CN=jö'],
]
const NAMES = [
  ...[
    '',
    '',
    '',
    '',
    'DNS:a.example',
    'IP:10.0.0.1',
    'DNS:a,IP:::1',
    'email:a@b.c',
    'URI:https://a/b',
    'DNS:*.a',
    'DNS:',
  ],
  'DNS:a,email:a@b.c',
]
const SIGNERS = [
  ...['kube-apiserver-client', 'kube-apiserver-client-kubelet', 'kubelet-serving', 'legacy-unknown'].flatMap(
    (name) => [`kubernetes.io/${name}`, `kubernetes.io/${name}`],
  ),
  ...['kubernetes.io/unknown', 'example.com/mine', 'example.com', 'Example.com/x', ''],
]
const USAGES = [
  ...[
    'digital signature',
    'key encipherment',
    'client auth',
    'server auth',
    'signing',
    'any',
    'cert sign',
    'code signing',
  ],
  ...['s/mime', 'ocsp signing', 'content commitment', 'nonsense', ''],
]
const SOUND_USAGES = [
  ['digital signature', 'key encipherment', 'client auth'],
  ['digital signature', 'client auth'],
  ['client auth'],
  ['digital signature', 'key encipherment', 'server auth'],
  ['digital signature', 'server auth'],
]
const SOUND_SECONDS = [undefined, undefined, 600, 3600, 86_400, 2_147_483_647]
const SECONDS = [
  undefined,
  undefined,
  undefined,
  600,
  3600,
  86_400,
  599,
  0,
  -1,
  2_147_483_647,
  2_147_483_648,
  600.5,
]
const APPROVER = 'approver'
const PEOPLE = ['nobody', APPROVER, 'signer', 'admin', 'admin', 'admin']

/** Requests of openssl's, each sort made once. */
class Requests {
  readonly #folder = mkdtempSync(join(tmpdir(), 'requests-'))
  readonly #made = new Map<string, string>()

  /** PEM; undefined where openssl makes none. */
  of(draw: Draw): string {
    const [key, subject, names] = [draw.of(KEYS), draw.of(SUBJECTS), draw.of(NAMES)]
    const sort = JSON.stringify([key, subject, names])
    let pem = this.#made.get(sort)
    if (pem === undefined) this.#made.set(sort, (pem = this.#make(key, subject, names)))
    return pem
  }

  #make(key: readonly string[], subject: string, names: string): string {
    const config = join(this.#folder, 'config')
    writeFileSync(config, '[req]\ndistinguished_name=dn\nstring_mask=utf8only\n[dn]\n')
    const own = [
      '-config',
      config,
      '-utf8',
      '-subj',
      subject,
      ...(names ? ['-addext', `subjectAltName=${names}`] : []),
    ]
    const out = ['-keyout', join(this.#folder, 'key')]
    try {
      const made = ['req', '-new', '-nodes', '-newkey', ...key, ...out, ...own]
      return execFileSync('openssl', made, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    } catch {
      return 'none'
    }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true })
  }
}

/** What somebody might send in a request's place. */
function spoilt(draw: Draw, pem: string): string {
  const [head = '', ...rest] = pem.trim().split('\n')
  const [body, tail] = [rest.slice(0, -1), rest.at(-1) ?? '']
  return draw.of([
    () => pem.replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE'),
    () => pem.replaceAll('CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'),
    () => `${pem}${pem}`,
    () => `text before\n${pem}`,
    () => `${pem}text behind\n`,
    () => [head, 'Header: x', '', ...body, tail].join('\n'),
    () => [head, ...body.slice(1), tail].join('\n'),
    () => [head, ...body.map((line, i) => (i === body.length - 1 ? flipped(line) : line)), tail].join('\n'),
    () => [head, '!!!', tail].join('\n'),
    () => [head, tail].join('\n'),
    () => 'no request',
    () => '',
  ])()
}

const flipped = (line: string): string => (line.startsWith('A') ? 'B' : 'A') + line.slice(1)

function requestOf(draw: Draw, name: string, requests: Requests): JsonObject {
  const pem = requests.of(draw)
  const request = Buffer.from(draw.chance(0.08) ? spoilt(draw, pem) : pem).toString('base64')
  const usages = draw.chance(0.85) ? draw.of(SOUND_USAGES) : several(draw, USAGES, 0, 4)
  const seconds = draw.of(draw.chance(0.1) ? SECONDS : SOUND_SECONDS)
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: {
      request,
      signerName: draw.of(SIGNERS),
      usages: draw.chance(0.05) ? [...usages, ...usages] : [...usages],
      ...(seconds === undefined ? {} : { expirationSeconds: seconds }),
      ...(draw.chance(0.05)
        ? { username: 'forged', groups: ['system:masters'], uid: '1', extra: { a: ['b'] } }
        : {}),
    },
  }
}

const condition = (draw: Draw): JsonObject => ({
  type: draw.of(['Approved', 'Approved', 'Approved', 'Approved', 'Denied', 'Failed', 'Other', '']),
  status: draw.of(['True', 'True', 'True', 'True', 'True', 'False', 'Unknown', '', 'x']),
  reason: draw.of(['ByHand', 'ByHand', '']),
  message: 'said so',
  ...(draw.chance(0.1) ? { lastUpdateTime: '2020-01-01T00:00:00Z' } : {}),
})

/** What a signer might say: a certificate is checked for its form alone. */
const statusOf = (draw: Draw, certificate: string): JsonObject => {
  const text = draw.of([
    () => certificate,
    () => certificate + certificate,
    () => certificate.replaceAll('CERTIFICATE', 'X'),
    () => `text\n${certificate}`,
    () => certificate.replace('-----\n', '-----\nHeader: x\n\n'),
    () => 'none',
    () => '',
  ])()
  return { certificate: Buffer.from(text).toString('base64') }
}

class Life {
  readonly #pair: Pair
  readonly #path: string

  constructor(pair: Pair, name: string) {
    this.#pair = pair
    this.#path = `${CSRS}/${name}`
  }

  /** The object as each server has it, changed alike, is written by somebody. */
  async write(subresource: string, change: (object: JsonObject) => void, who: string): Promise<Both<Answer>> {
    const { theirs, ours } = await this.#pair.both({ method: 'GET', path: this.#path })
    const body = ({ body: of }: Answer): JsonObject => {
      const object = structuredClone(mapOf(of))
      change(object)
      return object
    }
    const path = this.#path + (subresource ? `/${subresource}` : '')
    const asked = (object: JsonObject) => ({ method: 'PUT', path, body: object, headers: headersOf(who) })
    return this.#pair.compare({ theirs: asked(body(theirs)), ours: asked(body(ours)) }, settled)
  }

  /** What became of it, once both are done with it; in the end they are as they are. */
  async end(): Promise<void> {
    const end = performance.now() + PATIENCE_MS
    const asked = { method: 'GET', path: this.#path }
    for (;;) {
      const { theirs, ours } = await this.#pair.both(asked)
      if ((isDone(theirs) && isDone(ours)) || performance.now() > end) break
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
    await this.#pair.compare(asked, settled)
  }
}

const headersOf = (who: string) => (who === 'admin' ? {} : as(who))

/** Nothing more is to come of it: signed, failed, or never approved. */
function isDone({ body }: Answer): boolean {
  const status = mapOf(mapOf(body)['status'])
  const conditions = (status['conditions'] ?? []) as JsonObject[]
  return 'certificate' in status || conditions.some(({ type }) => type === 'Failed' || type === 'Denied')
}

/** Without what each server draws: of a certificate what it says, and for how long. */
function settled(answer: Answer): Answer {
  const body = answer.status < 400 ? structuredClone(answer.body) : shortened(answer.body)
  const metadata = mapOf(mapOf(body)['metadata'])
  delete metadata['managedFields']
  const status = mapOf(mapOf(body)['status'])
  if (typeof status['certificate'] === 'string') status['certificate'] = contentOf(status['certificate'])
  for (const one of (status['conditions'] ?? []) as JsonObject[]) {
    for (const time of ['lastUpdateTime', 'lastTransitionTime']) if (one[time]) one[time] = 'a time'
  }
  return { ...answer, body }
}

/** Messages repeat the whole request. */
const shortened = (body: Json): Json =>
  JSON.parse(JSON.stringify(body).replaceAll(/[A-Za-z0-9+/]{100,}=*/g, '<request>')) as Json

function contentOf(base64: string): Json {
  const pem = Buffer.from(base64, 'base64').toString()
  try {
    const { subject, subjectAltName, ca, keyUsage, validFrom, validTo, publicKey } = new X509Certificate(pem)
    const minutes = Math.round((Date.parse(validTo) - Date.parse(validFrom)) / MINUTE_MS)
    const text = execFileSync(
      'openssl',
      ['x509', '-noout', '-ext', 'keyUsage,extendedKeyUsage,basicConstraints'],
      {
        input: pem,
        encoding: 'utf8',
      },
    )
    const about = { subject, names: subjectAltName ?? '', ca, usage: keyUsage ?? [], minutes, text }
    return { ...about, key: publicKey.asymmetricKeyType ?? '' }
  } catch {
    return base64
  }
}

/** Roles for two people, and a right that kubelets are given. */
async function entitle(pair: Pair): Promise<void> {
  const bind = async (name: string, rules: JsonObject[], users: string[]): Promise<void> => {
    await pair.post(`${RBAC}/clusterroles`, { metadata: { name }, rules })
    await pair.post(`${RBAC}/clusterrolebindings`, {
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: users.map((user) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user })),
    })
  }
  const [apiGroups, resources] = [['certificates.k8s.io'], ['certificatesigningrequests']]
  const all = {
    apiGroups,
    resources: [...resources, 'certificatesigningrequests/approval', 'certificatesigningrequests/status'],
    verbs: ['*'],
  }
  const over = (verbs: string[]): JsonObject => ({
    ...{ apiGroups, resources: ['signers'], verbs },
    resourceNames: ['kubernetes.io/kube-apiserver-client', 'example.com/*', 'kubernetes.io/legacy-unknown'],
  })
  await bind('csr-approver', [all, over(['approve'])], [APPROVER])
  await bind('csr-signer', [all, over(['sign'])], ['signer'])
  await bind('csr-nobody', [all], ['nobody', 'system:node:a'])
  const own = { apiGroups, resources: ['certificatesigningrequests/selfnodeclient'], verbs: ['create'] }
  await bind('csr-selfnode', [own], ['system:node:a'])
}

async function round(pair: Pair, name: string, requests: Requests, certificate: string): Promise<void> {
  const { draw } = pair
  const path = draw.chance(0.1) ? `${CSRS}?dryRun=All` : CSRS
  const who = draw.of(['admin', 'admin', 'nobody', 'system:node:a'])
  const groups = who.startsWith('system:node:') ? ['system:nodes', 'system:authenticated'] : []
  const headers = who === 'admin' ? {} : as(who, groups)
  const body = requestOf(draw, name, requests)
  const made = await pair.compare({ method: 'POST', path, body, headers }, settled)
  if (made.theirs.status !== 201 || made.ours.status !== 201 || path !== CSRS) return
  const life = new Life(pair, name)
  if (draw.chance(0.2))
    await life.write('', (object) => void (mapOf(object['spec'])['signerName'] = 'a.b/c'), 'admin')
  for (let n = draw.of([0, 1, 1, 1, 2]); n > 0; n--) {
    const conditions = several(draw, [condition(draw), condition(draw)], 0, 2)
    await life.write('approval', (object) => void (object['status'] = { conditions }), draw.of(PEOPLE))
  }
  if (draw.chance(0.2)) {
    const status = statusOf(draw, certificate)
    await life.write(
      'status',
      (object) => void Object.assign(mapOf(object['status']), status),
      draw.of(PEOPLE),
    )
  }
  await life.end()
}

async function main(): Promise<void> {
  const asked = settings(150, 1)
  const pair = new Pair(asked)
  const requests = new Requests()
  await entitle(pair)
  const made = ['req', '-x509', '-newkey', 'ed25519', '-nodes', '-keyout', '/dev/null', '-subj', '/CN=x']
  const certificate = execFileSync('openssl', made, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const names = Array.from({ length: asked.rounds }, (_, i) => `csr-${asked.seed}-${i}`)
  for (const name of names) await round(pair, name, requests, certificate)
  requests.remove()
  pair.end()
}

await main()
