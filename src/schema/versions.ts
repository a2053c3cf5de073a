// One object as several versions of its kind show it: what ownership of fields needs, because every manager's fields
// are named as the version says that the manager used. Who serves the kind makes the conversion.
// Follows k8s.io/apimachinery/pkg/util/managedfields/internal (versionConverter).
import type { JsonObject } from '../machinery/json.ts'
import type { Managed } from './ownership/managedfields-entries.ts'
import type { StructType } from './type.ts'

/** An object in one version of its kind, with that version's type. */
export interface InVersion {
  readonly object: JsonObject
  readonly type: StructType
}

export interface Versions {
  /**
   * Where types may have changed since an object was stored, as those of definitions do: why a stored object does not
   * fit its own version, if it does not; and the owners' sets brought up to date, which may throw as `convert`.
   */
  readonly changing?: {
    faultOf(apiVersion: string, live: JsonObject): string | undefined
    reconcile(apiVersion: string, live: JsonObject, managed: Managed): void
  }
  /** Whether entries of this version ("autoscaling/v2") count; those of others are dropped. */
  serves(apiVersion: string): boolean
  /**
   * `object` as version `to` shows it; undefined where that version's entries do not count. May throw DecodeError,
   * FieldSetError where a conversion failed or the object does not fit that version, and ConversionNeeded where
   * somebody else must be asked first.
   */
  convert(from: string, object: JsonObject, to: string): InVersion | undefined
}

/** Whoever catches it awaits `make`, which never rejects, and does the same again: then the conversion is known. */
export class ConversionNeeded extends Error {
  readonly make: () => Promise<void>

  constructor(make: () => Promise<void>) {
    super('an object must be converted first')
    this.make = make
  }
}

/** Conversions that one computation may ask for: a few for each version that managers of its object use. */
const MAX_CONVERSIONS = 200

/** Runs what may throw ConversionNeeded, until it does not. */
export async function withConversions<T>(action: () => T | Promise<T>): Promise<T> {
  for (let asked = 0; ; asked++) {
    try {
      return await action()
    } catch (error) {
      if (!(error instanceof ConversionNeeded) || asked === MAX_CONVERSIONS) throw error
      await error.make()
    }
  }
}
