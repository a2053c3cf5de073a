// The quality of service of a pod, as its containers' requests and limits of cpu and memory make it.
// Called when a pod is created. Follows pkg/apis/core/helper/qos.
import type { JsonObject } from '../machinery/json.ts'
import { objectAt, objectsAt, textAt } from './reading.ts'

type Sums = Map<string, bigint>

const RESOURCES = ['cpu', 'memory'] as const
const POWERS: Readonly<Record<string, bigint>> = {
  n: 1n,
  u: 10n ** 3n,
  m: 10n ** 6n,
  '': 10n ** 9n,
  k: 10n ** 12n,
  M: 10n ** 15n,
  G: 10n ** 18n,
  T: 10n ** 21n,
  P: 10n ** 24n,
  E: 10n ** 27n,
  Ki: (10n ** 9n) << 10n,
  Mi: (10n ** 9n) << 20n,
  Gi: (10n ** 9n) << 30n,
  Ti: (10n ** 9n) << 40n,
  Pi: (10n ** 9n) << 50n,
  Ei: (10n ** 9n) << 60n,
}

function nano(text: string): bigint {
  const match = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d{1,2})|([numkMGTPE]?i?))$/.exec(text)
  if (!match) return 0n
  const [, sign, whole = '', part = '', exponent, suffix = ''] = match
  const digits = BigInt(`${whole}${part}` || '0') * (POWERS[suffix] ?? 0n)
  const shift = Number(exponent ?? 0) - part.length
  const value = shift < 0 ? digits / 10n ** BigInt(-shift) : digits * 10n ** BigInt(shift)
  return sign === '-' ? -value : value
}

/** Adds what is above zero to the sums; true where both resources are there. */
function addUp(amounts: JsonObject, sums: Sums): boolean {
  let found = 0
  for (const name of RESOURCES) {
    const amount = amounts[name]
    if (amount === undefined) continue
    const quantity = nano(String(amount))
    if (quantity <= 0n) continue
    const before = sums.get(name)
    sums.set(name, (before ?? 0n) + quantity)
    found++
  }
  return found === RESOURCES.length
}

/** "Guaranteed", "Burstable" or "BestEffort". */
export function qosClassOf(spec: JsonObject): string {
  const requests: Sums = new Map()
  const limits: Sums = new Map()
  const levels = spec['resources']
    ? [spec]
    : [...objectsAt(spec['containers']), ...objectsAt(spec['initContainers'])]
  let guaranteed = true
  for (const level of levels) {
    const resources = objectAt(level['resources'])
    addUp(objectAt(resources['requests']), requests)
    if (!addUp(objectAt(resources['limits']), limits)) guaranteed = false
  }
  if (!requests.size && !limits.size) return 'BestEffort'
  const same = [...requests].every(([name, sum]) => {
    const limit = limits.get(name)
    return limit === sum
  })
  return guaranteed && same && requests.size === limits.size ? 'Guaranteed' : 'Burstable'
}

/** The stored class, or for a pod that has none the computed one. */
export const qosClassOfPod = (pod: JsonObject): string =>
  textAt(objectAt(pod['status'])['qosClass']) || qosClassOf(objectAt(pod['spec']))
