// ValidatingAdmissionPolicy: policies in CEL that deny requests, warn, or have them audited.
// Follows k8s.io/apiserver/pkg/admission/plugin/policy/validating.
import type { Lister } from '../../machinery/lister.ts'
import type { AdmissionAttributes, AdmissionPlugin, AdmissionTarget } from '../plugin.ts'
import { isExempt, NAMESPACES } from '../webhooks/match.ts'
import { VALIDATING, type PolicyNeeds } from './needs.ts'
import { Sentinel } from './sentinel.ts'

export class ValidatingAdmissionPolicy implements AdmissionPlugin {
  readonly name = 'ValidatingAdmissionPolicy'
  readonly reads = [VALIDATING.policies, VALIDATING.bindings, NAMESPACES]
  readonly #policies: Sentinel

  constructor(needs: PolicyNeeds) {
    this.#policies = new Sentinel(VALIDATING, () =>
      import('./validate.ts').then(({ dispatcher }) => dispatcher(needs)),
    )
  }

  handles({ resource }: AdmissionTarget): boolean {
    return !isExempt(resource)
  }

  validate(attributes: AdmissionAttributes, lister: Lister): void | Promise<void> {
    return this.#policies.pass(attributes, lister)
  }
}
