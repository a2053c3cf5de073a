// What the two policy plugins have in common: nothing is loaded or done while no policy is bound.
// Follows k8s.io/apiserver/pkg/admission/plugin/policy/generic.
import type { Lister } from '../../machinery/lister.ts'
import type { AdmissionAttributes } from '../plugin.ts'
import type { PolicyResources } from './needs.ts'

/** Puts one request before the policies; rejects with the StatusError of the first denial. */
export type Dispatch = (attributes: AdmissionAttributes, lister: Lister) => Promise<void>

/** Sends requests to what evaluates policies, which is loaded for the first request that meets a binding. */
export class Sentinel {
  readonly #bindings: PolicyResources['bindings']
  readonly #load: () => Promise<Dispatch>
  #dispatch: Promise<Dispatch> | undefined
  #version = -1
  #idle = true

  constructor({ bindings }: PolicyResources, load: () => Promise<Dispatch>) {
    this.#bindings = bindings
    this.#load = load
  }

  /** Undefined where no policy is bound: nothing is to be waited for. */
  pass(attributes: AdmissionAttributes, lister: Lister): void | Promise<void> {
    const version = lister.version(this.#bindings)
    if (version !== this.#version) {
      this.#idle = lister.list(this.#bindings, '').length === 0
      this.#version = version
    }
    if (!this.#idle) return this.#run(attributes, lister)
  }

  async #run(attributes: AdmissionAttributes, lister: Lister): Promise<void> {
    this.#dispatch ??= this.#load()
    const dispatch = await this.#dispatch
    await dispatch(attributes, lister)
  }
}
