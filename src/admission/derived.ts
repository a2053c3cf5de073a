// What a plugin works out of all objects of a resource, kept until one of them changes.
// Stands between plugins and the lister; upstream's plugins list their informer at every request instead.
import type { GroupResource } from '../machinery/gvk.ts'
import type { Lister } from '../machinery/lister.ts'
import type { KubeObject } from '../machinery/object.ts'

/** For one lister: a plugin belongs to one chain, and a chain to one lister. */
export class Derived<T> {
  readonly #resource: GroupResource
  readonly #derive: (objects: readonly KubeObject[]) => T
  #version: number | undefined
  #value: T | undefined

  /** `derive` gets the objects of every namespace, frozen. */
  constructor(resource: GroupResource, derive: (objects: readonly KubeObject[]) => T) {
    this.#resource = resource
    this.#derive = derive
  }

  of(lister: Lister): T {
    const version = lister.version(this.#resource)
    if (version !== this.#version) {
      this.#value = this.#derive(lister.list(this.#resource, ''))
      this.#version = version
    }
    return this.#value as T
  }
}
