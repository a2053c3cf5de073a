// Signs approved requests to the built-in signers, each with its own CA, or says in a condition what is wrong with them.
// Follows k8s.io/kubernetes/pkg/controller/certificates/signer.
import { hasFailed, isApproved, isSigned, pemOf } from '../../client/certificaterequests.ts'
import { timeOf } from '../../client/clock.ts'
import { type Controller, type ControllerContext, queueOf, work } from '../../client/controller.ts'
import type { CertificateSigningRequest } from '../../client/kinds/certificates.v1.gen.ts'
import { CERTIFICATE_SIGNING_REQUESTS } from '../../client/resources.ts'
import { profileFault, SIGNER_DOMAIN } from '../../pki/profiles.ts'
import { parseRequest } from '../../pki/request.ts'
import { signRequest } from '../../pki/signing.ts'
import { type AuthorityTexts, CurrentAuthority } from './authority.ts'
import { lifetimeOf } from './lifetime.ts'

const NAME = 'certificatesigningrequest-signing-controller'
/** As upstream's. */
const WORKERS = 5

export interface SigningOptions {
  /** CAs by the signer less "kubernetes.io/". PEM, which is read anew for each request: files may change, or throw. */
  readonly signers: ReadonlyMap<string, AuthorityTexts>
  /** How long a certificate lasts at most. */
  readonly durationSeconds: number
}

type RequestStatus = CertificateSigningRequest['status']

/** The signer that has to act; undefined where nobody here has. */
export function signerFor(
  request: CertificateSigningRequest,
  signers: { has(name: string): boolean },
): string | undefined {
  const { signerName } = request.spec
  const signer = signerName.slice(SIGNER_DOMAIN.length)
  if (!signerName.startsWith(SIGNER_DOMAIN) || !signers.has(signer)) return undefined
  return isApproved(request) && !hasFailed(request) && !isSigned(request) ? signer : undefined
}

export function signingController(
  context: ControllerContext,
  { signers, durationSeconds }: SigningOptions,
): Controller {
  const { api, informers, clock, log } = context
  const queue = queueOf(context, 'certificate')
  const authorities = new Map([...signers].map(([name, pair]) => [name, new CurrentAuthority(pair)]))
  const requests = informers.of(CERTIFICATE_SIGNING_REQUESTS)
  const see = (request: CertificateSigningRequest): void => {
    if (signerFor(request, authorities) !== undefined) queue.add(request.metadata.name ?? '')
  }
  requests.handle({ added: see, updated: see })

  async function outcome(request: CertificateSigningRequest, signer: string): Promise<RequestStatus> {
    const { usages = [], expirationSeconds: wantedSeconds } = request.spec
    const parsed = parseRequest(pemOf(request))
    const fault = profileFault(signer, parsed, usages)
    if (fault !== undefined) {
      const failed = { type: 'Failed', status: 'True', reason: 'SignerValidationFailure', message: fault }
      const condition = { ...failed, lastUpdateTime: timeOf(clock) }
      return { ...request.status, conditions: [...(request.status.conditions ?? []), condition] }
    }
    const authority = (authorities.get(signer) as CurrentAuthority).now((error) =>
      log.warn({ signer, error: String(error) }, 'the CA as it is now cannot be used; the one before it is'),
    )
    const now = clock.now()
    const life = { wantedSeconds, mostSeconds: durationSeconds, signerEnd: authority.notAfter, now }
    const pem = await signRequest(parsed, authority, { usages, ...lifetimeOf(life) })
    return { ...request.status, certificate: Buffer.from(pem).toString('base64') }
  }

  const reconcile = async (name: string): Promise<void> => {
    const request = requests.reader.get(name)
    const signer = request && signerFor(request, authorities)
    if (!request || signer === undefined) return
    const status = await outcome(request, signer)
    await api.updateStatus(CERTIFICATE_SIGNING_REQUESTS, { ...request, status })
  }
  return {
    name: NAME,
    run: (signal) => work({ name: NAME, queue, workers: WORKERS, reconcile, log }, signal),
  }
}
