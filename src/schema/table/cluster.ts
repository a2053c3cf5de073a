// Rows of the groups that have a kind or two: scheduling, policy, coordination, node, flow control and API
// registration. Follows kubernetes/pkg/printers/internalversion/printers.go, and
// k8s.io/kube-aggregator/pkg/registry/apiservice for APIServices.
import type { Json } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { age, count, flag, nameOf, part, parts, type Printers, text } from './cells.ts'

const absent = (value: unknown): boolean => value === undefined || value === null

export const scheduling: Printers = {
  priorityclasses: {
    cells: (o, now) => [
      nameOf(o),
      count(o, 'value'),
      flag(o, 'globalDefault'),
      age(o, now),
      text(o, 'preemptionPolicy'),
    ],
  },
}

const numberOrText = (value: unknown): string => (absent(value) ? 'N/A' : String(value))

export const policy: Printers = {
  poddisruptionbudgets: {
    cells: (object, now) => {
      const spec = part(object, 'spec')
      return [
        nameOf(object),
        numberOrText(spec.minAvailable),
        numberOrText(spec.maxUnavailable),
        count(part(object, 'status'), 'disruptionsAllowed'),
        age(object, now),
      ]
    },
  },
}

export const coordination: Printers = {
  leases: { cells: (o, now) => [nameOf(o), text(part(o, 'spec'), 'holderIdentity'), age(o, now)] },
}

export const node: Printers = {
  runtimeclasses: { cells: (o, now) => [nameOf(o), text(o, 'handler'), age(o, now)] },
}

const precedence = (object: KubeObject): number => count(part(object, 'spec'), 'matchingPrecedence')

function flowSchemaCells(object: KubeObject, now: number): Json[] {
  const spec = part(object, 'spec')
  const dangling = parts(part(object, 'status'), 'conditions').find((c) => c.type === 'Dangling')
  return [
    nameOf(object),
    text(part(spec, 'priorityLevelConfiguration'), 'name'),
    precedence(object),
    absent(spec.distinguisherMethod) ? '<none>' : text(part(spec, 'distinguisherMethod'), 'type'),
    age(object, now),
    dangling === undefined ? '?' : text(dangling, 'status'),
  ]
}

function priorityLevelCells(object: KubeObject, now: number): Json[] {
  const spec = part(object, 'spec')
  const limited = part(spec, 'limited')
  const response = part(limited, 'limitResponse')
  const queuing = part(response, 'queuing')
  const queued = (key: string): Json => (absent(response.queuing) ? '<none>' : count(queuing, key))
  return [
    nameOf(object),
    text(spec, 'type'),
    absent(spec.limited) ? '<none>' : count(limited, 'nominalConcurrencyShares'),
    queued('queues'),
    queued('handSize'),
    queued('queueLengthLimit'),
    age(object, now),
  ]
}

export const flowcontrol: Printers = {
  flowschemas: {
    cells: flowSchemaCells,
    compare: (a, b) => precedence(a) - precedence(b) || (nameOf(a) < nameOf(b) ? -1 : 1),
  },
  prioritylevelconfigurations: { cells: priorityLevelCells },
}

function availability(object: KubeObject): string {
  const condition = parts(part(object, 'status'), 'conditions').find((c) => c.type === 'Available')
  if (condition === undefined) return 'Unknown'
  const status = text(condition, 'status')
  const reason = text(condition, 'reason')
  return status === 'True' || reason === '' ? status : `${status} (${reason})`
}

export const apiregistration: Printers = {
  apiservices: {
    cells: (object, now) => {
      const spec = part(object, 'spec')
      const service = part(spec, 'service')
      const host = absent(spec.service) ? 'Local' : `${text(service, 'namespace')}/${text(service, 'name')}`
      return [nameOf(object), host, availability(object), age(object, now)]
    },
  },
}
