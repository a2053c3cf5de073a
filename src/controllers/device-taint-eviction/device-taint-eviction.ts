// Deletes pods whose devices have taints of effect NoExecute that their claims do not tolerate, or not any longer.
// Follows k8s.io/kubernetes/pkg/controller/devicetainteviction, for taints in slices: rules that add taints are off by
// default there, and are not served here.
import { isConflict, isNotFound } from '../../client/api.ts'
import { timeOf } from '../../client/clock.ts'
import { type Controller, type ControllerContext, queueOf } from '../../client/controller.ts'
import type { Pod } from '../../client/kinds/core.v1.gen.ts'
import type { ResourceClaim } from '../../client/kinds/resource.v1.gen.ts'
import { claimName, deviceClaimKeys, isReservedFor, notOfPod } from '../../client/podclaims.ts'
import { podCondition } from '../../client/podstate.ts'
import { keyOf, splitKey } from '../../client/resource.ts'
import { PODS, RESOURCE_CLAIMS, RESOURCE_SLICES } from '../../client/resources.ts'
import { onceSynced } from '../../client/synced.ts'
import { evictionOf, poolKey, poolOfSlice } from './tainted.ts'

const NAME = 'device-taint-eviction-controller'
const BY_CLAIM = 'device-claim'
const BY_POOL = 'device-pool'
const REASON = 'DeviceTaintManagerEviction'

const sourcesOf = ({ informers }: ControllerContext) => ({
  pods: informers.of(PODS).index(BY_CLAIM, deviceClaimKeys),
  claims: informers
    .of(RESOURCE_CLAIMS)
    .index(BY_POOL, ({ status }) => [...new Set((status?.allocation?.devices?.results ?? []).map(poolKey))]),
  slices: informers.of(RESOURCE_SLICES).index(BY_POOL, (slice) => [poolOfSlice(slice)]),
})
type Sources = ReturnType<typeof sourcesOf>

export function deviceTaintEviction(context: ControllerContext, workers: number): Controller {
  const sources = sourcesOf(context)
  const { pods, claims, slices } = sources
  const queue = queueOf(context, 'device_taint_eviction')
  /** Keys of pods that are to go. */
  const planned = new Set<string>()
  const seePod = (pod: Pod): void => {
    if (pod.spec.nodeName && pod.spec.resourceClaims?.length) queue.add(keyOf(pod))
  }
  pods.handle({ added: seePod, updated: seePod, deleted: (pod) => planned.delete(keyOf(pod)) })
  const seeClaim = (claim: ResourceClaim): void => pods.reader.by(BY_CLAIM, keyOf(claim)).forEach(seePod)
  claims.handle({ added: seeClaim, updated: seeClaim, deleted: seeClaim })
  const seePool = (pool: string): void => claims.reader.by(BY_POOL, pool).forEach(seeClaim)
  slices.handle({
    added: (slice) => seePool(poolOfSlice(slice)),
    updated: (slice, before) => {
      for (const pool of new Set([slice, before].map(poolOfSlice))) seePool(pool)
    },
    deleted: (slice) => seePool(poolOfSlice(slice)),
  })
  const reconcile = async (key: string): Promise<void> => {
    const pod = pods.reader.get(key)
    if (!pod || pod.metadata.deletionTimestamp !== undefined) return
    const at = leavesAt(pod, sources)
    if (at === undefined) {
      if (planned.delete(key))
        context.recorder.event({ resource: PODS, object: pod }, 'Normal', REASON, 'Cancelling deletion')
      return
    }
    planned.add(key)
    const left = at - context.clock.now()
    if (left > 0) return queue.addAfter(key, left)
    await evict(context, key, pod.metadata.uid ?? '')
    planned.delete(key)
  }
  return onceSynced([pods, claims, slices], { name: NAME, queue, workers, reconcile, log: context.log })
}

/** When the first of its claims' devices has to be left. */
function leavesAt(pod: Pod, { claims, slices }: Sources): number | undefined {
  const times: number[] = []
  for (const one of pod.spec.resourceClaims ?? []) {
    const known = claimName(pod, one)
    if (known === undefined || known === 'missing') continue
    const claim = claims.reader.get(`${pod.metadata.namespace ?? ''}/${known.name}`)
    if (!claim || !isReservedFor(claim, pod)) continue
    if (known.isOwned && notOfPod(pod, claim) !== undefined) continue
    const at = evictionOf(claim, (pool) => slices.reader.by(BY_POOL, pool))
    if (at !== undefined) times.push(at)
  }
  return times.length === 0 ? undefined : Math.min(...times)
}

async function evict({ api, recorder, clock }: ControllerContext, key: string, uid: string): Promise<void> {
  const place = splitKey(key)
  try {
    const pod = await api.get(PODS, place)
    if (pod.metadata.uid !== uid || pod.metadata.deletionTimestamp !== undefined) return
    recorder.event({ resource: PODS, object: pod }, 'Normal', REASON, 'Marking for deletion')
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByDeviceTaintManager',
      message: 'Device Taint manager: deleting due to NoExecute taint',
    }
    const said = podCondition(pod, condition.type)
    if (said?.status !== 'True' || said.reason !== condition.reason) {
      const conditions = [{ ...condition, lastTransitionTime: timeOf(clock) }]
      const body = { metadata: { uid }, status: { conditions } }
      await api.patch(PODS, { ...place, subresource: 'status' }, body, { type: 'strategic' })
    }
    await api.delete(PODS, place, { preconditions: { uid } })
  } catch (error) {
    // Gone, or another pod has its name.
    if (!isNotFound(error) && !isConflict(error)) throw error
  }
}
