// ValidatingAdmissionWebhook: every webhook whose rules fit is asked, all at the same time; the first in order that
// refuses has the word. Follows k8s.io/apiserver/pkg/admission/plugin/webhook/validating.
import type { Lister } from '../../machinery/lister.ts'
import type { AdmissionAttributes, AdmissionPlugin, AdmissionTarget } from '../plugin.ts'
import { ask } from './ask.ts'
import { Forms } from './forms.ts'
import { type Hook, Hooks } from './hook.ts'
import { type Invocation, isExempt, NAMESPACES } from './match.ts'
import { relevantFor, type WebhookNeeds } from './needs.ts'
import { CallFailure } from './refusals.ts'

const FAILED_OPEN = 'failed-open.validating.webhook.admission.k8s.io/'

export class ValidatingAdmissionWebhook implements AdmissionPlugin {
  readonly name = 'ValidatingAdmissionWebhook'
  readonly #needs: WebhookNeeds
  readonly #hooks = new Hooks('validatingwebhookconfigurations')
  readonly reads = [this.#hooks.resource, NAMESPACES]

  constructor(needs: WebhookNeeds) {
    this.#needs = needs
  }

  handles({ resource }: AdmissionTarget): boolean {
    return !isExempt(resource)
  }

  validate(attributes: AdmissionAttributes, lister: Lister): void | Promise<void> {
    const hooks = this.#hooks.now(lister)
    if (hooks.length > 0) return this.#dispatch(hooks, attributes, lister)
  }

  async #dispatch(hooks: readonly Hook[], attributes: AdmissionAttributes, lister: Lister): Promise<void> {
    const forms = new Forms(this.#needs.forms, attributes)
    const relevant: Invocation[] = []
    for (const hook of hooks) {
      const invocation = await relevantFor(this.#needs, hook, { attributes, forms, lister })
      if (!invocation) continue
      relevant.push(invocation)
      // Made before the webhooks are asked side by side, so that each version is made once.
      await forms.of(invocation.resource)
    }
    if (relevant.length === 0) return
    const startedAt = performance.now()
    const asked = relevant.map((invocation, index) => this.#ask(invocation, { attributes, forms, index }))
    const outcomes = await Promise.allSettled(asked)
    attributes.waited?.(performance.now() - startedAt)
    const refused = outcomes.find((outcome) => outcome.status === 'rejected')
    if (refused) throw refused.reason
  }

  async #ask(
    invocation: Invocation,
    { attributes, forms, index }: { attributes: AdmissionAttributes; forms: Forms; index: number },
  ): Promise<void> {
    try {
      await ask(this.#needs, { invocation, attributes, forms, mutating: false })
    } catch (error) {
      if (!(error instanceof CallFailure)) throw error
      if (!invocation.hook.ignoresFailures) throw error.refusal()
      attributes.annotate?.(`${FAILED_OPEN}round_0_index_${index}`, invocation.hook.name)
    }
  }
}
