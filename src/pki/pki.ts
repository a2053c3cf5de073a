// Keys and certificates of one cluster: its own CA, what it signs, and the key of service-account tokens.
// Made at the first start, read at the next ones, renewed before they expire.
// Follows kubeadm's phases/certs and k8s.io/client-go/util/cert.
import { X509Certificate } from 'node:crypto'
import type { DistinguishedName } from './der.ts'
import { type Issuer, type KeyPair, makeCertificate, makePrivateKey, readPrivateKey } from './certificate.ts'
import { folderStore, memoryStore, type PemStore, PkiError } from './folder.ts'
import { ipBytes } from './ip.ts'

/** All PEM. Private keys are EC P-256, PKCS #8. */
export interface Pki {
  readonly caCert: string
  readonly caKey: string
  readonly servingCert: string
  readonly servingKey: string
  readonly adminCert: string
  readonly adminKey: string
  readonly frontProxyCaCert: string
  readonly frontProxyCaKey: string
  /** Signs the tokens of service accounts (ES256); its public half checks them. */
  readonly serviceAccountKey: string
}

export interface PkiOptions {
  /** Where they are kept; absent: in memory, new ones at each call. */
  readonly dir?: string
  /** DNS names and IP addresses under which clients reach the server. */
  readonly hosts: readonly string[]
  readonly now?: Date
}

const DAY = 24 * 60 * 60 * 1000
/** As kubeadm: a cluster's CA outlives every laptop. */
const CA_LIFETIME = 3650 * DAY
const LEAF_LIFETIME = 365 * DAY
/** A server that is restarted monthly, or checks daily, never serves an expired certificate. */
const RENEW_BEFORE = 30 * DAY
/** Clocks of containers and virtual machines may be behind. */
const CLOCK_SKEW = 60 * 60 * 1000

interface Authority {
  readonly file: string
  readonly subject: DistinguishedName
}

interface Leaf {
  readonly file: string
  readonly subject: DistinguishedName
  readonly usages: readonly ('server' | 'client')[]
}

const CLUSTER_CA: Authority = { file: 'ca', subject: { commonName: 'dinghy-ca', organizations: [] } }
const FRONT_PROXY_CA: Authority = {
  file: 'front-proxy-ca',
  subject: { commonName: 'dinghy-front-proxy-ca', organizations: [] },
}
const SERVING: Leaf = {
  file: 'apiserver',
  subject: { commonName: 'kube-apiserver', organizations: [] },
  usages: ['server'],
}
const ADMIN: Leaf = {
  file: 'admin',
  subject: { commonName: 'kubernetes-admin', organizations: ['system:masters'] },
  usages: ['client'],
}
/** By which servers that trust our front proxy's CA know us; its name is the one that they are told to let in. */
const FRONT_PROXY_CLIENT: Leaf = {
  file: 'front-proxy-client',
  subject: { commonName: 'front-proxy-client', organizations: [] },
  usages: ['client'],
}
/** By which kubelets know us; as kubeadm before 1.29, a member of the group that may do everything. */
const KUBELET_CLIENT: Leaf = {
  file: 'apiserver-kubelet-client',
  subject: { commonName: 'kube-apiserver-kubelet-client', organizations: ['system:masters'] },
  usages: ['client'],
}
const SERVICE_ACCOUNT_KEY = 'sa.key'

interface Workshop {
  readonly store: PemStore
  readonly now: Date
  readonly hosts: readonly string[]
  /** Set when anything was made anew. */
  changed: boolean
}

/** Names under which pods and the loopback reach a server; add the bind address and the first service address. */
export const STANDARD_HOSTS: readonly string[] = [
  'localhost',
  '127.0.0.1',
  '::1',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
]

/**
 * Reads what is there, makes what is missing, renews what expires within 30 days or lacks one of `hosts`.
 * Throws PkiError (one clear line) for files that are corrupt, expired, too widely readable or unwritable.
 */
export async function ensurePki(options: PkiOptions): Promise<Pki> {
  const store = options.dir === undefined ? memoryStore() : folderStore(options.dir)
  return await build({ store, now: options.now ?? new Date(), hosts: options.hosts, changed: false })
}

/**
 * To be called once a day: the renewed keys and certificates, or undefined while all are good for 30 days more.
 * Keys stay, so whoever trusts the CA today trusts what a renewed one signs.
 */
export async function renewIfNeeded(pki: Pki, options: PkiOptions): Promise<Pki | undefined> {
  const store = options.dir === undefined ? storeOf(pki) : folderStore(options.dir)
  const workshop = { store, now: options.now ?? new Date(), hosts: options.hosts, changed: false }
  const renewed = await build(workshop)
  return workshop.changed ? renewed : undefined
}

async function build(workshop: Workshop): Promise<Pki> {
  const ca = await authority(workshop, CLUSTER_CA)
  const frontProxyCa = await authority(workshop, FRONT_PROXY_CA)
  const serving = await leaf(workshop, SERVING, ca)
  const admin = await leaf(workshop, ADMIN, ca)
  return {
    caCert: ca.cert,
    caKey: ca.key,
    servingCert: serving.cert,
    servingKey: serving.key,
    adminCert: admin.cert,
    adminKey: admin.key,
    frontProxyCaCert: frontProxyCa.cert,
    frontProxyCaKey: frontProxyCa.key,
    serviceAccountKey: privateKey(workshop, SERVICE_ACCOUNT_KEY),
  }
}

/** Our certificate and key as a proxy, made when they are first asked for. Throws PkiError as ensurePki does. */
export async function frontProxyClient(
  { frontProxyCaCert: cert, frontProxyCaKey: key }: Pki,
  { dir, now }: Pick<PkiOptions, 'dir' | 'now'>,
): Promise<{ readonly cert: string; readonly key: string }> {
  return lateLeaf(FRONT_PROXY_CLIENT, { cert, key }, { dir, now })
}

/** Our certificate and key as a client of kubelets, made when they are first asked for. Throws PkiError as ensurePki does. */
export async function kubeletClient(
  { caCert: cert, caKey: key }: Pki,
  { dir, now }: Pick<PkiOptions, 'dir' | 'now'>,
): Promise<{ readonly cert: string; readonly key: string }> {
  return lateLeaf(KUBELET_CLIENT, { cert, key }, { dir, now })
}

function lateLeaf(
  kind: Leaf,
  ca: KeyPair,
  { dir, now }: { readonly dir: string | undefined; readonly now: Date | undefined },
): Promise<KeyPair> {
  const store = dir === undefined ? memoryStore() : folderStore(dir)
  return leaf({ store, now: now ?? new Date(), hosts: [], changed: false }, kind, ca)
}

function storeOf(pki: Pki): PemStore {
  const store = memoryStore()
  const pairs: [string, KeyPair][] = [
    [CLUSTER_CA.file, { cert: pki.caCert, key: pki.caKey }],
    [FRONT_PROXY_CA.file, { cert: pki.frontProxyCaCert, key: pki.frontProxyCaKey }],
    [SERVING.file, { cert: pki.servingCert, key: pki.servingKey }],
    [ADMIN.file, { cert: pki.adminCert, key: pki.adminKey }],
  ]
  for (const [file, pair] of pairs) {
    store.write(`${file}.crt`, pair.cert)
    store.write(`${file}.key`, pair.key)
  }
  store.write(SERVICE_ACCOUNT_KEY, pki.serviceAccountKey)
  return store
}

async function authority(workshop: Workshop, ca: Authority): Promise<KeyPair> {
  const { store, now } = workshop
  const [certFile, keyFile] = [`${ca.file}.crt`, `${ca.file}.key`]
  const cert = store.read(certFile)
  if (cert !== undefined && store.read(keyFile) === undefined) {
    throw new PkiError(
      `${store.describe(keyFile)} is missing while ${certFile} is there: put it back, or remove both to make a new CA`,
    )
  }
  const key = privateKey(workshop, keyFile)
  if (cert !== undefined) {
    const parsed = parseCertificate(workshop, certFile, cert)
    checkPair(workshop, certFile, parsed, key)
    const left = Date.parse(parsed.validTo) - now.getTime()
    if (left <= 0) {
      throw new PkiError(
        `${store.describe(certFile)} expired on ${parsed.validTo}: remove it and ${keyFile} to make a new CA (kubeconfigs that trust the old one must be replaced)`,
      )
    }
    if (!parsed.ca) throw new PkiError(`${store.describe(certFile)} is not the certificate of a CA`)
    // Renewed while every leaf it signed can still live its whole life under it.
    if (left > LEAF_LIFETIME + RENEW_BEFORE) return { cert, key }
  }
  const request = { subject: ca.subject, isCa: true, usages: [], hosts: [], ...lifetime(now, CA_LIFETIME) }
  return keep(workshop, certFile, { cert: await makeCertificate(request, readPrivateKey(key)), key })
}

async function leaf(workshop: Workshop, kind: Leaf, ca: KeyPair): Promise<KeyPair> {
  const { store, now } = workshop
  const certFile = `${kind.file}.crt`
  const hosts = kind.usages.includes('server') ? workshop.hosts : []
  const key = privateKey(workshop, `${kind.file}.key`)
  const cert = store.read(certFile)
  const authority = new X509Certificate(ca.cert)
  if (cert !== undefined) {
    const parsed = parseCertificate(workshop, certFile, cert)
    checkPair(workshop, certFile, parsed, key)
    const left = Date.parse(parsed.validTo) - now.getTime()
    const signedByCa = parsed.verify(authority.publicKey)
    if (left > RENEW_BEFORE && signedByCa && coversHosts(parsed, hosts)) return { cert, key }
  }
  const life = lifetime(now, LEAF_LIFETIME)
  const caEnd = new Date(authority.validTo)
  const notAfter = caEnd < life.notAfter ? caEnd : life.notAfter
  const request = { subject: kind.subject, isCa: false, usages: kind.usages, hosts, ...life, notAfter }
  const made = await makeCertificate(request, readPrivateKey(key), issuerOf(authority, ca.key))
  return keep(workshop, certFile, { cert: made, key })
}

function issuerOf(authority: X509Certificate, key: string): Issuer {
  // toLegacyObject is the one parse of names in node that needs no unescaping.
  const { CN, O } = authority.toLegacyObject().subject as { CN?: string; O?: string | string[] }
  const organizations = O === undefined ? [] : [O].flat()
  return { subject: { commonName: CN ?? '', organizations }, key: readPrivateKey(key) }
}

function lifetime(now: Date, length: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(now.getTime() - CLOCK_SKEW), notAfter: new Date(now.getTime() + length) }
}

function keep(workshop: Workshop, certFile: string, pair: KeyPair): KeyPair {
  workshop.changed = true
  workshop.store.write(certFile, pair.cert)
  return pair
}

/** The key of a file; a new one where it is absent. Keys are written before their certificates. */
function privateKey(workshop: Workshop, file: string): string {
  const kept = workshop.store.read(file)
  if (kept !== undefined) return kept
  workshop.changed = true
  const made = makePrivateKey()
  workshop.store.write(file, made)
  return made
}

function parseCertificate(workshop: Workshop, file: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (error) {
    throw new PkiError(
      `${workshop.store.describe(file)} holds no readable certificate: put it back, or remove it to have it made again`,
      error,
    )
  }
}

function checkPair(workshop: Workshop, certFile: string, parsed: X509Certificate, key: string): void {
  const keyFile = workshop.store.describe(certFile.replace(/crt$/, 'key'))
  let matches: boolean
  try {
    matches = parsed.checkPrivateKey(readPrivateKey(key))
  } catch (error) {
    throw new PkiError(
      `${keyFile} holds no readable private key: put it back, or remove it and its .crt`,
      error,
    )
  }
  if (!matches) {
    throw new PkiError(
      `${workshop.store.describe(certFile)} does not belong to ${keyFile}: remove the wrong one`,
    )
  }
}

function coversHosts(cert: X509Certificate, hosts: readonly string[]): boolean {
  return hosts.every((host) =>
    ipBytes(host) ? cert.checkIP(host) !== undefined : cert.checkHost(host) !== undefined,
  )
}
