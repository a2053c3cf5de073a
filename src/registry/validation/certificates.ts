// Rules of certificate signing requests.
// Follows pkg/apis/certificates/validation.
import { X509Certificate } from 'node:crypto'
import type { JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { goQuote } from '../../machinery/quote.ts'
import type { StatusCause } from '../../machinery/status.ts'
import { dns1123LabelErrors } from '../../machinery/validation.ts'
import { pemBlocks } from '../../pki/pem.ts'
import { parseRequest } from '../../pki/request.ts'
import { DerError } from '../../pki/tlv.ts'
import { structDiff } from '../../schema/gostructs.ts'
import { semanticEqual } from '../equality.ts'
import { objectAt, objectsAt, textAt } from '../reading.ts'
import type { WriteContext } from '../strategy.ts'
import { onCreate } from './rules.ts'
import { Spot } from './spot.ts'

const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
]
const LEGACY_SIGNER = 'kubernetes.io/legacy-unknown'
const SIGNER_FORM = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
const MAX_DOMAIN = 253
const MAX_PATH = 317
const MIN_SECONDS = 600
const SHORT_LIFE = `may not specify a duration less than ${MIN_SECONDS} seconds (10 minutes)`
const CONDITIONS = '[]certificates.CertificateSigningRequestCondition'
const DECISIONS = ['Approved', 'Denied']
const FINAL = [...DECISIONS, 'Failed']

const textOf = (data: string): string => Buffer.from(data, 'base64').toString('latin1')

/** "example.com/signer-name"; more of it may be empty where `domainOnly` parts are asked. */
export function isSigner(spot: Spot): void {
  if (!spot.needed()) return
  const [domain = '', path = '', ...more] = spot.text.split('/')
  if (!spot.text.includes('/') || more.length) return spot.invalid(SIGNER_FORM)
  const labels = (text: string): void => {
    for (const label of text.split('.')) {
      for (const fault of dns1123LabelErrors(label))
        spot.invalid(`validating label "${label}": ${fault}`, text)
    }
  }
  if (domain.length > MAX_DOMAIN) spot.tooLong(MAX_DOMAIN)
  if (!domain.includes('.'))
    spot.invalid('should be a domain with at least two segments separated by dots', domain)
  labels(domain)
  if (path.length > MAX_PATH) spot.tooLong(MAX_PATH)
  labels(path)
}

function conditions(list: Spot): void {
  const seen = new Set<string>()
  for (const condition of list.items()) {
    const [type, status] = [condition.at('type'), condition.at('status')]
    type.needed()
    if (status.needed()) status.oneOf(FINAL.includes(type.text) ? ['True'] : ['False', 'True', 'Unknown'])
    if (DECISIONS.includes(type.text) && DECISIONS.some((other) => other !== type.text && seen.has(other))) {
      list.invalid('Approved and Denied conditions are mutually exclusive', type.text)
    }
    if (seen.has(type.text)) type.duplicate()
    seen.add(type.text)
  }
}

function certificate(spot: Spot): void {
  if (spot.isEmpty) return
  const fault = certificateFault(textOf(spot.text))
  if (fault !== undefined) spot.invalid(fault, '<certificate data>')
}

function certificateFault(text: string): string | undefined {
  let blocks = 0
  for (const { label, hasHeaders, bytes } of pemBlocks(text)) {
    if (label !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found ${goQuote(label)}`
    if (hasHeaders) return 'no PEM block headers are permitted'
    if (bytes.length === 0) return 'found CERTIFICATE PEM block containing 0 certificates'
    if (!isCertificate(bytes)) return 'x509: malformed certificate'
    blocks++
  }
  return blocks === 0 ? 'must contain at least one CERTIFICATE PEM block' : undefined
}

function isCertificate(bytes: Buffer): boolean {
  try {
    new X509Certificate(bytes)
    return true
  } catch {
    return false
  }
}

/** Why the data is no request that its key has signed. */
function requestFault(data: string): string | undefined {
  try {
    return parseRequest(textOf(data)).signatureFault()
  } catch (error) {
    return error instanceof DerError ? `asn1: ${error.message}` : (error as Error).message
  }
}

function request(csr: Spot): void {
  const spec = csr.at('spec')
  const fault = requestFault(spec.at('request').text)
  if (fault !== undefined) spec.at('request').invalid(fault)
  spec.at('usages').needed()
  for (const usage of spec.itemsOf('usages')) usage.oneOf(USAGES)
  spec.at('usages').unique()
  const signer = spec.at('signerName')
  if (signer.text === LEGACY_SIGNER)
    signer.invalid('the legacy signerName is not allowed via this API version')
  else isSigner(signer)
  spec.at('expirationSeconds').atLeastIfSet(MIN_SECONDS, SHORT_LIFE)
  conditions(csr.at('status').at('conditions'))
  certificate(csr.at('status').at('certificate'))
}

const ofType = (object: JsonObject, type: string): readonly JsonObject[] =>
  objectsAt(objectAt(object['status'])['conditions']).filter((condition) => condition['type'] === type)

/** What was decided stays decided, and only approvers decide. */
function decisions(list: Spot, csr: KubeObject, old: KubeObject, approving: boolean): void {
  const counts = (type: string) => [ofType(csr, type), ofType(old, type)] as const
  for (const type of FINAL) {
    const [now, before] = counts(type)
    if (now.length < before.length) list.forbidden(`updates may not remove a condition of type "${type}"`)
  }
  for (const type of approving ? [] : DECISIONS) {
    const [now, before] = counts(type)
    if (now.length > before.length) list.forbidden(`updates may not add a condition of type "${type}"`)
    if (now.length !== before.length || semanticEqual([...now], [...before])) continue
    const changes = structDiff(CONDITIONS, [...before], [...now])
    list.forbidden(`updates may not modify a condition of type "${type}"\n${changes}`)
  }
}

export const validateRequest = onCreate(request)

export function validateRequestUpdate(
  csr: KubeObject,
  old: KubeObject,
  context: WriteContext,
): StatusCause[] {
  const causes: StatusCause[] = []
  const spot = Spot.of(csr, causes)
  request(spot)
  const status = spot.at('status')
  decisions(status.at('conditions'), csr, old, context.subresource === 'approval')
  const [issued, before] = [status.at('certificate'), textAt(objectAt(old['status'])['certificate'])]
  if (issued.text === before) return causes
  if (context.subresource !== 'status') issued.forbidden('updates may not set certificate content')
  else if (before) issued.forbidden('updates may not modify existing certificate content')
  return causes
}
