// What is left of a story, without what differs from one telling to the next: drawn names, ids, times, addresses, nodes.
import type { Pod } from '../../src/client/kinds/core.v1.gen.ts'
import type { ApiObject, Resource } from '../../src/client/resource.ts'
import {
  CONFIG_MAPS,
  CONTROLLER_REVISIONS,
  DAEMON_SETS,
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  ENDPOINTS,
  JOBS,
  POD_DISRUPTION_BUDGETS,
  PODS,
  REPLICA_SETS,
  SERVICE_ACCOUNTS,
  SERVICES,
  STATEFUL_SETS,
} from '../../src/client/resources.ts'
import type { User } from './user.ts'

const RESOURCES: readonly Resource[] = [
  CONFIG_MAPS,
  CONTROLLER_REVISIONS,
  DAEMON_SETS,
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  ENDPOINTS,
  JOBS,
  POD_DISRUPTION_BUDGETS,
  PODS,
  REPLICA_SETS,
  SERVICE_ACCOUNTS,
  SERVICES,
  STATEFUL_SETS,
]

/** One line an object, sorted. */
export async function outcome(user: User, namespace: string): Promise<string[]> {
  const lines = await Promise.all(
    RESOURCES.map(async (resource) =>
      (await user.list(resource, namespace)).map((object) => lineOf(resource, object)),
    ),
  )
  return lines.flat().sort()
}

function lineOf({ kind }: Resource, object: ApiObject): string {
  const { metadata, status, spec } = object as ApiObject & { status?: object; spec?: object }
  const owners = (metadata.ownerReferences ?? []).map((owner) => `${owner.kind}/${nameOf(owner.name, '')}`)
  const name = nameOf(metadata.name ?? '', metadata.generateName ?? '')
  const state = kind === 'Pod' ? podState(object as Pod) : { spec: specOf(spec), status: statusOf(status) }
  const going = metadata.deletionTimestamp === undefined ? {} : { isGoing: true }
  return `${kind} ${name} ${JSON.stringify({ owners, finalizers: metadata.finalizers, ...going, ...state })}`
}

const nameOf = (name: string, prefix: string): string => (prefix === '' ? name : `${prefix}*`)

const podState = ({ metadata, spec, status }: Pod): object => ({
  labels: Object.fromEntries(Object.entries(metadata.labels ?? {}).filter(([key]) => !/uid$/.test(key))),
  images: spec.containers.map(({ image }) => image),
  isBound: spec.nodeName !== undefined,
  phase: status.phase,
  restarts: status.containerStatuses?.map(({ restartCount }) => restartCount),
})

const specOf = (spec: object | undefined): object | undefined =>
  spec && { replicas: (spec as { replicas?: number }).replicas }

/** Counts, and which conditions hold; not why and since when. */
function statusOf(status: object | undefined): object | undefined {
  if (!status) return undefined
  const kept = Object.entries(status).filter(
    ([key, value]) => typeof value === 'number' && !/^(observedGeneration|collisionCount)$/.test(key),
  )
  const { conditions = [] } = status as { conditions?: { type: string; status: string }[] }
  const held = conditions.map(({ type, status: holds }) => `${type}=${holds}`).sort()
  return { ...Object.fromEntries(kept), held }
}
