// NamespaceLifecycle: nothing is made in a namespace that is not there or is going, and three namespaces never go.
// Follows k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle.
import type { Lister } from '../machinery/lister.ts'
import type { KubeObject } from '../machinery/object.ts'
import { forbidden, notFound, type StatusError } from '../machinery/status.ts'
import { forbid } from './forbid.ts'
import type { AdmissionAttributes, AdmissionPlugin, AdmissionTarget, Lookup } from './plugin.ts'

const NAMESPACES = { group: '', resource: 'namespaces' }
const IMMORTAL = new Set(['default', 'kube-system', 'kube-public'])

export class NamespaceLifecycle implements AdmissionPlugin {
  readonly name = 'NamespaceLifecycle'
  readonly reads = [NAMESPACES]
  readonly #lookup: Lookup | undefined

  constructor(lookup?: Lookup) {
    this.#lookup = lookup
  }

  handles({ operation, resource }: AdmissionTarget): boolean {
    if (resource.name === 'namespaces' && resource.group === '') return operation === 'DELETE'
    // An access review would otherwise tell strangers which namespaces there are.
    if (resource.name === 'localsubjectaccessreviews' && resource.group === 'authorization.k8s.io')
      return false
    return resource.namespaced && (operation === 'CREATE' || operation === 'UPDATE')
  }

  admit(attributes: AdmissionAttributes, lister: Lister): void | Promise<void> {
    if (attributes.operation === 'DELETE') {
      if (IMMORTAL.has(attributes.name)) throw immortal(attributes.name)
      return
    }
    const namespace = lister.get(NAMESPACES, '', attributes.namespace)
    if (namespace) return refuseTerminating(attributes, namespace)
    if (!this.#lookup) throw notFound(NAMESPACES, attributes.namespace)
    return this.#lookup(NAMESPACES, '', attributes.namespace).then((found) => {
      if (!found) throw notFound(NAMESPACES, attributes.namespace)
      refuseTerminating(attributes, found)
    })
  }
}

const immortal = (name: string): StatusError =>
  forbidden(NAMESPACES, name, 'this namespace may not be deleted')

function refuseTerminating(attributes: AdmissionAttributes, namespace: KubeObject): void {
  if (attributes.operation !== 'CREATE') return
  const status = namespace.status as { phase?: string } | undefined
  if (status?.phase !== 'Terminating') return
  const name = attributes.namespace
  const refusal = forbid(
    attributes,
    `unable to create new content in namespace ${name} because it is being terminated`,
  )
  const cause = {
    reason: 'NamespaceTerminating',
    message: `namespace ${name} is being terminated`,
    field: 'metadata.namespace',
  }
  refusal.status.details = { ...refusal.status.details, causes: [cause] }
  throw refusal
}
