// What an admission plugin is. Follows k8s.io/apiserver/pkg/admission.
import type { GroupResource } from '../machinery/gvk.ts'
import type { JsonObject } from '../machinery/json.ts'
import type { Lister } from '../machinery/lister.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { UserInfo } from '../machinery/user.ts'
import type { Resource } from '../schema/resource.ts'

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'

/** Where a request goes: what decides which plugins look at it. */
export interface AdmissionTarget {
  readonly operation: Operation
  readonly resource: Resource
  readonly subresource: string
}

/** What the second round of the plugins that change objects knows of the first. */
export interface Reinvocation {
  /** This is the second round. */
  again: boolean
  /** Something was changed that plugins before it might have to see: there is a second round. */
  wanted: boolean
  /** What a plugin remembers of the first round, by its name. */
  readonly kept: Map<string, unknown>
}

/** What is about to happen. `object` is the new state (absent on DELETE), `old` the stored one (absent on CREATE). */
export interface AdmissionAttributes extends AdmissionTarget {
  readonly namespace: string
  readonly name: string
  readonly user: UserInfo
  readonly dryRun: boolean
  object: KubeObject | undefined
  readonly old: KubeObject | undefined
  /** CreateOptions, UpdateOptions or DeleteOptions of meta.k8s.io/v1. */
  readonly options: JsonObject
  warn(message: string): void
  /** Adds to what the audit log says of the request; absent where it says nothing. */
  readonly annotate?: ((key: string, value: string) => void) | undefined
  /** So many ms went by at webhooks. */
  readonly waited?: ((ms: number) => void) | undefined
  /** Made by the first plugin that needs it. */
  reinvocation?: Reinvocation
}

/** A plugin refuses by throwing a StatusError. It may change `attributes.object` in `admit` only. */
export interface AdmissionPlugin {
  readonly name: string
  /** What it reads by the lister: loaded before its first request. */
  readonly reads?: readonly GroupResource[]
  /** Asked once for each target, and remembered. */
  handles(target: AdmissionTarget): boolean
  admit?(attributes: AdmissionAttributes, lister: Lister): void | Promise<void>
  validate?(attributes: AdmissionAttributes, lister: Lister): void | Promise<void>
}

/** Reads an object from the store itself, for plugins whose lister may lag behind other replicas' writes. */
export type Lookup = (
  resource: GroupResource,
  namespace: string,
  name: string,
) => Promise<KubeObject | undefined>

/** True for writes to this resource itself, or to the subresource named. */
export function isFor(target: AdmissionTarget, gr: GroupResource, subresource = ''): boolean {
  const { resource } = target
  return resource.name === gr.resource && resource.group === gr.group && target.subresource === subresource
}
