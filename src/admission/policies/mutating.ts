// MutatingAdmissionPolicy: policies in CEL that change objects.
// Follows k8s.io/apiserver/pkg/admission/plugin/policy/mutating. What evaluates loads with the first policy.
import type { Lister } from '../../machinery/lister.ts'
import type { AdmissionAttributes, AdmissionPlugin, AdmissionTarget } from '../plugin.ts'
import { isExempt, NAMESPACES } from '../webhooks/match.ts'
import { MUTATING, type PolicyNeeds } from './needs.ts'

type Dispatch = (attributes: AdmissionAttributes, lister: Lister) => Promise<void>

export class MutatingAdmissionPolicy implements AdmissionPlugin {
  readonly name = 'MutatingAdmissionPolicy'
  readonly reads = [MUTATING.policies, MUTATING.bindings, NAMESPACES]
  readonly #needs: PolicyNeeds
  #dispatch: Promise<Dispatch> | undefined
  #version = -1
  #idle = true

  constructor(needs: PolicyNeeds) {
    this.#needs = needs
  }

  handles({ resource, operation }: AdmissionTarget): boolean {
    return operation !== 'DELETE' && !isExempt(resource)
  }

  admit(attributes: AdmissionAttributes, lister: Lister): void | Promise<void> {
    const version = lister.version(MUTATING.bindings)
    if (version !== this.#version) {
      this.#idle = lister.list(MUTATING.bindings, '').length === 0
      this.#version = version
    }
    if (!this.#idle) return this.#run(attributes, lister)
  }

  async #run(attributes: AdmissionAttributes, lister: Lister): Promise<void> {
    this.#dispatch ??= import('./mutate.ts').then(({ mutator }) => mutator(this.#needs, this.name))
    await (
      await this.#dispatch
    )(attributes, lister)
  }
}
