// The versions in which the kind of a scope is served, and its objects in each of them: for managers who write through
// another version than this request. Follows k8s.io/apimachinery/pkg/util/managedfields/internal (versionConverter).
import { apiVersionOf, type GroupVersionKind, parseGroupVersion } from '../machinery/gvk.ts'
import type { JsonObject } from '../machinery/json.ts'
import { convert } from '../schema/convert.ts'
import { decoderFor } from '../schema/decode.ts'
import { findKind } from '../schema/resources.ts'
import type { StructType } from '../schema/type.ts'
import { typeForKind } from '../schema/types.ts'
import type { InVersion, Versions } from '../schema/versions.ts'

interface Served extends GroupVersionKind {
  readonly type: StructType
}

/** What a scope, or a subresource with a kind of its own, is served as. */
export class KindVersions implements Versions {
  readonly #known = new Map<string, Served>()
  readonly #group: string
  readonly #kind: string

  constructor(own: GroupVersionKind, type: StructType) {
    this.#group = own.group
    this.#kind = own.kind
    this.#known.set(apiVersionOf(own), { ...own, type })
  }

  serves(apiVersion: string): boolean {
    return this.#find(apiVersion) !== undefined
  }

  convert(from: string, object: JsonObject, to: string): InVersion | undefined {
    const target = this.#find(to)
    if (!target) return undefined
    if (from === to) return { object, type: target.type }
    const source = this.#find(from)
    if (!source) return undefined
    const decoded = decoderFor(source.type)(object).object
    return { object: convert(decoded, source, target), type: target.type }
  }

  #find(apiVersion: string): Served | undefined {
    const known = this.#known.get(apiVersion)
    if (known) return known
    const gv = parseGroupVersion(apiVersion)
    if (!gv || gv.group !== this.#group) return undefined
    const gvk = { ...gv, kind: this.#kind }
    const type = findKind(gvk) && typeForKind(gvk)
    if (!type) return undefined
    const served = { ...gvk, type }
    this.#known.set(apiVersion, served)
    return served
  }
}
