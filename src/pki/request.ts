// Reads a PKCS #10 certificate request: who it is for, which names it shall have, whose key it is, and whether its sender
// has that key. Follows crypto/x509 (ParseCertificateRequest, CheckSignature) and RFC 2986.
import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { ipText } from './ip.ts'
import { firstBlock } from './pem.ts'
import {
  asciiOf,
  bitsOf,
  childrenOf,
  DerError,
  type Element,
  elementsOf,
  oidOf,
  only,
  TAG,
  textOf,
} from './tlv.ts'

/** Alternative names, each kind in its order. */
export interface AlternativeNames {
  readonly dns: readonly string[]
  readonly emails: readonly string[]
  readonly addresses: readonly string[]
  readonly uris: readonly string[]
}

export interface ParsedRequest {
  /** Object identifiers and their values, in the order of the request. */
  readonly subject: readonly (readonly [oid: string, value: string])[]
  readonly names: AlternativeNames
  readonly publicKey: KeyObject
  /** Why the signature over the request is not that of the key in it, in upstream's words; undefined: it is. */
  signatureFault(): string | undefined
}

export const SUBJECT = { commonName: '2.5.4.3', organization: '2.5.4.10' } as const

const EXTENSION_REQUEST = '1.2.840.113549.1.9.14'
const ALTERNATIVE_NAMES = '2.5.29.17'
/** GeneralName's choices: context-specific, primitive. */
const NAME = { email: 0x81, dns: 0x82, uri: 0x86, address: 0x87 } as const
/** The attributes of a request: [0], constructed. */
const ATTRIBUTES = 0xa0

/** Throws an Error, in upstream's words where they are short, for what is no request. */
export function parseRequest(pem: string): ParsedRequest {
  const block = firstBlock(pem)
  if (block?.label !== 'CERTIFICATE REQUEST') throw new Error('PEM block type must be CERTIFICATE REQUEST')
  if (block.bytes.length === 0) throw new DerError('syntax error: sequence truncated')
  const [info, algorithm, signature] = childrenOf(only(block.bytes, TAG.sequence), TAG.sequence)
  const [version, subject, keyInfo, ...rest] = childrenOf(info, TAG.sequence)
  if (version?.tag !== TAG.integer || !info || !keyInfo) throw new DerError('structure error')
  const publicKey = keyOf(keyInfo)
  const proof = {
    signed: info.whole,
    signature: bitsOf(signature),
    algorithm: childrenOf(algorithm, TAG.sequence),
  }
  return {
    subject: childrenOf(subject, TAG.sequence).flatMap(attributesOf),
    names: namesIn(rest.find(({ tag }) => tag === ATTRIBUTES)),
    publicKey,
    signatureFault: () => faultOf(proof, publicKey),
  }
}

const KINDS = {
  rsa: '1.2.840.113549.1.1.1',
  ec: '1.2.840.10045.2.1',
  ed25519: '1.3.101.112',
} as const
/** P-224, P-256, P-384 and P-521. */
const CURVES: ReadonlySet<string> = new Set([
  '1.3.132.0.33',
  '1.2.840.10045.3.1.7',
  '1.3.132.0.34',
  '1.3.132.0.35',
])
const UNIMPLEMENTED = 'x509: cannot verify signature: algorithm unimplemented'

/** Throws for keys that upstream reads none of, and with them no proof. */
function keyOf(keyInfo: Element): KeyObject {
  const [algorithm] = childrenOf(keyInfo, TAG.sequence)
  const [id, curve] = childrenOf(algorithm, TAG.sequence)
  const kind = oidOf(id)
  if (kind === KINDS.ec && !(curve?.tag === TAG.oid && CURVES.has(oidOf(curve))))
    throw new Error('x509: unsupported elliptic curve')
  if (!Object.values<string>(KINDS).includes(kind)) throw new Error(UNIMPLEMENTED)
  return createPublicKey({ key: keyInfo.whole, format: 'der', type: 'spki' })
}

/** The values of one attribute of the subject. */
export const valuesOf = ({ subject }: ParsedRequest, oid: string): string[] =>
  subject.filter(([type]) => type === oid).map(([, value]) => value)

const attributesOf = (name: Element): [string, string][] =>
  childrenOf(name, TAG.set).map((attribute) => {
    const [type, value] = childrenOf(attribute, TAG.sequence)
    if (!value) throw new DerError('structure error')
    return [oidOf(type), textOf(value)]
  })

function namesIn(attributes: Element | undefined): AlternativeNames {
  const found = {
    dns: [] as string[],
    emails: [] as string[],
    addresses: [] as string[],
    uris: [] as string[],
  }
  const extensions = attributes ? elementsOf(attributes.content).flatMap(extensionsIn) : []
  const values = extensions.filter(([oid]) => oid === ALTERNATIVE_NAMES).map(([, value]) => value)
  if (values.length > 1) throw new DerError('certificate request contains duplicate extensions')
  for (const { tag, content } of values.flatMap((value) =>
    childrenOf(only(value, TAG.sequence), TAG.sequence),
  )) {
    if (tag === NAME.dns) found.dns.push(asciiOf(content))
    else if (tag === NAME.email) found.emails.push(asciiOf(content))
    else if (tag === NAME.uri) found.uris.push(uriOf(content))
    else if (tag === NAME.address) found.addresses.push(addressOf(content))
  }
  return found
}

function extensionsIn(attribute: Element): [oid: string, value: Buffer][] {
  const [type, values] = childrenOf(attribute, TAG.sequence)
  if (oidOf(type) !== EXTENSION_REQUEST) return []
  const [list] = childrenOf(values, TAG.set)
  return childrenOf(list, TAG.sequence).map((extension) => {
    const parts = childrenOf(extension, TAG.sequence)
    const value = parts.at(-1)
    if (value?.tag !== TAG.octetString) throw new DerError('structure error')
    return [oidOf(parts[0]), value.content]
  })
}

function uriOf(content: Buffer): string {
  const text = asciiOf(content)
  if (!URL.canParse(text)) throw new DerError(`cannot parse URI ${JSON.stringify(text)}`)
  return text
}

function addressOf(content: Buffer): string {
  if (content.length !== 4 && content.length !== 16)
    throw new DerError(`cannot parse IP address of length ${content.length}`)
  return ipText(content)
}

interface Proof {
  readonly signed: Buffer
  readonly signature: Buffer
  readonly algorithm: readonly Element[]
}

/** Digests by the algorithm's identifier, for the kind of key that it belongs to. */
const ALGORITHMS: Readonly<Record<string, { readonly key: string; readonly digest: string | null }>> = {
  '1.2.840.113549.1.1.5': { key: 'rsa', digest: 'sha1' },
  '1.2.840.113549.1.1.11': { key: 'rsa', digest: 'sha256' },
  '1.2.840.113549.1.1.12': { key: 'rsa', digest: 'sha384' },
  '1.2.840.113549.1.1.13': { key: 'rsa', digest: 'sha512' },
  '1.2.840.10045.4.1': { key: 'ec', digest: 'sha1' },
  '1.2.840.10045.4.3.2': { key: 'ec', digest: 'sha256' },
  '1.2.840.10045.4.3.3': { key: 'ec', digest: 'sha384' },
  '1.2.840.10045.4.3.4': { key: 'ec', digest: 'sha512' },
  '1.3.101.112': { key: 'ed25519', digest: null },
}
const RSA_PSS = '1.2.840.113549.1.1.10'
const PSS_DIGESTS: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
}

/** How Go names algorithms, keys, and proofs that are none. */
const WORDS: Readonly<
  Record<string, { readonly name: string; readonly type: string; readonly fault: string }>
> = {
  rsa: { name: 'RSA', type: '*rsa.PublicKey', fault: 'crypto/rsa: verification error' },
  ec: { name: 'ECDSA', type: '*ecdsa.PublicKey', fault: 'x509: ECDSA verification failure' },
  ed25519: { name: 'Ed25519', type: 'ed25519.PublicKey', fault: 'x509: Ed25519 verification failure' },
}
/** Shorter RSA keys prove nothing. */
const MIN_RSA_BITS = 1024

function faultOf(proof: Proof, key: KeyObject): string | undefined {
  const { signed, signature, algorithm } = proof
  const [id, parameters] = algorithm
  const oid = oidOf(id)
  const wanted = oid === RSA_PSS ? 'rsa' : ALGORITHMS[oid]?.key
  const kind = key.asymmetricKeyType ?? ''
  const [asked, found] = [WORDS[wanted ?? ''], WORDS[kind]]
  if (!asked || !found) return UNIMPLEMENTED
  if (asked !== found)
    return `x509: signature algorithm specifies an ${asked.name} public key, but have public key of type ${found.type}`
  const bits = key.asymmetricKeyDetails?.modulusLength ?? MIN_RSA_BITS
  if (bits < MIN_RSA_BITS)
    return `crypto/rsa: ${bits}-bit keys are insecure (see https://go.dev/pkg/crypto/rsa#hdr-Minimum_key_size)`
  const isProof =
    oid === RSA_PSS
      ? isPssProof(signed, signature, { key, parameters })
      : verify(ALGORITHMS[oid]?.digest ?? null, signed, key, signature)
  return isProof ? undefined : found.fault
}

/** As upstream: the salt is as long as the digest, whose name stands in the parameters. */
function isPssProof(
  signed: Buffer,
  signature: Buffer,
  { key, parameters }: { key: KeyObject; parameters: Element | undefined },
): boolean {
  const [hash] = childrenOf(parameters, TAG.sequence)
  const [id] = hash ? childrenOf(only(hash.content, TAG.sequence), TAG.sequence) : []
  const digest = PSS_DIGESTS[oidOf(id)]
  if (digest === undefined || key.asymmetricKeyType !== 'rsa') return false
  const padding = constants.RSA_PKCS1_PSS_PADDING
  return verify(digest, signed, { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }, signature)
}
