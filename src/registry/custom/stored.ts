// Between the store, which has objects of a definition in the version that was the storage version when each was written,
// and the cache of one version that is served. Follows k8s.io/apiextensions-apiserver/pkg/apiserver
// (crdConversionRESTOptionsGetter).
import type { KubeObject } from '../../machinery/object.ts'
import { plainError, StatusError } from '../../machinery/status.ts'
import type { StoredReader } from '../../machinery/storedreader.ts'
import { customJson } from '../../schema/custom/json.ts'
import type { StoredForm } from '../kind.ts'
import type { Schemas } from './schemas.ts'
import type { Converted } from './webhook.ts'

/** How the cache of a version reads what is stored. */
export function storedReader(schemas: Schemas, version: string): StoredReader {
  const heads = { own: headOf(schemas, version), stored: headOf(schemas, schemas.definition.storageVersion) }
  const begins = (value: Buffer, head: Buffer): boolean => head.equals(value.subarray(0, head.length))
  const isForeign = (value: Buffer): boolean => !begins(value, heads.own)
  const asksWebhook = (value: Buffer): boolean => schemas.converter !== undefined && isForeign(value)
  // What the schema of a version does not have goes for good with the next write through it, whatever that changes.
  const loses = (value: Buffer, read: Buffer): boolean =>
    value !== read && !value.subarray(heads.stored.length).equals(read.subarray(heads.own.length))
  return {
    transcode(value) {
      const read = schemas.readStored(value)
      const own = isForeign(value) ? schemas.relabel(read, version) : read
      const json = customJson(own)
      return json.equals(value) ? value : json
    },
    isStale: (value, read) => !begins(value, heads.stored) || (!asksWebhook(value) && loses(value, read)),
    ...(schemas.converter && {
      converter: {
        applies: isForeign,
        convert: (values: readonly Buffer[]) => convertStored(schemas, version, values),
      },
    }),
  }
}

function headOf({ definition }: Schemas, version: string): Buffer {
  const { kind } = definition.accepted
  const apiVersion = `${definition.group}/${version}`
  return Buffer.from(`{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},`)
}

async function convertStored(
  schemas: Schemas,
  version: string,
  values: readonly Buffer[],
): Promise<readonly (Buffer | Error)[]> {
  const read = values.map((value) => readOr(schemas, value))
  const readable = read.flatMap((one) => (one instanceof StatusError ? [] : [one]))
  const converted = await schemas.convertAll(readable, version)
  const byObject = new Map<Converted, Converted | undefined>(readable.map((one, i) => [one, converted[i]]))
  return read.map((one) => {
    const made = byObject.get(one) ?? one
    return made instanceof StatusError ? made : customJson(made)
  })
}

function readOr(schemas: Schemas, value: Buffer): Converted {
  try {
    return schemas.readStored(value)
  } catch (error) {
    return plainError(error instanceof Error ? error.message : String(error), error)
  }
}

/** How objects of a version that is not the store's are written to it, and read back. */
export function storedForm(schemas: Schemas, version: string): StoredForm {
  return {
    async write(object: KubeObject) {
      return customJson(await schemas.inVersion(object, schemas.definition.storageVersion))
    },
    async read(value) {
      return customJson(await schemas.inVersion(schemas.readStored(value), version))
    },
  }
}
