// The webhooks of all configurations, read once for each version of them: in the order in which they are asked.
// Follows k8s.io/apiserver/pkg/admission/configuration and pkg/admission/plugin/webhook/accessors.go.
import type { GroupResource } from '../../machinery/gvk.ts'
import type { JsonObject } from '../../machinery/json.ts'
import { EVERYTHING, type LabelSelector, selectorOfObject } from '../../machinery/labels.ts'
import type { Lister } from '../../machinery/lister.ts'
import type { HookTarget } from '../../machinery/webhook.ts'

export interface Rule extends JsonObject {
  operations?: string[]
  apiGroups?: string[]
  apiVersions?: string[]
  resources?: string[]
  scope?: string
}

export interface MatchCondition extends JsonObject {
  name: string
  expression: string
}

/** A webhook as its configuration has it: defaulted and valid when it was stored. */
interface Written extends JsonObject {
  name: string
  clientConfig?: JsonObject
  rules?: Rule[]
  failurePolicy?: string
  matchPolicy?: string
  namespaceSelector?: JsonObject
  objectSelector?: JsonObject
  sideEffects?: string
  timeoutSeconds?: number
  admissionReviewVersions?: string[]
  reinvocationPolicy?: string
  matchConditions?: MatchCondition[]
}

export interface Hook {
  readonly name: string
  readonly configuration: string
  /** Tells hooks of one name apart. */
  readonly id: string
  readonly rules: readonly Rule[]
  /** matchPolicy Equivalent: asked of other versions of what its rules name, too. */
  readonly equivalent: boolean
  readonly namespaceSelector: LabelSelector
  readonly objectSelector: LabelSelector
  readonly conditions: readonly MatchCondition[]
  /** failurePolicy Ignore. */
  readonly ignoresFailures: boolean
  /** Undefined is refused on dry runs, as what is not None or NoneOnDryRun is. */
  readonly sideEffects: string | undefined
  readonly timeoutSeconds: number
  /** reinvocationPolicy IfNeeded. */
  readonly reinvoked: boolean
  readonly reviewVersions: readonly string[]
  readonly target: HookTarget
}

const DEFAULT_TIMEOUT_SECONDS = 10

/** The hooks of one kind of configuration. */
export class Hooks {
  readonly resource: GroupResource
  #version = -1
  #hooks: readonly Hook[] = []

  constructor(resource: string) {
    this.resource = { group: 'admissionregistration.k8s.io', resource }
  }

  /** What is configured now; the same array while nothing changes. */
  now(lister: Lister): readonly Hook[] {
    const version = lister.version(this.resource)
    if (version !== this.#version) {
      this.#hooks = hooksOf(lister, this.resource)
      this.#version = version
    }
    return this.#hooks
  }
}

function hooksOf(lister: Lister, resource: GroupResource): Hook[] {
  const named = lister
    .list(resource, '')
    .map((object) => ({ name: object.metadata.name ?? '', webhooks: object['webhooks'] }))
  const sorted = named.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return sorted.flatMap(({ name, webhooks }) =>
    Array.isArray(webhooks)
      ? webhooks.map((webhook, index) => hookOf(webhook as Written, name, `${name}/${index}`))
      : [],
  )
}

function hookOf(written: Written, configuration: string, id: string): Hook {
  return {
    name: written.name,
    configuration,
    id,
    rules: written.rules ?? [],
    equivalent: written.matchPolicy === 'Equivalent',
    namespaceSelector: selectorOf(written.namespaceSelector),
    objectSelector: selectorOf(written.objectSelector),
    conditions: written.matchConditions ?? [],
    ignoresFailures: written.failurePolicy === 'Ignore',
    sideEffects: written.sideEffects,
    timeoutSeconds: written.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS,
    reinvoked: written.reinvocationPolicy === 'IfNeeded',
    reviewVersions: written.admissionReviewVersions ?? [],
    target: (written.clientConfig ?? {}) as HookTarget,
  }
}

const selectorOf = (selector: JsonObject | undefined): LabelSelector =>
  selector === undefined ? EVERYTHING : selectorOfObject(selector)
