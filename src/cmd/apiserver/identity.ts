// Who the server is: certificates and keys of its own making, or the operator's files.
import { networkInterfaces } from 'node:os'
import { signingKey, type SigningKey, type VerifyingKey, verifyingKeys } from '../../authn/signingkeys.ts'
import { firstAddressOf } from '../../pki/ip.ts'
import {
  ensurePki,
  frontProxyClient,
  kubeletClient,
  type Pki,
  renewIfNeeded,
  STANDARD_HOSTS,
} from '../../pki/pki.ts'
import { readAuthorities } from '../../authn/x509.ts'
import { fileText } from '../files.ts'
import { type ApiServerOptions, StartError } from '../options.ts'
import { certificatesOf, servingPair } from './tlsfiles.ts'

export interface Tls {
  readonly cert: string
  readonly key: string
  readonly clientCa: string
  /** CAs of proxies that may name users in headers; undefined: none may. */
  readonly proxyCa: string | undefined
}

export interface Identity {
  readonly tls: Tls
  /** What clients check the serving certificate with. */
  readonly caCert: string
  /** Our own CA, PEM: signs what the cluster asks for. */
  readonly authority: { readonly cert: string; readonly key: string }
  readonly adminCert: string
  readonly adminKey: string
  /** Signs the tokens of service accounts. */
  readonly serviceAccountKey: SigningKey
  /** The same, PEM. */
  readonly serviceAccountKeyPem: string
  /** They check them. */
  readonly serviceAccountKeys: readonly VerifyingKey[]
  /** First address of the service range. */
  readonly serviceIp: string
  /** The address that others reach the server at; undefined on a machine with nothing but a loopback. */
  readonly advertiseAddress: string | undefined
  /** Our certificate as a proxy in front of other API servers; undefined: we have none to show. */
  proxyClient(): Promise<{ readonly cert: string; readonly key: string } | undefined>
  /** Our certificate as a client of kubelets. */
  kubeletClient(): Promise<{ readonly cert: string; readonly key: string }>
  /** New certificates when the old ones come to their end; undefined while they are good. */
  renew(options: ApiServerOptions): Promise<Tls | undefined>
  /** The operator's files as they are now; throws StartError where they cannot be used. */
  read(options: ApiServerOptions): Tls
}

const LOOPBACK = /^127\.|^::1$/

/** Reads or makes them. Throws StartError for files that cannot be read or used. */
export async function loadIdentity(options: ApiServerOptions): Promise<Identity> {
  const serviceIp = firstAddressOf(options.serviceClusterIpRange[0] ?? '')
  if (!serviceIp)
    throw new StartError(`--service-cluster-ip-range: ${options.serviceClusterIpRange.join(',')} is no CIDR`)
  const advertiseAddress = options.advertiseAddress ?? advertised(options.bindAddress)
  const pkiOptions = {
    ...(options.certDir === undefined ? {} : { dir: options.certDir }),
    hosts: [...new Set([...STANDARD_HOSTS, options.bindAddress, serviceIp, advertiseAddress ?? ''])].filter(
      (h) => h !== '' && h !== '0.0.0.0' && h !== '::',
    ),
  }
  const pki = await ensurePki(pkiOptions).catch((error: unknown) => {
    throw new StartError(error instanceof Error ? error.message : String(error), error)
  })
  const tls = tlsOf(options, pki)
  if ((options.proxyClientCertFile === undefined) !== (options.proxyClientKeyFile === undefined))
    throw new StartError('--proxy-client-cert-file and --proxy-client-key-file go together')
  let current = pki
  return {
    tls,
    caCert: options.tlsCertFile === undefined ? pki.caCert : tls.cert,
    authority: { cert: pki.caCert, key: pki.caKey },
    adminCert: pki.adminCert,
    adminKey: pki.adminKey,
    ...serviceAccountKeys(options, pki),
    serviceIp,
    // Endpoints may not hold it: upstream logs that, and has none.
    advertiseAddress: LOOPBACK.test(advertiseAddress ?? '') ? undefined : advertiseAddress,
    proxyClient: () => proxyClientOf(options, pki),
    kubeletClient: () => kubeletClientOf(options, pki),
    async renew(given) {
      const renewed = await renewIfNeeded(current, pkiOptions)
      if (!renewed) return undefined
      current = renewed
      return tlsOf(given, renewed)
    },
    read: (given) => tlsOf(given, current),
  }
}

function serviceAccountKeys(options: ApiServerOptions, pki: Pki) {
  const { serviceAccountSigningKeyFile: signing, serviceAccountKeyFiles: checking } = options
  const [file, pem] = signing ? [signing, fileText(signing)] : ['sa.key', pki.serviceAccountKey]
  return {
    serviceAccountKey: readKey(file, () => signingKey(pem)),
    serviceAccountKeyPem: pem,
    serviceAccountKeys: checking.length
      ? checking.flatMap((path) => readKey(path, () => verifyingKeys(fileText(path))))
      : readKey(file, () => verifyingKeys(pem)),
  }
}

function readKey<T>(file: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof StartError) throw error
    throw new StartError(`${file} holds no key for tokens: ${(error as Error).message}`, error)
  }
}

function tlsOf(options: ApiServerOptions, pki: Pki): Tls {
  const { tlsCertFile, tlsPrivateKeyFile, clientCaFile } = options
  if ((tlsCertFile === undefined) !== (tlsPrivateKeyFile === undefined)) {
    throw new StartError('--tls-cert-file and --tls-private-key-file go together')
  }
  const pair =
    tlsCertFile !== undefined && tlsPrivateKeyFile !== undefined
      ? servingPair(tlsCertFile, tlsPrivateKeyFile)
      : { cert: pki.servingCert, key: pki.servingKey }
  // Our own admin is let in beside the clients of the operator's CA.
  const clientCa = clientCaFile === undefined ? pki.caCert : `${certificatesOf(clientCaFile)}\n${pki.caCert}`
  return { ...pair, clientCa, proxyCa: proxyCaOf(options, pki) }
}

/** The operator's CA of proxies, or our own; throws StartError where it would let every client name users. */
function proxyCaOf({ requestHeader, clientCaFile }: ApiServerOptions, pki: Pki): string | undefined {
  if (!requestHeader) return undefined
  const { caFile, allowedNames } = requestHeader
  if (caFile === undefined) return pki.frontProxyCaCert
  const proxies = certificatesOf(caFile)
  if (
    clientCaFile !== undefined &&
    allowedNames.length === 0 &&
    overlap(certificatesOf(clientCaFile), proxies)
  ) {
    throw new StartError(
      '--requestheader-client-ca-file and --client-ca-file contain overlapping certificates; --requestheader-allowed-names must be specified to ensure regular client certificates cannot set authenticating proxy headers for arbitrary users',
    )
  }
  return proxies
}

/** The operator's files; our own where our own CA of proxies counts, for nobody could check another. */
async function proxyClientOf(
  { proxyClientCertFile: cert, proxyClientKeyFile: key, requestHeader, certDir }: ApiServerOptions,
  pki: Pki,
): ReturnType<Identity['proxyClient']> {
  if (cert !== undefined && key !== undefined) return servingPair(cert, key)
  if (!requestHeader || requestHeader.caFile !== undefined) return undefined
  return frontProxyClient(pki, certDir === undefined ? {} : { dir: certDir })
}

async function kubeletClientOf(
  { kubelet, certDir }: ApiServerOptions,
  pki: Pki,
): ReturnType<Identity['kubeletClient']> {
  const { clientCertFile: cert, clientKeyFile: key } = kubelet ?? {}
  if (cert !== undefined && key !== undefined) return servingPair(cert, key)
  return kubeletClient(pki, certDir === undefined ? {} : { dir: certDir })
}

function overlap(clients: string, proxies: string): boolean {
  const known = new Set(readAuthorities(clients).map(({ fingerprint256 }) => fingerprint256))
  return readAuthorities(proxies).some(({ fingerprint256 }) => known.has(fingerprint256))
}

/** The bind address where others can reach it, else the first address of the machine that is no loopback. */
function advertised(bindAddress: string): string | undefined {
  const nowhere = bindAddress === '0.0.0.0' || bindAddress === '::'
  if (!nowhere && !bindAddress.startsWith('127.') && bindAddress !== '::1' && bindAddress !== 'localhost')
    return bindAddress
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address
}
