// One object as several versions of its kind show it: what ownership of fields needs, because every manager's fields
// are named as the version says that the manager used. Who serves the kind makes the conversion.
// Follows k8s.io/apimachinery/pkg/util/managedfields/internal (versionConverter).
import type { JsonObject } from '../machinery/json.ts'
import type { StructType } from './type.ts'

/** An object in one version of its kind, with that version's type. */
export interface InVersion {
  readonly object: JsonObject
  readonly type: StructType
}

export interface Versions {
  /** Whether the kind is served in this version: "autoscaling/v2". */
  serves(apiVersion: string): boolean
  /** `object` as version `to` shows it; undefined where that version is not served. May throw DecodeError. */
  convert(from: string, object: JsonObject, to: string): InVersion | undefined
}
