// Endpoints that somebody wrote by hand are there as slices too.
// Follows k8s.io/kubernetes/pkg/controller/endpointslicemirroring.
import { isNotFound, isTerminating } from '../../client/api.ts'
import { type Controller, type ControllerContext, queueOf, work } from '../../client/controller.ts'
import type { EndpointSlice } from '../../client/kinds/discovery.v1.gen.ts'
import { type ApiObject, keyOf, splitKey } from '../../client/resource.ts'
import { ENDPOINT_SLICES, ENDPOINTS, SERVICES } from '../../client/resources.ts'
import {
  isMirrored,
  MANAGED_BY,
  MANAGER,
  MAX_ADDRESSES,
  type Mirror,
  planMirror,
  SERVICE_NAME,
} from './plan.ts'

const NAME = 'endpointslice-mirroring-controller'

export function endpointSliceMirroring(context: ControllerContext, workers: number): Controller {
  const { api, informers, recorder, log } = context
  const queue = queueOf(context, 'endpoint_slice_mirroring')
  const services = informers.of(SERVICES)
  const endpoints = informers.of(ENDPOINTS)
  const slices = informers.of(ENDPOINT_SLICES)
  const see = (object: ApiObject): void => queue.add(keyOf(object))
  services.handle({ added: see, updated: see, deleted: see })
  endpoints.handle({ added: see, updated: see, deleted: see })
  const seeSlice = (slice: EndpointSlice): void => {
    if (isOurs(slice))
      queue.add(`${slice.metadata.namespace ?? ''}/${slice.metadata.labels?.[SERVICE_NAME] ?? ''}`)
  }
  slices.handle({ added: seeSlice, updated: seeSlice, deleted: seeSlice })
  const reconcile = async (key: string): Promise<void> => {
    const { namespace, name } = splitKey(key)
    const mirrored = endpoints.reader.get(key)
    const ofService = (slice: EndpointSlice): boolean =>
      isOurs(slice) && slice.metadata.labels?.[SERVICE_NAME] === name
    const known = slices.reader.inNamespace(namespace).filter(ofService)
    if (!mirrored || !isMirrored(mirrored, services.reader.get(key))) {
      return known.length === 0
        ? undefined
        : write(context, { create: [], update: [], remove: [...known], invalid: 0, surplus: 0 })
    }
    // The copy may lag behind what was written last: what would be written is decided by what is there.
    if (isSettled(planMirror(mirrored, known))) return
    const labelSelector = `${SERVICE_NAME}=${name},${MANAGED_BY}=${MANAGER}`
    const plan = planMirror(mirrored, (await api.list(ENDPOINT_SLICES, { namespace, labelSelector })).items)
    const about = { resource: ENDPOINTS, object: mirrored }
    if (plan.invalid > 0) {
      const message = `Skipped ${plan.invalid} invalid IP addresses when mirroring to EndpointSlices`
      recorder.event(about, 'Warning', 'InvalidIPAddress', message)
    }
    if (plan.surplus > 0) {
      const message = `A max of ${MAX_ADDRESSES} addresses can be mirrored to EndpointSlices per Endpoints subset. ${plan.surplus + plan.invalid} addresses were skipped`
      recorder.event(about, 'Warning', 'TooManyAddressesToMirror', message)
    }
    await write(context, plan)
  }
  return { name: NAME, run: (signal) => work({ name: NAME, queue, workers, reconcile, log }, signal) }
}

const isOurs = ({ metadata }: EndpointSlice): boolean => metadata.labels?.[MANAGED_BY] === MANAGER

const isSettled = ({ create, update, remove }: Mirror): boolean =>
  create.length + update.length + remove.length === 0

async function write({ api }: ControllerContext, { create, update, remove }: Mirror): Promise<void> {
  try {
    for (const slice of create) await api.create(ENDPOINT_SLICES, slice)
  } catch (error) {
    if (!isTerminating(error) && !isNotFound(error)) throw error
  }
  for (const slice of update) await api.update(ENDPOINT_SLICES, slice)
  for (const { metadata } of remove) {
    const place = { namespace: metadata.namespace, name: metadata.name ?? '' }
    await api.delete(ENDPOINT_SLICES, place).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
  }
}
