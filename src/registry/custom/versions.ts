// The objects of a definition in its versions, for who owns which field there. Where a webhook converts, it is asked
// between two runs of the computation that wants to know: see ConversionNeeded.
import { apiVersionOf, parseGroupVersion } from '../../machinery/gvk.ts'
import type { JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { FieldSetError } from '../../schema/ownership/fieldset-items.ts'
import { reconcileOwners } from '../../schema/merge/reconcile.ts'
import { faultsOf, faultsText } from '../../schema/merge/validate.ts'
import { kindOf, kindText } from '../../schema/merge/words.ts'
import { ConversionNeeded, type InVersion, type Versions } from '../../schema/versions.ts'
import type { Schemas } from './schemas.ts'

/** Conversions that are known between two runs, and for how long: a run follows the answer at once. */
const MAX_KNOWN = 256
const KNOWN_MS = 5_000

interface Known {
  readonly object: KubeObject | undefined
  readonly fault: string
  readonly until: number
}

/** All versions of the definition, served or not. */
export function customVersions(schemas: Schemas): Versions {
  const { group, versions } = schemas.definition
  const known = new Map<string, Known>()
  const find = (apiVersion: string): string | undefined =>
    versions.find(({ name }) => apiVersionOf({ group, version: name }) === apiVersion)?.name
  // An entry of a version that is gone makes every apply fail, as upstream, until a client takes it out.
  const missing = (apiVersion: string, object: JsonObject): FieldSetError => {
    if (parseGroupVersion(apiVersion)?.group === group)
      return new FieldSetError(`request to convert CR to an invalid group/version: ${apiVersion}`)
    const kind = kindText(kindOf(object))
    return new FieldSetError(`${kind} is unstructured and is not suitable for converting to "${apiVersion}"`)
  }
  const ask = async (key: string, from: KubeObject, version: string): Promise<void> => {
    const until = performance.now() + KNOWN_MS
    const [first] = known.keys()
    if (known.size >= MAX_KNOWN && first !== undefined) known.delete(first)
    try {
      known.set(key, { object: await schemas.inVersion(from, version), fault: '', until })
    } catch (error) {
      known.set(key, { object: undefined, fault: (error as Error).message, until })
    }
  }
  const converted = (from: string, object: JsonObject, version: string): KubeObject => {
    const labelled = { metadata: {}, ...object, apiVersion: from } as KubeObject
    const key = `${version} ${JSON.stringify(labelled)}`
    const found = known.get(key)
    if (!found || found.until < performance.now())
      throw new ConversionNeeded(() => ask(key, labelled, version))
    if (!found.object) throw new FieldSetError(found.fault)
    return found.object
  }
  const inVersions: Versions = {
    changing: {
      faultOf(apiVersion, live) {
        const version = find(apiVersion)
        const faults = version === undefined ? [] : faultsOf(schemas.type(version), live, true)
        return faults.length > 0 ? faultsText(faults) : undefined
      },
      reconcile: (apiVersion, live, managed) => reconcileOwners(inVersions, apiVersion, live, managed),
    },
    serves: () => true,
    convert(from, object, to): InVersion | undefined {
      const version = find(to)
      if (version === undefined) throw missing(to, object)
      const type = schemas.type(version)
      if (from === to) return { object, type }
      const made = schemas.converter ? converted(from, object, version) : { ...object, apiVersion: to }
      // Nothing is pruned: who owns what cannot be told of an object that does not fit the version.
      const faults = faultsOf(type, made)
      if (faults.length > 0) throw new FieldSetError(faultsText(faults))
      return { object: made, type }
    },
  }
  return inVersions
}
