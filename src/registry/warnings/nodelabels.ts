// Warnings of labels of nodes that have other names now. Used by the files of this folder.
// Follows pkg/api/node/util.go.
import type { KubeObject } from '../../machinery/object.ts'
import { labelValueErrors } from '../../machinery/validation.ts'
import { Spot } from '../validation/spot.ts'

const DEPRECATED: ReadonlyMap<string, string> = new Map([
  ['beta.kubernetes.io/arch', 'deprecated since v1.14; use "kubernetes.io/arch" instead'],
  ['beta.kubernetes.io/os', 'deprecated since v1.14; use "kubernetes.io/os" instead'],
  [
    'failure-domain.beta.kubernetes.io/region',
    'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  ],
  [
    'failure-domain.beta.kubernetes.io/zone',
    'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  ],
  [
    'beta.kubernetes.io/instance-type',
    'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
  ],
  ['app.kubernetes.io/created-by', 'deprecated since v1.9'],
  [
    'scheduler.alpha.kubernetes.io/preferAvoidPods',
    'deprecated since v1.22; use Taints and Tolerations instead',
  ],
  ['node-role.kubernetes.io/master', 'use "node-role.kubernetes.io/control-plane" instead'],
])

/** What is to be said of this label; undefined: nothing. */
export const deprecatedLabel = (key: string): string | undefined => DEPRECATED.get(key)

/** Of keys that are named in words: a topology key, the key of an expression. */
export function* keyWarnings(key: Spot): Generator<string> {
  const message = deprecatedLabel(key.text)
  if (message !== undefined) yield `${key.path}: ${key.text} is ${message}`
}

/** Of a map of labels that a node must have: each at its key. */
export function* selectorWarnings(selector: Spot): Generator<string> {
  for (const key of selector.keys()) {
    const message = deprecatedLabel(key)
    if (message !== undefined) yield `${selector.key(key).path}: ${message}`
  }
}

/** Of a term of a node's affinity; `values` are looked at where the term is only preferred. */
export function* termWarnings(term: Spot, values: boolean): Generator<string> {
  for (const expression of term.itemsOf('matchExpressions')) {
    yield* keyWarnings(expression.at('key'))
    for (const value of values ? expression.itemsOf('values') : []) {
      for (const fault of labelValueErrors(value.text))
        yield `${value.path}: ${value.text} is invalid, ${fault}`
    }
  }
}

/** Of a label selector that selects nodes. */
export function* labelSelectorWarnings(selector: Spot): Generator<string> {
  for (const expression of selector.itemsOf('matchExpressions')) yield* keyWarnings(expression.at('key'))
  const labels = selector.at('matchLabels')
  for (const key of labels.keys()) {
    const message = deprecatedLabel(key)
    if (message !== undefined) yield `${labels.path}.${key}: ${message}`
  }
}

export function* runtimeClassWarnings(object: KubeObject): Generator<string> {
  const selector = Spot.of(object, []).at('scheduling').at('nodeSelector')
  for (const key of selector.keys()) {
    const message = deprecatedLabel(key)
    if (message !== undefined) yield `${selector.path}: ${message}`
  }
}
