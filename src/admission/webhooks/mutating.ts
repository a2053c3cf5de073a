// MutatingAdmissionWebhook: every webhook whose rules fit is asked in order, and sees what those before it made of the
// object. Follows k8s.io/apiserver/pkg/admission/plugin/webhook/mutating.
import type { Lister } from '../../machinery/lister.ts'
import type { AdmissionAttributes, AdmissionPlugin, AdmissionTarget, Reinvocation } from '../plugin.ts'
import { ask } from './ask.ts'
import { Forms } from './forms.ts'
import { type Hook, Hooks } from './hook.ts'
import { type Invocation, isExempt, NAMESPACES } from './match.ts'
import { relevantFor, type WebhookNeeds } from './needs.ts'
import { keepOwners, patchObject } from './patch.ts'
import { CallFailure } from './refusals.ts'
import { Rounds } from './rounds.ts'

const MUTATION = 'mutation.webhook.admission.k8s.io/'

/** One request on its way past the webhooks. */
interface Passing {
  readonly attributes: AdmissionAttributes
  readonly forms: Forms
  readonly reinvocation: Reinvocation
  readonly rounds: Rounds
}

export class MutatingAdmissionWebhook implements AdmissionPlugin {
  readonly name = 'MutatingAdmissionWebhook'
  readonly #needs: WebhookNeeds
  readonly #hooks = new Hooks('mutatingwebhookconfigurations')
  readonly reads = [this.#hooks.resource, NAMESPACES]

  constructor(needs: WebhookNeeds) {
    this.#needs = needs
  }

  handles({ resource }: AdmissionTarget): boolean {
    return !isExempt(resource)
  }

  admit(attributes: AdmissionAttributes, lister: Lister): void | Promise<void> {
    const hooks = this.#hooks.now(lister)
    if (hooks.length > 0) return this.#dispatch(hooks, attributes, lister)
  }

  async #dispatch(hooks: readonly Hook[], attributes: AdmissionAttributes, lister: Lister): Promise<void> {
    const reinvocation = (attributes.reinvocation ??= { again: false, wanted: false, kept: new Map() })
    const passing: Passing = {
      attributes,
      forms: new Forms(this.#needs.forms, attributes, { owned: true }),
      reinvocation,
      rounds: Rounds.of(reinvocation, this.name),
    }
    const { rounds, forms } = passing
    const before = attributes.object?.metadata
    rounds.begin(reinvocation.again, attributes.object)
    for (const [index, hook] of hooks.entries()) {
      const invocation = await relevantFor(this.#needs, hook, { attributes, forms, lister })
      if (!invocation) continue
      // A webhook that did not see the object in the first round is not asked in the second.
      if (reinvocation.again && !rounds.isDue(hook)) continue
      await this.#ask(invocation, passing, index)
    }
    keepOwners(attributes, before)
    rounds.end(attributes.object)
  }

  async #ask(invocation: Invocation, passing: Passing, index: number): Promise<void> {
    const { attributes, reinvocation, rounds } = passing
    const { hook } = invocation
    const key = `round_${reinvocation.again ? 1 : 0}_index_${index}`
    let changed = false
    const startedAt = performance.now()
    try {
      changed = await this.#mutate(invocation, passing)
    } catch (error) {
      if (!(error instanceof CallFailure)) throw error
      if (!hook.ignoresFailures) throw error.refusal()
      attributes.annotate?.(`failed-open.${MUTATION}${key}`, hook.name)
    } finally {
      attributes.waited?.(performance.now() - startedAt)
      attributes.annotate?.(MUTATION + key, annotation(hook, changed))
    }
    if (changed) {
      rounds.askAgain()
      reinvocation.wanted = true
    }
    rounds.asked(hook)
  }

  async #mutate(invocation: Invocation, { attributes, forms }: Passing): Promise<boolean> {
    const verdict = await ask(this.#needs, { invocation, attributes, forms, mutating: true })
    if (!verdict.patch) return false
    return patchObject(this.#needs.forms, { invocation, attributes, forms, verdict })
  }
}

const annotation = ({ configuration, name: webhook }: Hook, mutated: boolean): string =>
  JSON.stringify({ configuration, webhook, mutated })
