// MutatingAdmissionPolicy: policies in CEL that change objects.
// Follows k8s.io/apiserver/pkg/admission/plugin/policy/mutating.
import type { Lister } from '../../machinery/lister.ts'
import type { AdmissionAttributes, AdmissionPlugin, AdmissionTarget } from '../plugin.ts'
import { isExempt, NAMESPACES } from '../webhooks/match.ts'
import { MUTATING, type PolicyNeeds } from './needs.ts'
import { Sentinel } from './sentinel.ts'

export class MutatingAdmissionPolicy implements AdmissionPlugin {
  readonly name = 'MutatingAdmissionPolicy'
  readonly reads = [MUTATING.policies, MUTATING.bindings, NAMESPACES]
  readonly #policies: Sentinel

  constructor(needs: PolicyNeeds) {
    this.#policies = new Sentinel(MUTATING, () =>
      import('./mutate.ts').then(({ mutator }) => mutator(needs, this.name)),
    )
  }

  handles({ resource, operation }: AdmissionTarget): boolean {
    return operation !== 'DELETE' && !isExempt(resource)
  }

  admit(attributes: AdmissionAttributes, lister: Lister): void | Promise<void> {
    return this.#policies.pass(attributes, lister)
  }
}
