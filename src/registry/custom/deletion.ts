// A definition that is deleted stays until its objects are gone; see cmd/definition-work.ts.
// Follows k8s.io/apiextensions-apiserver/pkg/registry/customresourcedefinition (REST.Delete).
import type { KubeObject } from '../../machinery/object.ts'
import { checkPreconditions } from '../deletion.ts'
import { timeText } from '../generic.ts'
import type { DeleteOptions, DeletePlan, WriteContext } from '../strategy.ts'
import { CLEANUP_FINALIZER } from './definition.ts'
import { withTerminating } from './conditions.ts'

const PENDING = {
  status: 'True',
  reason: 'InstanceDeletionPending',
  message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
}

/** The first delete marks the definition; undefined for another one, which runs as of every kind. */
export function planDefinitionDelete(
  stored: KubeObject,
  options: DeleteOptions,
  context: WriteContext,
): DeletePlan | undefined {
  if (stored.metadata.deletionTimestamp) return undefined
  checkPreconditions(stored, options, context)
  const object = withTerminating(stored, PENDING, context.now) ?? (structuredClone(stored) as KubeObject)
  object.metadata.deletionTimestamp = timeText(context.now)
  const finalizers = object.metadata.finalizers ?? []
  if (!finalizers.includes(CLEANUP_FINALIZER)) object.metadata.finalizers = [...finalizers, CLEANUP_FINALIZER]
  return { step: 'mark', object, then: 'keep' }
}
