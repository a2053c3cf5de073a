// Binding: a scheduler gives a pod its node, once.
// An action for subresources.ts, and the plural `bindings` resource. Follows pkg/registry/core/pod/storage (BindingREST).
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { badRequest, conflict } from '../machinery/status.ts'
import { plainError } from './generic.ts'
import { withCondition } from './podconditions.ts'
import { objectAt, objectsAt, textAt } from './reading.ts'
import type { Action, ActionPlan } from './subresource.ts'
import type { WriteContext } from './strategy.ts'

const PODS = { group: '', resource: 'pods' } as const
const BINDINGS = { group: '', resource: 'pods/binding' } as const
export const SUCCESS: JsonObject = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' }

function check(name: string, binding: KubeObject): void {
  if (textAt(binding.metadata.name) !== name)
    throw badRequest('name in URL does not match name in Binding object')
  const target = objectAt(binding['target'])
  const kind = textAt(target['kind'])
  // Upstream's faults of a binding are no Status: the client reads them as a 500.
  if (kind && kind !== 'Node') {
    throw plainError(
      `target.kind: Unsupported value: ${JSON.stringify(kind)}: supported values: "Node", "<empty>"`,
    )
  }
  if (!textAt(target['name'])) throw plainError('target.name: Required value')
}

function refusal(pod: KubeObject): string | undefined {
  const name = textAt(pod.metadata.name)
  const spec = objectAt(pod['spec'])
  const node = textAt(spec['nodeName'])
  if (pod.metadata.deletionTimestamp) return `pod ${name} is being deleted, cannot be assigned to a host`
  if (node) return `pod ${name} is already assigned to node ${JSON.stringify(node)}`
  if (objectsAt(spec['schedulingGates']).length) return `pod ${name} has non-empty .spec.schedulingGates`
  return undefined
}

function checkPreconditions(pod: KubeObject, binding: KubeObject): void {
  const name = textAt(pod.metadata.name)
  const { uid, resourceVersion } = binding.metadata
  const refuse = (key: string, wanted: string, found: string | undefined): never => {
    throw conflict(
      PODS,
      name,
      `Precondition failed: ${key} in precondition: ${wanted}, ${key} in object meta: ${found}`,
    )
  }
  if (uid && uid !== pod.metadata.uid) refuse('UID', uid, pod.metadata.uid)
  if (resourceVersion && resourceVersion !== pod.metadata.resourceVersion) {
    refuse('ResourceVersion', resourceVersion, pod.metadata.resourceVersion)
  }
}

/** The pod on the node that the binding names, with the binding's labels and annotations. Throws conflict. */
export function bind(pod: KubeObject, binding: KubeObject, context: WriteContext): KubeObject {
  checkPreconditions(pod, binding)
  const why = refusal(pod)
  if (why) throw conflict(BINDINGS, textAt(pod.metadata.name), why)
  const metadata = { ...pod.metadata }
  const { labels, annotations } = binding.metadata
  if (annotations && Object.keys(annotations).length)
    metadata.annotations = { ...metadata.annotations, ...annotations }
  if (labels && Object.keys(labels).length) metadata.labels = { ...metadata.labels, ...labels }
  const status = withCondition(pod, { status: 'True', type: 'PodScheduled' }, context.now)
  delete status['nominatedNodeName']
  const nodeName = textAt(objectAt(binding['target'])['name'])
  return { ...pod, metadata, spec: { ...objectAt(pod['spec']), nodeName }, status }
}

export const binding: Action = {
  mode: 'action',
  check,
  plan(pod, body, context): ActionPlan {
    return { result: SUCCESS, writes: [{ resource: PODS, old: pod, object: bind(pod, body, context) }] }
  },
}
