// Rules of nodes and namespaces.
// Follows pkg/apis/core/validation.
import type { KubeObject } from '../../machinery/object.ts'
import { goQuote } from '../../machinery/quote.ts'
import type { StatusCause } from '../../machinery/status.ts'
import { qualifiedNameErrors } from '../../machinery/validation.ts'
import { cause } from '../../machinery/status.ts'
import { blockFaults, parseBlock } from '../addresses.ts'
import { semanticEqual } from '../equality.ts'
import { objectAt, textAt, textsAt } from '../reading.ts'
import type { WriteContext } from '../strategy.ts'
import { nodeAnnotations } from './annotatedlists.ts'
import { isAmountOf } from './resources.ts'
import { taints } from './scheduling.ts'
import { POSITIVE, Spot } from './spot.ts'

function amounts(status: Spot): void {
  for (const list of ['capacity', 'allocatable']) {
    for (const name of status.at(list).keys()) isAmountOf(status.at(list).at(name), name)
  }
}

function podBlocks(list: Spot): void {
  for (const block of list.items()) block.matches(blockFaults)
  const texts = list.items().map((block) => block.text)
  if (texts.length < 2) return
  const bad = texts.findIndex((text) => !parseBlock(text))
  if (bad >= 0) {
    const why = `invalid CIDR[${bad}]: <nil> (invalid CIDR address: ${texts[bad]})`
    const text = `invalid PodCIDRs. failed to check with dual stack with error:${why}`
    list.causes.push(cause.internal(list.path, text))
  }
  const families = new Set(texts.map((text) => parseBlock(text)?.family))
  if (bad >= 0 || texts.length > 2 || families.size < texts.length) {
    list.invalid('may specify no more than one CIDR for each IP family')
  }
}

const FEATURE_NAME = /^[A-Z][a-zA-Z0-9]*(\/[a-zA-Z][a-zA-Z0-9]*)*$/
const MAX_FEATURE_NAME = 253
const TOO_LONG = `must be no more than ${MAX_FEATURE_NAME} characters`
const FEATURE_FORM =
  "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes"

/** Names, in order, each once. */
function declaredFeatures(list: Spot): void {
  list.items().forEach((feature, i, all) => {
    const form = feature.text.length > MAX_FEATURE_NAME ? TOO_LONG : FEATURE_FORM
    if (form === TOO_LONG || !FEATURE_NAME.test(feature.text)) {
      feature.invalid(`invalid feature name ${goQuote(feature.text)}: ${form}`, feature.text)
    }
    const next = all[i + 1]
    if (next?.text === feature.text) next.duplicate()
    else if (next && feature.text > next.text) next.invalid('list must be sorted alphabetically')
  })
}

function nodeTaints(node: Spot): void {
  taints(node.at('metadata').at('taints').with(node.at('spec').at('taints').value))
}

function wholeNode(node: Spot): void {
  nodeAnnotations(node.at('metadata').at('annotations'))
  nodeTaints(node)
  amounts(node.at('status'))
  // Upstream's place for it is no field.
  const swap = node.at('status').at('nodeInfo').at('swap').at('capacity')
  if (swap.isSet && swap.number <= 0) {
    node.at('metadata').at('nodeSwapStatus').at('capacity').invalid(POSITIVE, swap.exact)
  }
  declaredFeatures(node.at('status').at('declaredFeatures'))
  podBlocks(node.at('spec').at('podCIDRs'))
}

export function validateNode(node: KubeObject): StatusCause[] {
  const causes: StatusCause[] = []
  wholeNode(Spot.of(node, causes))
  return causes
}

/** What changes; the rules of a new node are put to it, too, but for a write to its status. */
export function validateNodeUpdate(node: KubeObject, old: KubeObject): StatusCause[] {
  const causes: StatusCause[] = []
  const spot = Spot.of(node, causes)
  const spec = spot.at('spec')
  const before = objectAt(old['spec'])
  nodeAnnotations(spot.at('metadata').at('annotations'))
  amounts(spot.at('status'))
  declaredFeatures(spot.at('status').at('declaredFeatures'))
  uniqueAddresses(spot.at('status').at('addresses'))
  if (textsAt(before['podCIDRs']).length && !semanticEqual(spec.at('podCIDRs').value, before['podCIDRs'])) {
    spec.at('podCIDRs').forbidden('node updates may not change podCIDR except from "" to valid')
  }
  if (textAt(before['providerID']) && spec.at('providerID').text !== before['providerID']) {
    spec.at('providerID').forbidden('node updates may not change providerID except from "" to valid')
  }
  nodeTaints(spot)
  if (spec.at('externalID').text !== textAt(before['externalID'])) {
    spec.at('externalID').forbidden('may not be updated')
  }
  return causes
}

function uniqueAddresses(list: Spot): void {
  const seen = new Set<string>()
  for (const entry of list.items()) {
    const [type, address] = [entry.at('type').text, entry.at('address').text]
    if (seen.has(`${type}/${address}`)) entry.duplicate({ Type: type, Address: address })
    seen.add(`${type}/${address}`)
  }
}

const STANDARD = ['kubernetes', 'orphan', 'foregroundDeletion']

function finalizers(list: Spot, indexed: boolean): void {
  for (const item of list.items()) {
    const spot = indexed ? item : list.with(item.value)
    spot.matches(qualifiedNameErrors)
    if (spot.text.includes('/') || STANDARD.includes(spot.text)) continue
    spot.invalid('name is neither a standard finalizer name nor is it fully qualified')
  }
}

export function validateNamespace(namespace: KubeObject): StatusCause[] {
  const causes: StatusCause[] = []
  finalizers(Spot.of(namespace, causes).at('spec').at('finalizers'), false)
  return causes
}

export function validateNamespaceUpdate(
  namespace: KubeObject,
  _old: KubeObject,
  context: WriteContext,
): StatusCause[] {
  const causes: StatusCause[] = []
  const spot = Spot.of(namespace, causes)
  if (context.subresource !== 'status') {
    finalizers(spot.at('spec').at('finalizers'), context.subresource === 'finalize')
    return causes
  }
  const phase = spot.at('status').at('Phase').with(spot.at('status').at('phase').value)
  const going = spot.at('metadata').at('deletionTimestamp').isSet
  if (going && phase.text !== 'Terminating') {
    phase.invalid("may only be 'Terminating' if `deletionTimestamp` is not empty", phase.text)
  }
  if (!going && phase.text !== 'Active') {
    phase.invalid("may only be 'Active' if `deletionTimestamp` is empty", phase.text)
  }
  return causes
}
