// Claims of registries on the store: objects that may be there once, and records that change by compare-and-swap.
// Follows k8s.io/kubernetes/pkg/registry/core/service/allocator/storage (the record of node ports).
import { foreignReader } from '../../handlers/foreign.ts'
import type { Scopes } from '../../handlers/scope.ts'
import type { GroupResource } from '../../machinery/gvk.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { Claims } from '../../registry/strategy.ts'
import type { Resource } from '../../schema/resource.ts'
import { typeForKind } from '../../schema/types.ts'
import { removeInternal, writeInternal } from './internal.ts'

const RECORD = { group: '', version: 'v1', kind: 'RangeAllocation' }

export function claimsOn(scopes: () => Scopes, stored: (resource: GroupResource) => Resource): Claims {
  // One at a time in this process: they would only lose their swaps to each other.
  let before: Promise<unknown> = Promise.resolve()
  return {
    create: (object) => writeInternal(scopes(), object, 'create'),
    async remove(resource, name, meant) {
      const scope = scopes().of(stored(resource))
      await scope.cache.fresh()
      const found = scope.cache.index.get('', name)?.object()
      if (found && meant(found)) await removeInternal(scope, '', name, found.metadata.uid ?? '')
    },
    amend(name, change) {
      const amended = before.then(() => amend(scopes(), `/registry/ranges/${name}`, change))
      before = amended.catch(() => undefined)
      return amended
    },
  }
}

async function amend(
  { environment: { caches } }: Scopes,
  key: string,
  change: (record: KubeObject | undefined) => KubeObject | undefined,
): Promise<void> {
  const { storage } = caches
  let current = (await storage.get(key)).kv
  for (;;) {
    const record = current && read(current.value)
    const next = change(record)
    if (!next) return
    const value = Buffer.from(JSON.stringify(next))
    const result = await storage.write({ key, expected: current?.modRevision ?? 0, value })
    if (result.ok) return
    current = result.current
  }
}

let reader: ((value: Buffer) => Buffer) | undefined

function read(value: Buffer): KubeObject {
  const type = typeForKind(RECORD)
  if (!type) throw new Error('the facts have no type for RangeAllocation')
  reader ??= foreignReader(RECORD, type)
  return JSON.parse(reader(value).toString()) as KubeObject
}
