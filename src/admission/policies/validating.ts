// ValidatingAdmissionPolicy: policies in CEL that deny requests, warn, or have them audited.
// Follows k8s.io/apiserver/pkg/admission/plugin/policy/validating. What evaluates loads with the first policy.
import type { Lister } from '../../machinery/lister.ts'
import type { AdmissionAttributes, AdmissionPlugin, AdmissionTarget } from '../plugin.ts'
import { isExempt, NAMESPACES } from '../webhooks/match.ts'
import { VALIDATING, type PolicyNeeds } from './needs.ts'

type Dispatch = (attributes: AdmissionAttributes, lister: Lister) => Promise<void>

export class ValidatingAdmissionPolicy implements AdmissionPlugin {
  readonly name = 'ValidatingAdmissionPolicy'
  readonly reads = [VALIDATING.policies, VALIDATING.bindings, NAMESPACES]
  readonly #needs: PolicyNeeds
  #dispatch: Promise<Dispatch> | undefined
  #version = -1
  #idle = true

  constructor(needs: PolicyNeeds) {
    this.#needs = needs
  }

  handles({ resource }: AdmissionTarget): boolean {
    return !isExempt(resource)
  }

  validate(attributes: AdmissionAttributes, lister: Lister): void | Promise<void> {
    const version = lister.version(VALIDATING.bindings)
    if (version !== this.#version) {
      this.#idle = lister.list(VALIDATING.bindings, '').length === 0
      this.#version = version
    }
    if (!this.#idle) return this.#run(attributes, lister)
  }

  async #run(attributes: AdmissionAttributes, lister: Lister): Promise<void> {
    this.#dispatch ??= import('./validate.ts').then(({ dispatcher }) => dispatcher(this.#needs))
    await (
      await this.#dispatch
    )(attributes, lister)
  }
}
