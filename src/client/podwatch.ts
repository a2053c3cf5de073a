// Which controlling object to look at when a pod changes, and what was expected and is seen now.
// Follows addPod, updatePod and deletePod of the controllers in k8s.io/kubernetes/pkg/controller.
import type { Expectations } from './expectations.ts'
import type { Handler, Informer } from './informer.ts'
import type { Pod } from './kinds/core.v1.gen.ts'
import { controllerOf, resolveController, selecting } from './ownership.ts'
import type { WorkQueue } from './queue.ts'
import { type ApiObject, keyOf } from './resource.ts'
import { canonical } from './templatehash.ts'

export interface PodWatch<T extends ApiObject> {
  readonly owners: Informer<T>
  readonly queue: WorkQueue
  readonly expectations: Expectations
  /** Whether the owner wants pods with these labels: it may adopt orphans. */
  selects(owner: T, labels: Readonly<Record<string, string>>): boolean
  /** Told of pods that were there before and stay. */
  changed?(owner: T, pod: Pod, before: Pod): void
}

/** Expectations of deletions are of `keyOf` the pod; a pod that is being deleted counts as gone. */
export function podHandler<T extends ApiObject>(watch: PodWatch<T>): Handler<Pod> {
  return {
    added: (pod) => (pod.metadata.deletionTimestamp === undefined ? added(watch, pod) : deleted(watch, pod)),
    updated: (pod, before) => updated(watch, pod, before),
    deleted: (pod) => deleted(watch, pod),
  }
}

const ownerOf = <T extends ApiObject>({ owners }: PodWatch<T>, pod: Pod): T | undefined =>
  resolveController(pod, owners.resource, owners.reader)

function added<T extends ApiObject>(watch: PodWatch<T>, pod: Pod): void {
  if (controllerOf(pod) === undefined) return offer(watch, pod)
  const owner = ownerOf(watch, pod)
  if (owner === undefined) return
  watch.expectations.creationSeen(keyOf(owner))
  watch.queue.add(keyOf(owner))
}

function updated<T extends ApiObject>(watch: PodWatch<T>, pod: Pod, before: Pod): void {
  if (pod.metadata.deletionTimestamp !== undefined) {
    deleted(watch, pod)
    if (controllerOf(before)?.uid !== controllerOf(pod)?.uid) deleted(watch, before)
    return
  }
  const ref = controllerOf(pod)
  const isMoved = controllerOf(before)?.uid !== ref?.uid
  if (isMoved) {
    const previous = ownerOf(watch, before)
    if (previous) watch.queue.add(keyOf(previous))
  }
  if (ref === undefined) {
    const isRelabelled = canonical(pod.metadata.labels) !== canonical(before.metadata.labels)
    if (isMoved || isRelabelled) offer(watch, pod)
    return
  }
  const owner = ownerOf(watch, pod)
  if (owner === undefined) return
  watch.queue.add(keyOf(owner))
  watch.changed?.(owner, pod, before)
}

function deleted<T extends ApiObject>(watch: PodWatch<T>, pod: Pod): void {
  const owner = ownerOf(watch, pod)
  if (owner === undefined) return
  watch.expectations.deletionSeen(keyOf(owner), keyOf(pod))
  watch.queue.add(keyOf(owner))
}

/** An orphan: whoever selects it may adopt it. */
function offer<T extends ApiObject>({ owners, queue, selects }: PodWatch<T>, orphan: Pod): void {
  for (const key of selecting(owners.reader, orphan, selects)) queue.add(key)
}
