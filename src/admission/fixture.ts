// What the tests of this room and of test/ share: a lister over plain objects, and attributes of a write.
import type { GroupResource } from '../machinery/gvk.ts'
import type { JsonObject } from '../machinery/json.ts'
import type { Lister } from '../machinery/lister.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { Resource } from '../schema/resource.ts'
import type { AdmissionAttributes, Operation } from './plugin.ts'

/** A lister over objects that tests put in by hand; `loads` counts the calls of `ready`. */
export class FakeLister implements Lister {
  loads = 0
  #version = 0
  readonly #objects = new Map<string, KubeObject[]>()

  put(resource: string, object: JsonObject): void {
    const known = this.#objects.get(resource) ?? []
    this.#objects.set(resource, [...known, structuredClone(object) as KubeObject])
    this.#version++
  }

  ready(): Promise<void> {
    this.loads++
    return Promise.resolve()
  }

  get({ resource }: GroupResource, namespace: string, name: string): KubeObject | undefined {
    return this.list({ group: '', resource }, namespace).find((object) => object.metadata.name === name)
  }

  list({ resource }: GroupResource, namespace: string): readonly KubeObject[] {
    const all = this.#objects.get(resource) ?? []
    return namespace === '' ? all : all.filter((object) => object.metadata.namespace === namespace)
  }

  version(): number {
    return this.#version
  }
}

const CLUSTER_SCOPED = new Set([
  'namespaces',
  'nodes',
  'persistentvolumes',
  'priorityclasses',
  'certificatesigningrequests',
  'volumeattributesclasses',
])

/** A resource as the plugins see it: "pods", "ingresses.networking.k8s.io". */
export function resourceOf(qualified: string): Resource {
  const [name = '', ...group] = qualified.split('.')
  return {
    group: group.join('.'),
    version: 'v1',
    name,
    singular: name,
    kind: name,
    listKind: `${name}List`,
    namespaced: !CLUSTER_SCOPED.has(name),
    verbs: [],
    shortNames: [],
    categories: [],
    subresources: [],
    definition: '',
    storage: { group: group.join('.'), version: 'v1' },
    storagePrefix: name,
  }
}

export interface Write {
  readonly operation?: Operation
  readonly resource?: string
  readonly subresource?: string
  readonly object?: JsonObject
  readonly old?: JsonObject
  readonly name?: string
}

/** A create of a pod in the namespace "ns", unless `write` says otherwise. */
export function attributesOf(write: Write): AdmissionAttributes {
  const resource = resourceOf(write.resource ?? 'pods')
  return {
    operation: write.operation ?? 'CREATE',
    resource,
    subresource: write.subresource ?? '',
    namespace: resource.namespaced ? 'ns' : '',
    name: write.name ?? '',
    user: { name: 'jane', groups: [] },
    dryRun: false,
    object: write.object as KubeObject | undefined,
    old: write.old as KubeObject | undefined,
    options: {},
    warn: () => undefined,
  }
}
