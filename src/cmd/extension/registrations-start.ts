// The APIServices of what this server serves itself, made right once at its start: from then on they are anybody's.
// Follows k8s.io/kube-aggregator/pkg/controllers/autoregister (objects that are managed "onstart").
import { jsonText } from '../../machinery/jsontext.ts'
import type { Scope, Scopes } from '../../handlers/scope.ts'
import { MANAGED_LABEL } from '../../machinery/apiregistration.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { builtinScope } from './aggregation-parts.ts'
import { removeInternal, updateInternal, writeInternal } from '../apiserver/internal.ts'

/** Writes those that are missing or another, and takes away those that an earlier start has left and nobody wants. */
export async function registerAtStart(scopes: Scopes, wanted: readonly KubeObject[]): Promise<void> {
  const scope = builtinScope(scopes, 'apiregistration.k8s.io', 'apiservices')
  await scope.cache.fresh()
  const stale = new Map(managed(scope).map((object) => [object.metadata.name ?? '', object]))
  const writes: Promise<unknown>[] = []
  for (const object of wanted) {
    const { name = '' } = object.metadata
    const known = scope.cache.index.get('', name)?.object()
    stale.delete(name)
    if (!known) writes.push(writeInternal(scopes, object, 'create'))
    else if (isManaged(known) && !sameSpec(known, object)) writes.push(overwrite(scope, object))
  }
  for (const { metadata } of stale.values()) {
    writes.push(removeInternal(scope, '', metadata.name ?? '', metadata.uid ?? ''))
  }
  await Promise.all(writes)
}

/** Whether an earlier run has registered custom resources, whose definitions may have gone since. */
export function hasRegistered(scopes: Scopes): boolean {
  const { cache } = builtinScope(scopes, 'apiregistration.k8s.io', 'apiservices')
  return cache.index
    .entries(undefined)
    .some((entry) => entry.object().metadata.labels?.[MANAGED_LABEL] === 'true')
}

const managed = (scope: Scope): KubeObject[] =>
  scope.cache.index
    .entries(undefined)
    .map((entry) => entry.object())
    .filter(isManaged)

const isManaged = ({ metadata }: KubeObject): boolean => metadata.labels?.[MANAGED_LABEL] === 'onstart'

/** Whether both say the same, in whatever order. */
export function sameSpec(a: KubeObject, b: KubeObject): boolean {
  const text = ({ spec }: KubeObject): string => jsonText(Object.entries(spec ?? {}).sort())
  return text(a) === text(b)
}

/** Gives the object the spec that is wanted. */
export async function overwrite(scope: Scope, { metadata, spec }: KubeObject): Promise<void> {
  await updateInternal(scope, { name: metadata.name ?? '' }, (stored) => {
    const copy = structuredClone(stored) as KubeObject
    return { ...copy, spec: structuredClone(spec) ?? null }
  })
}
