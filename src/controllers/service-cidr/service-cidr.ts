// Ranges of services' addresses: each is ready while it is there, and goes when no service needs it any more.
// Follows k8s.io/kubernetes/pkg/controller/servicecidrs.
import { isNotFound } from '../../client/api.ts'
import { timeOf } from '../../client/clock.ts'
import { type Controller, type ControllerContext, queueOf, work } from '../../client/controller.ts'
import type { IPAddress, ServiceCIDR } from '../../client/kinds/networking.v1.gen.ts'
import { apiVersionOfResource } from '../../client/resource.ts'
import { IP_ADDRESSES, SERVICE_CIDRS } from '../../client/resources.ts'
import { containing, isOfService, mayGo, overlapping } from './deletable.ts'

const NAME = 'service-cidr-controller'
const FINALIZER = 'networking.k8s.io/service-cidr-finalizer'
/** As upstream's. */
const WORKERS = 5

const READY = { status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' }
const TERMINATING = {
  status: 'False',
  reason: 'Terminating',
  message:
    'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
}

/** `graceMs`: how long API servers are given to learn that a range goes, and this to learn what they gave out of it. */
export function serviceCidrController(context: ControllerContext, graceMs: number): Controller {
  const { informers, clock, log } = context
  const queue = queueOf(context, 'ipaddresses')
  const cidrs = informers.of(SERVICE_CIDRS)
  const addresses = informers.of(IP_ADDRESSES)
  const see = ({ metadata }: ServiceCIDR): void => queue.add(metadata.name ?? '')
  const seeAddress = (address: IPAddress): void => {
    if (!isOfService(address)) return
    for (const name of containing(address.metadata.name ?? '', cidrs.reader.list())) queue.add(name)
  }
  cidrs.handle({
    added: (cidr) => {
      see(cidr)
      for (const name of overlapping(cidr, cidrs.reader.list())) queue.add(name)
    },
    updated: see,
    deleted: see,
  })
  addresses.handle({ added: seeAddress, deleted: seeAddress })
  const reconcile = async (name: string): Promise<void> => {
    const cidr = cidrs.reader.get(name)
    if (!cidr) return
    const { deletionTimestamp, finalizers = [] } = cidr.metadata
    if (deletionTimestamp === undefined) {
      if (!finalizers.includes(FINALIZER)) await patch(context, name, { finalizers: [FINALIZER] })
      return tell(context, cidr, READY)
    }
    if (!mayGo(cidr, cidrs.reader.list(), addresses.reader.list())) return tell(context, cidr, TERMINATING)
    const left = Date.parse(deletionTimestamp) + graceMs - clock.now()
    if (left > 0) return queue.addAfter(name, left)
    if (finalizers.includes(FINALIZER))
      await patch(context, name, { '$deleteFromPrimitiveList/finalizers': [FINALIZER] })
  }
  return {
    name: NAME,
    run: (signal) => work({ name: NAME, queue, workers: WORKERS, reconcile, log }, signal),
  }
}

async function patch(
  { api }: ControllerContext,
  name: string,
  metadata: Readonly<Record<string, string[]>>,
): Promise<void> {
  await api.patch(SERVICE_CIDRS, { name }, { metadata }, { type: 'strategic' }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error
  })
}

/** Writes the condition where it is not so already. */
async function tell(
  { api, clock, recorder }: ControllerContext,
  cidr: ServiceCIDR,
  wanted: typeof READY,
): Promise<void> {
  const known = cidr.status?.conditions?.find(({ type }) => type === 'Ready')
  if (known?.status === wanted.status && known.reason === wanted.reason && known.message === wanted.message)
    return
  const { name = '' } = cidr.metadata
  const condition = { type: 'Ready', ...wanted, lastTransitionTime: timeOf(clock) }
  const body = {
    apiVersion: apiVersionOfResource(SERVICE_CIDRS),
    kind: SERVICE_CIDRS.kind,
    metadata: { name },
    status: { conditions: [condition] },
  }
  try {
    const options = { type: 'apply', fieldManager: NAME, force: true } as const
    await api.patch(SERVICE_CIDRS, { name, subresource: 'status' }, body, options)
  } catch (error) {
    if (wanted === READY) {
      const message = 'The ServiceCIDR Status can not be set to Ready=True'
      recorder.event(
        { resource: SERVICE_CIDRS, object: cidr },
        'Warning',
        'KubernetesServiceCIDRError',
        message,
      )
    }
    throw error
  }
}
