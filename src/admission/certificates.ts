// Who may approve and sign certificate requests, and what a client certificate may not claim.
// CertificateApproval, CertificateSigning and CertificateSubjectRestriction. Follows plugin/pkg/admission/certificates.
import type { Authorizer } from '../machinery/attributes.ts'
import type { KubeObject } from '../machinery/object.ts'
import { MASTERS_GROUP, type UserInfo } from '../machinery/user.ts'
import { organizationsOf } from './certificaterequest.ts'
import { forbid } from './forbid.ts'
import { type AdmissionAttributes, type AdmissionPlugin, type AdmissionTarget, isFor } from './plugin.ts'

const REQUESTS = { group: 'certificates.k8s.io', resource: 'certificatesigningrequests' }
const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client'

interface SigningRequest extends KubeObject {
  spec: { signerName?: string; request?: string }
  status?: { certificate?: string }
}

const signerOf = (object: KubeObject | undefined): string => (object as SigningRequest).spec.signerName ?? ''

abstract class SignerPermission implements AdmissionPlugin {
  abstract readonly name: string
  abstract readonly verb: string
  readonly #authorizer: Authorizer

  constructor(authorizer: Authorizer) {
    this.#authorizer = authorizer
  }

  abstract handles(target: AdmissionTarget): boolean
  abstract concerns(attributes: AdmissionAttributes): boolean

  /** The stored signer counts: one that the request itself names could be chosen to fit. */
  async validate(attributes: AdmissionAttributes): Promise<void> {
    if (!this.concerns(attributes)) return
    const signer = signerOf(attributes.old)
    const domain = `${signer.split('/')[0] ?? ''}/*`
    if (await this.#allows(attributes.user, signer)) return
    if (await this.#allows(attributes.user, domain)) return
    throw forbid(
      attributes,
      `user not permitted to ${this.verb} requests with signerName ${JSON.stringify(signer)}`,
    )
  }

  async #allows(user: UserInfo, name: string): Promise<boolean> {
    const { decision } = await this.#authorizer.authorize({
      isResourceRequest: true,
      path: '',
      verb: this.verb,
      group: REQUESTS.group,
      version: '*',
      resource: 'signers',
      subresource: '',
      namespace: '',
      name,
      user,
    })
    return decision === 'allow'
  }
}

export class CertificateApproval extends SignerPermission {
  readonly name = 'CertificateApproval'
  readonly verb = 'approve'

  handles(target: AdmissionTarget): boolean {
    return target.operation === 'UPDATE' && isFor(target, REQUESTS, 'approval')
  }

  concerns(): boolean {
    return true
  }
}

export class CertificateSigning extends SignerPermission {
  readonly name = 'CertificateSigning'
  readonly verb = 'sign'

  handles(target: AdmissionTarget): boolean {
    return target.operation === 'UPDATE' && isFor(target, REQUESTS, 'status')
  }

  concerns({ object, old }: AdmissionAttributes): boolean {
    return outcome(object) !== outcome(old)
  }
}

/** What signing writes, as text to compare: the certificate, of which an empty one is another than none, and the conditions. */
function outcome(object: KubeObject | undefined): string {
  const { certificate, conditions } = (object?.status ?? {}) as {
    certificate?: string
    conditions?: unknown[]
  }
  return JSON.stringify([certificate ?? null, conditions ?? []])
}

export class CertificateSubjectRestriction implements AdmissionPlugin {
  readonly name = 'CertificateSubjectRestriction'

  handles(target: AdmissionTarget): boolean {
    return target.operation === 'CREATE' && isFor(target, REQUESTS)
  }

  validate(attributes: AdmissionAttributes): void {
    const { spec } = attributes.object as SigningRequest
    if (spec.signerName !== CLIENT_SIGNER) return
    const organizations = organizationsOf(spec.request ?? '')
    if (!organizations)
      throw forbid(attributes, 'failed to parse CSR: PEM block type must be CERTIFICATE REQUEST')
    if (organizations.includes(MASTERS_GROUP)) {
      throw forbid(attributes, `use of ${CLIENT_SIGNER} signer with ${MASTERS_GROUP} group is not allowed`)
    }
  }
}
