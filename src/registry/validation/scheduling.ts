// Rules of where pods may run: node selectors, affinity, tolerations, spreading.
// Follows pkg/apis/core/validation.
import { dns1123LabelErrors, labelValueErrors } from '../../machinery/validation.ts'
import { POSITIVE, type Spot } from './spot.ts'

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

function nodeExpression(expression: Spot): void {
  const [operator, values] = [expression.at('operator'), expression.at('values')]
  const given = values.items().length
  switch (operator.text) {
    case 'In':
    case 'NotIn':
      if (!given) values.required("must be specified when `operator` is 'In' or 'NotIn'")
      break
    case 'Exists':
    case 'DoesNotExist':
      if (given) values.forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
      break
    case 'Gt':
    case 'Lt':
      if (given !== 1) values.required("must be specified single value when `operator` is 'Lt' or 'Gt'")
      break
    default:
      operator.invalid('not a valid selector operator', operator.text)
  }
  expression.at('key').isQualifiedName()
}

function nodeField(expression: Spot): void {
  const [operator, values, key] = [expression.at('operator'), expression.at('values'), expression.at('key')]
  if (operator.text !== 'In' && operator.text !== 'NotIn') {
    operator.invalid('not a valid selector operator', operator.text)
  } else if (values.items().length !== 1) {
    values.required("must be only one value when `operator` is 'In' or 'NotIn' for node field selector")
  }
  if (key.text !== 'metadata.name') key.invalid('not a valid field selector key', key.text)
  else for (const value of values.items()) value.isSubdomain()
}

function nodeTerm(term: Spot, checkValues: boolean): void {
  for (const expression of term.itemsOf('matchExpressions')) {
    nodeExpression(expression)
    if (checkValues) for (const value of expression.itemsOf('values')) value.isLabelValue()
  }
  for (const expression of term.itemsOf('matchFields')) nodeField(expression)
}

/** A v1.NodeSelector, of pods and of volumes. */
export function nodeSelector(selector: Spot): void {
  const terms = selector.at('nodeSelectorTerms')
  if (!terms.needed('must have at least one node selector term')) return
  for (const term of terms.items()) nodeTerm(term, true)
}

function podTerm(term: Spot): void {
  term.at('labelSelector').isSelector()
  term.at('namespaceSelector').isSelector()
  for (const name of term.itemsOf('namespaces')) {
    for (const fault of dns1123LabelErrors(name.text)) term.at('namespace').invalid(fault, name.text)
  }
  labelKeys(term)
  term.at('topologyKey').needed('can not be empty')
  term.at('topologyKey').isQualifiedName()
}

/** Keys whose values of the pod's own labels join the selector: without a selector they say nothing. */
function labelKeys(term: Spot): void {
  const [match, mismatch] = [term.at('matchLabelKeys'), term.at('mismatchLabelKeys')]
  if (!term.at('labelSelector').isSet) {
    if (match.items().length) match.forbidden('must not be specified when labelSelector is not set')
    if (mismatch.items().length) mismatch.forbidden('must not be specified when labelSelector is not set')
  }
  for (const key of [...match.items(), ...mismatch.items()]) key.isQualifiedName()
  const matched = new Set(match.items().map((key) => key.text))
  for (const key of mismatch.items()) {
    if (matched.has(key.text)) key.invalid('exists in both matchLabelKeys and mismatchLabelKeys', key.text)
  }
}

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution'
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution'

function weight(term: Spot): void {
  term.at('weight').between(1, 100, 'must be in the range 1-100')
}

export function affinity(spot: Spot): void {
  const node = spot.at('nodeAffinity')
  if (node.at(REQUIRED).isSet) nodeSelector(node.at(REQUIRED))
  for (const term of node.itemsOf(PREFERRED)) {
    weight(term)
    nodeTerm(term.at('preference'), false)
  }
  for (const kind of ['podAffinity', 'podAntiAffinity']) {
    for (const term of spot.at(kind).itemsOf(REQUIRED)) podTerm(term)
    for (const term of spot.at(kind).itemsOf(PREFERRED)) {
      weight(term)
      podTerm(term.at('podAffinityTerm'))
    }
  }
}

export function tolerations(list: Spot): void {
  for (const toleration of list.items()) {
    const [key, operator, effect] = [toleration.at('key'), toleration.at('operator'), toleration.at('effect')]
    const value = toleration.at('value').text
    if (key.text) key.isQualifiedName()
    else if (operator.text !== 'Exists') {
      const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
      operator.invalid(why, operator.text)
    }
    if (toleration.at('tolerationSeconds').isSet && effect.text !== 'NoExecute') {
      effect.invalid("effect must be 'NoExecute' when `tolerationSeconds` is set", effect.text)
    }
    if (operator.text === 'Equal' || !operator.text) {
      const faults = labelValueErrors(value)
      if (faults.length) operator.invalid(faults.join(';'), value)
    } else if (operator.text !== 'Exists') operator.notSupported(['Equal', 'Exists'])
    else if (value) operator.invalid("value must be empty when `operator` is 'Exists'", value)
    if (effect.text) effect.oneOf(EFFECTS)
  }
}

const UNSATISFIABLE = ['DoNotSchedule', 'ScheduleAnyway']

export function spreadConstraints(list: Spot): void {
  const constraints = list.items()
  constraints.forEach((constraint, i) => {
    const [key, when] = [constraint.at('topologyKey'), constraint.at('whenUnsatisfiable')]
    constraint.at('maxSkew').atLeast(1, POSITIVE)
    key.needed('can not be empty')
    when.oneOf(UNSATISFIABLE)
    const pair = (other: Spot): string =>
      `${other.at('topologyKey').text}, ${other.at('whenUnsatisfiable').text}`
    if (constraints.slice(i + 1).some((other) => pair(other) === pair(constraint))) {
      constraint.at('{topologyKey, whenUnsatisfiable}').duplicate(`{${pair(constraint)}}`)
    }
    const domains = constraint.at('minDomains')
    if (domains.isSet) {
      domains.atLeast(1, POSITIVE)
      if (when.text !== 'DoNotSchedule') {
        domains.invalid(`can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${when.text}`)
      }
    }
    constraint.at('nodeAffinityPolicy').oneOfIfSet(['Honor', 'Ignore'])
    constraint.at('nodeTaintsPolicy').oneOfIfSet(['Honor', 'Ignore'])
    labelKeys(constraint)
    constraint.at('labelSelector').isSelector()
  })
}

/** The taints of a node. */
export function taints(list: Spot): void {
  const seen = new Set<string>()
  for (const taint of list.items()) {
    taint.at('key').isQualifiedName()
    taint.at('value').ifSet(labelValueErrors)
    taint.at('effect').neededOneOf(EFFECTS)
    const [key, value, effect] = ['key', 'value', 'effect'].map((name) => taint.at(name).text)
    const pair = `${key}:${effect}`
    if (seen.has(pair)) {
      taint.duplicateOf(
        { Key: key, Value: value, Effect: effect, TimeAdded: taint.at('timeAdded').value ?? null },
        'taints must be unique by key and effect pair',
      )
    }
    seen.add(pair)
  }
}
