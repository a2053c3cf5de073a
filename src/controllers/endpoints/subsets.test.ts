// Pods as subsets: by ports, ready or not, and never too many.
import { expect, it } from 'vitest'
import type { Pod, Service } from '../../client/kinds/core.v1.gen.ts'
import { subsetsOf, truncated } from './subsets.ts'

const service = (spec: object): Service =>
  ({ metadata: { name: 's', namespace: 'ns' }, spec: { clusterIP: '10.0.0.1', ...spec } }) as never
const pod = (n: number, ready: boolean, more: object = {}): Pod =>
  ({
    metadata: { name: `p${n}`, namespace: 'ns', uid: `u${n}` },
    spec: { containers: [{ name: 'a', ports: [{ name: 'web', containerPort: 8000 + n }] }], ...more },
    status: {
      podIP: `10.1.0.${n}`,
      podIPs: [{ ip: `10.1.0.${n}` }, { ip: `fd00::${n}` }],
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  }) as never
const address = (n: number) => ({
  ip: `10.1.0.${n}`,
  targetRef: { kind: 'Pod', namespace: 'ns', name: `p${n}`, uid: `u${n}` },
})

it('groups pods that offer the same ports, ready and not', () => {
  const ports = [
    { name: 'b', port: 81, targetPort: 81 },
    { name: 'a', port: 80, targetPort: 80 },
  ]
  expect(subsetsOf(service({ ports }), [pod(2, false), pod(1, true)])).toEqual([
    {
      addresses: [address(1)],
      notReadyAddresses: [address(2)],
      ports: [
        { name: 'a', port: 80, protocol: 'TCP' },
        { name: 'b', port: 81, protocol: 'TCP' },
      ],
    },
  ])
})

it('keeps pods apart whose ports have other numbers', () => {
  const ports = [{ port: 80, targetPort: 'web' }]
  expect(subsetsOf(service({ ports }), [pod(1, true), pod(2, true)])).toEqual([
    { addresses: [address(1)], ports: [{ port: 8001, protocol: 'TCP' }] },
    { addresses: [address(2)], ports: [{ port: 8002, protocol: 'TCP' }] },
  ])
})

it('tells of the pods of headless services without ports, and of the family that the service has', () => {
  expect(subsetsOf(service({ clusterIP: 'None', ipFamilies: ['IPv6'] }), [pod(1, true)])).toEqual([
    { addresses: [{ ...address(1), ip: 'fd00::1' }] },
  ])
  expect(subsetsOf(service({}), [pod(1, true)])).toEqual([])
})

it('publishes pods that are not ready where the service asks for it', () => {
  const spec = { ports: [{ port: 80, targetPort: 80 }], publishNotReadyAddresses: true }
  expect(subsetsOf(service(spec), [pod(1, false)])[0]?.addresses).toEqual([address(1)])
})

it('cuts what is too much, ready ones last', () => {
  const addresses = (n: number) => Array.from({ length: n }, (_, i) => ({ ip: `10.0.0.${i}` }))
  const sizes = (subsets: ReturnType<typeof truncated>) =>
    subsets.map((one) => [one.addresses?.length ?? 0, one.notReadyAddresses?.length ?? 0])
  const both = [
    { addresses: addresses(2), notReadyAddresses: addresses(2) },
    { notReadyAddresses: addresses(2) },
  ]
  expect(sizes(truncated(both, 4))).toEqual([
    [2, 1],
    [0, 1],
  ])
  expect(sizes(truncated([{ addresses: addresses(4) }, { addresses: addresses(4) }], 5))).toEqual([
    [3, 0],
    [2, 0],
  ])
  expect(truncated(both, 6)).toBe(both)
})
