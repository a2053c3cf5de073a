// What was decided about a request for a certificate.
// Follows k8s.io/kubernetes/pkg/controller/certificates/certificate_controller_utils.go.
import type { CertificateSigningRequest } from './kinds/certificates.v1.gen.ts'

/** The PEM text of the request. */
export const pemOf = ({ spec }: CertificateSigningRequest): string =>
  Buffer.from(spec.request, 'base64').toString('latin1')

const hasCondition = ({ status }: CertificateSigningRequest, type: string): boolean =>
  (status?.conditions ?? []).some((condition) => condition.type === type)

export const isDecided = (request: CertificateSigningRequest): boolean =>
  hasCondition(request, 'Approved') || hasCondition(request, 'Denied')

export const isApproved = (request: CertificateSigningRequest): boolean =>
  hasCondition(request, 'Approved') && !hasCondition(request, 'Denied')

export const hasFailed = ({ status }: CertificateSigningRequest): boolean =>
  (status?.conditions ?? []).some(
    (condition) => condition.type === 'Failed' && (condition.status === 'True' || condition.status === ''),
  )

export const isSigned = ({ status }: CertificateSigningRequest): boolean => (status?.certificate ?? '') !== ''
