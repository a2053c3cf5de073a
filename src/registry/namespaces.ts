// Namespaces: born active, with the finalizer that keeps them until their content is gone.
// A strategy of this room. Follows pkg/registry/core/namespace.
import { nameIsDnsLabel } from '../machinery/names.ts'
import type { KubeObject, ObjectMeta } from '../machinery/object.ts'
import { conflict } from '../machinery/status.ts'
import { childOf, objectAt, textAt, textsAt } from './reading.ts'
import { FOREGROUND, ORPHAN } from './deletion.ts'
import { timeText } from './generic.ts'
import type { DeleteOptions, DeletePlan, Strategy, WriteContext } from './strategy.ts'
import { validateNamespace, validateNamespaceUpdate } from './validation/nodes.ts'

const KUBERNETES = 'kubernetes'
const NAME_LABEL = 'kubernetes.io/metadata.name'

export const namespaces: Strategy = {
  validateName: nameIsDnsLabel,
  resetFields: { '': ['status'], status: ['spec'], finalize: ['status'] },
  initialStatus: () => ({ phase: 'Active' }),
  metadataOnUpdate: ['create', 'update'],
  prepareForCreate(object) {
    const spec = childOf(object, 'spec')
    const finalizers = textsAt(spec['finalizers'])
    if (!finalizers.includes(KUBERNETES)) spec['finalizers'] = [...finalizers, KUBERNETES]
    setNameLabel(object.metadata)
  },
  planDelete,
  validateCreate: validateNamespace,
  validateUpdate: validateNamespaceUpdate,
  keepsAfterFinalizers: (object) => textsAt(objectAt(object['spec'])['finalizers']).length > 0,
  prepareForUpdate(object, old, context) {
    if (context.subresource === '') keepFinalizers(object, old)
    setNameLabel(object.metadata)
  },
}

/** Only the finalize subresource changes them; whoever sends them owns them all the same. */
function keepFinalizers(object: KubeObject, old: KubeObject): void {
  const stored = objectAt(old['spec'])['finalizers']
  const spec = childOf(object, 'spec')
  if (stored === undefined) delete spec['finalizers']
  else spec['finalizers'] = stored
}

function setNameLabel(meta: { name?: string; labels?: Record<string, string> }): void {
  const name = textAt(meta.name)
  if (meta.labels?.[NAME_LABEL] !== name) meta.labels = { ...meta.labels, [NAME_LABEL]: name }
}

/** Whether a finalizer of the garbage collector stays, goes or comes. */
function holds(name: string, had: boolean, options: DeleteOptions): boolean {
  if (options.orphanDependents !== undefined) return options.orphanDependents === (name === ORPHAN)
  if (options.propagationPolicy === undefined) return had
  return options.propagationPolicy === (name === ORPHAN ? 'Orphan' : 'Foreground')
}

/** As deletion.ts has it, in other words. */
function checkPreconditions(meta: ObjectMeta, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions ?? {}
  const refuse = (key: string, wanted: string, found: string | undefined): never => {
    const why = `Precondition failed: ${key} in precondition: ${wanted}, ${key} in object meta: ${found}`
    throw conflict({ group: '', resource: 'namespaces' }, meta.name ?? '', why)
  }
  if (uid !== undefined && uid !== meta.uid) refuse('UID', uid, meta.uid)
  if (resourceVersion !== undefined && resourceVersion !== meta.resourceVersion) {
    refuse('ResourceVersion', resourceVersion, meta.resourceVersion)
  }
}

/** The first delete only says that the namespace is ending; it goes when its content and spec.finalizers are gone. */
function planDelete(
  stored: KubeObject,
  options: DeleteOptions,
  context: WriteContext,
): DeletePlan | undefined {
  const meta = stored.metadata
  checkPreconditions(meta, options)
  if (meta.deletionTimestamp) {
    return textsAt(objectAt(stored['spec'])['finalizers']).length ? { step: 'pending' } : undefined
  }
  const before = meta.finalizers ?? []
  const finalizers = before.filter((name) => name !== ORPHAN && name !== FOREGROUND)
  for (const name of [ORPHAN, FOREGROUND]) {
    if (holds(name, before.includes(name), options)) finalizers.push(name)
  }
  const metadata = { ...meta, deletionTimestamp: timeText(context.now), finalizers }
  const object: KubeObject = {
    ...stored,
    metadata,
    status: { ...objectAt(stored['status']), phase: 'Terminating' },
  }
  if (!finalizers.length) delete (metadata as { finalizers?: string[] }).finalizers
  return { step: 'mark', object, then: 'keep' }
}
