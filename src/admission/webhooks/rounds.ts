// Which mutating webhooks see an object a second time: those that want to, where something changed after their turn.
// Follows k8s.io/apiserver/pkg/admission/plugin/webhook/mutating/reinvocationcontext.go.
import { jsonText } from '../../machinery/jsontext.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { Reinvocation } from '../plugin.ts'
import type { Hook } from './hook.ts'

/** Who may be asked twice: a webhook, or a policy with a binding. */
export type Asked = Pick<Hook, 'id' | 'reinvoked'>

export class Rounds {
  /** Asked already, and ready to be asked again. */
  #seen = new Set<string>()
  readonly #due = new Set<string>()
  /** The object as the webhooks left it. */
  #left: string | undefined

  /** What the plugin of this name knows of the request's first round. */
  static of({ kept }: Reinvocation, plugin: string): Rounds {
    let rounds = kept.get(plugin)
    if (!(rounds instanceof Rounds)) kept.set(plugin, (rounds = new Rounds()))
    return rounds as Rounds
  }

  begin(again: boolean, object: KubeObject | undefined): void {
    if (again && this.#seen.size > 0 && this.#left !== jsonText(object)) this.askAgain()
  }

  end(object: KubeObject | undefined): void {
    if (this.#seen.size > 0) this.#left = jsonText(object)
  }

  /** The object changed: who saw it before may have something to say to that. */
  askAgain(): void {
    for (const id of this.#seen) this.#due.add(id)
    this.#seen = new Set()
  }

  asked(hook: Asked): void {
    if (hook.reinvoked) this.#seen.add(hook.id)
  }

  isDue(hook: Asked): boolean {
    return this.#due.has(hook.id)
  }
}
