// Namespaces: born active, with the finalizer that keeps them until their content is gone.
// A strategy of this room. Follows pkg/registry/core/namespace.
import { nameIsDnsLabel } from '../machinery/names.ts'
import { childOf, textAt, textsAt } from './reading.ts'
import type { Strategy } from './strategy.ts'

const KUBERNETES = 'kubernetes'
const NAME_LABEL = 'kubernetes.io/metadata.name'

export const namespaces: Strategy = {
  validateName: nameIsDnsLabel,
  resetFields: { '': ['status', 'spec.finalizers'], status: ['spec'], finalize: ['status'] },
  initialStatus: () => ({ phase: 'Active' }),
  metadataOnUpdate: ['create', 'update'],
  prepareForCreate(object) {
    const spec = childOf(object, 'spec')
    const finalizers = textsAt(spec['finalizers'])
    if (!finalizers.includes(KUBERNETES)) spec['finalizers'] = [...finalizers, KUBERNETES]
    setNameLabel(object.metadata)
  },
  prepareForUpdate(object) {
    setNameLabel(object.metadata)
  },
}

function setNameLabel(meta: { name?: string; labels?: Record<string, string> }): void {
  const name = textAt(meta.name)
  if (meta.labels?.[NAME_LABEL] !== name) meta.labels = { ...meta.labels, [NAME_LABEL]: name }
}
