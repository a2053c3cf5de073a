// What an admission plugin is. Follows k8s.io/apiserver/pkg/admission.
import type { Lister } from '../machinery/lister.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { UserInfo } from '../machinery/user.ts'
import type { Resource } from '../schema/resource.ts'

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'

/** What is about to happen. `object` is the new state (absent on DELETE), `old` the stored one (absent on CREATE). */
export interface AdmissionAttributes {
  readonly operation: Operation
  readonly resource: Resource
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly user: UserInfo
  readonly dryRun: boolean
  object: KubeObject | undefined
  readonly old: KubeObject | undefined
  readonly options: Readonly<Record<string, unknown>>
  warn(message: string): void
}

/** A plugin refuses by throwing a StatusError. It may change `attributes.object` in `admit` only. */
export interface AdmissionPlugin {
  readonly name: string
  handles(attributes: AdmissionAttributes): boolean
  admit?(attributes: AdmissionAttributes, lister: Lister): void | Promise<void>
  validate?(attributes: AdmissionAttributes, lister: Lister): void | Promise<void>
}
