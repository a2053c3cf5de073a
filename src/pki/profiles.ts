// What requests for the built-in signers' certificates must be like. Follows k8s.io/kubernetes/pkg/apis/certificates and
// pkg/controller/certificates/signer.
import { type ParsedRequest, SUBJECT, valuesOf } from './request.ts'

/** The signers less "kubernetes.io/". */
export const SIGNER_DOMAIN = 'kubernetes.io/'
export const KUBELET_CLIENT = 'kube-apiserver-client-kubelet'

const NODES_GROUP = 'system:nodes'
const NODE_PREFIX = 'system:node:'
const SIGNATURE = 'digital signature'
const ENCIPHERMENT = 'key encipherment'
const CLIENT_AUTH = 'client auth'

type Profile = (request: ParsedRequest, usages: readonly string[]) => string | undefined

const kubeletClient: Profile = (request, usages) =>
  nodeOrganization(request) ??
  none(request, ['dns', 'emails', 'addresses', 'uris']) ??
  nodeName(request) ??
  exactUsages(usages, CLIENT_AUTH)

const kubeletServing: Profile = (request, usages) => {
  const { dns, addresses } = request.names
  return (
    nodeOrganization(request) ??
    (dns.length + addresses.length === 0 ? 'DNS or IP subjectAltName is required' : undefined) ??
    none(request, ['emails', 'uris']) ??
    exactUsages(usages, 'server auth') ??
    nodeName(request)
  )
}

const client: Profile = (_request, usages) => {
  const wrong = usages.find((usage) => ![SIGNATURE, ENCIPHERMENT, CLIENT_AUTH].includes(usage))
  if (wrong !== undefined) return `invalid usage for client certificate: ${wrong}`
  return usages.includes(CLIENT_AUTH)
    ? undefined
    : `missing required usage for client certificate: ${CLIENT_AUTH}`
}

const PROFILES: ReadonlyMap<string, Profile> = new Map([
  [KUBELET_CLIENT, kubeletClient],
  ['kubelet-serving', kubeletServing],
  ['kube-apiserver-client', client],
  ['legacy-unknown', () => undefined],
])

/** What is wrong with a request to this signer (named without its domain); undefined: nothing. */
export const profileFault = (
  signer: string,
  request: ParsedRequest,
  usages: readonly string[],
): string | undefined => PROFILES.get(signer)?.(request, usages)

function nodeOrganization(request: ParsedRequest): string | undefined {
  const organizations = valuesOf(request, SUBJECT.organization)
  return organizations.length === 1 && organizations[0] === NODES_GROUP
    ? undefined
    : `subject organization is not ${NODES_GROUP}`
}

const nodeName = (request: ParsedRequest): string | undefined =>
  commonNameOf(request).startsWith(NODE_PREFIX)
    ? undefined
    : `subject common name does not begin with ${NODE_PREFIX}`

/** Of several the last counts, as it does for upstream. */
export const commonNameOf = (request: ParsedRequest): string =>
  valuesOf(request, SUBJECT.commonName).at(-1) ?? ''

const KINDS = { dns: 'DNS', emails: 'Email', addresses: 'IP', uris: 'URI' } as const

function none({ names }: ParsedRequest, kinds: readonly (keyof typeof KINDS)[]): string | undefined {
  const present = kinds.find((kind) => names[kind].length > 0)
  return present && `${KINDS[present]} subjectAltNames are not allowed`
}

/** Keys that are not RSA encipher nothing, so their requests may leave that usage out. */
function exactUsages(usages: readonly string[], auth: string): string | undefined {
  const given = new Set(usages)
  const rest = given.size - (given.has(ENCIPHERMENT) ? 1 : 0)
  if (given.has(SIGNATURE) && given.has(auth) && rest === 2) return undefined
  return `usages did not match [${[auth, SIGNATURE, ENCIPHERMENT].sort().join(' ')}]`
}
