// The history of an object's pod template as ControllerRevisions. Follows k8s.io/kubernetes/pkg/controller/history.
import { type Api, isAlreadyExists, isNotFound } from './api.ts'
import type { ControllerRevision } from './kinds/apps.v1.gen.ts'
import type { PodTemplateSpec } from './kinds/core.v1.gen.ts'
import { claim, controlledOrOrphans, controllerRef, type Owner } from './ownership.ts'
import { CONTROLLER_REVISIONS } from './resources.ts'
import type { Reader } from './store.ts'
import { canonical, revisionHash } from './templatehash.ts'

/** What a hash and a dash leave of a name. */
const MAX_PREFIX = 223

export interface History {
  readonly api: Api
  readonly owner: Owner
  readonly revisions: Reader<ControllerRevision>
  readonly selects: (labels: Readonly<Record<string, string>>) => boolean
}

/** The owner's revisions, the oldest first, with orphans that it selects adopted. Needs `indexByController`. */
export async function listRevisions({
  api,
  owner,
  revisions,
  selects,
}: History): Promise<ControllerRevision[]> {
  const matches = ({ metadata }: ControllerRevision): boolean => selects(metadata.labels ?? {})
  const candidates = controlledOrOrphans(revisions, owner.object).filter(matches)
  const owned = await claim({ api, owner, resource: CONTROLLER_REVISIONS, matches }, candidates)
  return owned.sort(byRevision)
}

const byRevision = (a: ControllerRevision, b: ControllerRevision): number =>
  a.revision - b.revision || (ageOf(a) < ageOf(b) ? -1 : 1)

const ageOf = ({ metadata }: ControllerRevision): string => `${metadata.creationTimestamp} ${metadata.name}`

/** The patch that brings a template back. */
const dataOf = (template: PodTemplateSpec): { spec: { template: PodTemplateSpec } } => ({
  spec: { template: { ...template, $patch: 'replace' } as PodTemplateSpec },
})

/** The template that a revision holds; undefined where it holds none. */
export function templateOf({ data }: ControllerRevision): PodTemplateSpec | undefined {
  const template = (data as ReturnType<typeof dataOf> | undefined)?.spec?.template
  if (template === undefined) return undefined
  const { $patch: _, ...plain } = template as PodTemplateSpec & { $patch?: string }
  return plain
}

export interface NewRevision {
  readonly template: PodTemplateSpec
  /** Carried over from the owner. */
  readonly annotations: Readonly<Record<string, string>>
  /** So often another revision had the name already. */
  readonly collisions: number
  /** The label that holds the hash, where the kind's pods carry one of that name. */
  readonly hashLabel: string
}

export interface Updated {
  readonly revision: ControllerRevision
  readonly collisions: number
}

/** The revision of this template: the newest is kept, an older one becomes the newest, or else one is made. */
export async function updateRevision(
  history: History,
  revisions: readonly ControllerRevision[],
  wanted: NewRevision,
): Promise<Updated> {
  const { collisions } = wanted
  const data = canonical(dataOf(wanted.template))
  const number = (revisions.at(-1)?.revision ?? 0) + 1
  const equal = revisions.findLast((revision) => canonical(revision.data) === data)
  if (equal === undefined) return create(history, wanted, number)
  if (equal === revisions.at(-1)) return { revision: equal, collisions }
  const revision = await history.api.update(CONTROLLER_REVISIONS, { ...equal, revision: number })
  return { revision, collisions }
}

async function create(history: History, wanted: NewRevision, number: number): Promise<Updated> {
  const { api, owner } = history
  const { template, annotations } = wanted
  const data = dataOf(template)
  const text = canonical(data)
  const { namespace, name: ownerName = '' } = owner.object.metadata
  for (let collisions = wanted.collisions; ; collisions++) {
    const hash = revisionHash(text, collisions)
    const name = `${ownerName.slice(0, MAX_PREFIX)}-${hash}`
    const labels = { ...template.metadata?.labels, [wanted.hashLabel]: hash }
    const metadata = {
      name,
      namespace,
      labels,
      annotations: { ...annotations },
      ownerReferences: [controllerRef(owner)],
    }
    try {
      const revision = { metadata, data: JSON.parse(text) as never, revision: number }
      return { revision: await api.create(CONTROLLER_REVISIONS, revision), collisions }
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
      const existing = await api.get(CONTROLLER_REVISIONS, { namespace, name })
      if (canonical(existing.data) === text) return { revision: existing, collisions }
    }
  }
}

/** Deletes the oldest that are above the limit and that nothing lives on. */
export async function truncateHistory(
  api: Api,
  revisions: readonly ControllerRevision[],
  limit: number,
  isLive: (revision: ControllerRevision) => boolean,
): Promise<void> {
  const dead = revisions.filter((revision) => !isLive(revision))
  for (const { metadata } of dead.slice(0, Math.max(0, dead.length - limit))) {
    const { namespace, name = '' } = metadata
    await api.delete(CONTROLLER_REVISIONS, { namespace, name }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
  }
}
