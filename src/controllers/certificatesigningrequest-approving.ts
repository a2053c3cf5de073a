// Approves requests of kubelets for the certificates that they are clients with, where they may ask for them.
// Follows k8s.io/kubernetes/pkg/controller/certificates/approver.
import { isDecided, isSigned, pemOf } from '../client/certificaterequests.ts'
import { type Controller, type ControllerContext, queueOf, TryLater, work } from '../client/controller.ts'
import type { SubjectAccessReview } from '../client/kinds/authorization.v1.gen.ts'
import type { CertificateSigningRequest } from '../client/kinds/certificates.v1.gen.ts'
import { CERTIFICATE_SIGNING_REQUESTS, SUBJECT_ACCESS_REVIEWS } from '../client/resources.ts'
import { commonNameOf, KUBELET_CLIENT, profileFault, SIGNER_DOMAIN } from '../pki/profiles.ts'
import { type ParsedRequest, parseRequest } from '../pki/request.ts'

const NAME = 'certificatesigningrequest-approving-controller'
/** As upstream's. */
const WORKERS = 5
const SELF = 'selfnodeclient'
const NODE = 'nodeclient'

/** What each permission approves, as the condition says. */
const MESSAGES = {
  [SELF]: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
  [NODE]: 'Auto approving kubelet client certificate after SubjectAccessReview.',
} as const

/** The permissions, one of which suffices; none where the request is not for the certificate of a kubelet. */
export function permissionsFor(
  { spec }: CertificateSigningRequest,
  request: ParsedRequest,
): (keyof typeof MESSAGES)[] {
  if (spec.signerName !== SIGNER_DOMAIN + KUBELET_CLIENT) return []
  if (profileFault(KUBELET_CLIENT, request, spec.usages ?? []) !== undefined) return []
  return spec.username === commonNameOf(request) ? [SELF, NODE] : [NODE]
}

/** Asks whether who sent the request may create this subresource of requests. */
function reviewOf({ spec }: CertificateSigningRequest, subresource: string): SubjectAccessReview {
  const { username: user, uid, groups, extra } = spec
  const resourceAttributes = {
    group: 'certificates.k8s.io',
    version: '*',
    resource: 'certificatesigningrequests',
    subresource,
    verb: 'create',
  }
  return {
    metadata: {},
    spec: { user, uid, groups, extra, resourceAttributes },
  } as Partial<SubjectAccessReview> as SubjectAccessReview
}

export function approvingController(context: ControllerContext): Controller {
  const { api, informers, log } = context
  const queue = queueOf(context, 'certificate')
  const requests = informers.of(CERTIFICATE_SIGNING_REQUESTS)
  const isWaiting = (request: CertificateSigningRequest): boolean => !isSigned(request) && !isDecided(request)
  const see = (request: CertificateSigningRequest): void => {
    if (isWaiting(request)) queue.add(request.metadata.name ?? '')
  }
  requests.handle({ added: see, updated: see })

  const reconcile = async (name: string): Promise<void> => {
    const request = requests.reader.get(name)
    if (!request || !isWaiting(request)) return
    const permissions = permissionsFor(request, parseRequest(pemOf(request)))
    for (const permission of permissions) {
      const { status } = await api.create(SUBJECT_ACCESS_REVIEWS, reviewOf(request, permission))
      if (!status.allowed) continue
      const condition = {
        type: 'Approved',
        status: 'True',
        reason: 'AutoApproved',
        message: MESSAGES[permission],
      }
      const conditions = [...(request.status?.conditions ?? []), condition]
      await api.update(
        CERTIFICATE_SIGNING_REQUESTS,
        { ...request, status: { ...request.status, conditions } },
        'approval',
      )
      return
    }
    if (permissions.length > 0)
      throw new TryLater(
        `recognized csr ${JSON.stringify(name)} as [${permissions.join(' ')}] but subject access review was not approved`,
      )
  }
  return {
    name: NAME,
    run: (signal) => work({ name: NAME, queue, workers: WORKERS, reconcile, log }, signal),
  }
}
