// NamespaceAutoProvision and NamespaceExists: what is made in a namespace that is not there makes it, or is refused.
// Follows plugin/pkg/admission/namespace/{autoprovision,exists}.
import type { Lister } from '../../machinery/lister.ts'
import { notFound } from '../../machinery/status.ts'
import type { AdmissionAttributes, AdmissionPlugin, AdmissionTarget, Lookup } from '../plugin.ts'

const NAMESPACES = { group: '', resource: 'namespaces' }

/** Creates it; resolves where it is there by now. */
export type CreateNamespace = (name: string) => Promise<unknown>

export class NamespaceAutoProvision implements AdmissionPlugin {
  readonly name = 'NamespaceAutoProvision'
  readonly reads = [NAMESPACES]
  readonly #create: CreateNamespace

  constructor(create: CreateNamespace) {
    this.#create = create
  }

  handles({ operation, resource }: AdmissionTarget): boolean {
    return operation === 'CREATE' && resource.namespaced
  }

  admit({ dryRun, namespace }: AdmissionAttributes, lister: Lister): void | Promise<void> {
    if (dryRun || lister.get(NAMESPACES, '', namespace)) return
    return this.#create(namespace).then(() => undefined)
  }
}

export class NamespaceExists implements AdmissionPlugin {
  readonly name = 'NamespaceExists'
  readonly reads = [NAMESPACES]
  readonly #lookup: Lookup | undefined

  constructor(lookup?: Lookup) {
    this.#lookup = lookup
  }

  handles({ operation, resource }: AdmissionTarget): boolean {
    return operation !== 'CONNECT' && resource.namespaced
  }

  validate({ namespace }: AdmissionAttributes, lister: Lister): void | Promise<void> {
    if (lister.get(NAMESPACES, '', namespace)) return
    if (!this.#lookup) throw notFound(NAMESPACES, namespace)
    return this.#lookup(NAMESPACES, '', namespace).then((found) => {
      if (!found) throw notFound(NAMESPACES, namespace)
    })
  }
}
