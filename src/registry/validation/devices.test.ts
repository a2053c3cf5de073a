// Rules of resource.k8s.io, each with what breaks it: places and reasons are those that kube-apiserver 1.36.3 gave.
import { beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { StatusCause } from '../../machinery/status.ts'
import type { WriteContext } from '../strategy.ts'
import * as rules from './devices.ts'
import { loadSelectors } from './deviceselectors.ts'

const contextOf = (labels: Record<string, string> = {}, subresource = ''): WriteContext =>
  ({
    namespace: 'n',
    subresource,
    lister: { get: () => ({ metadata: { labels } }) },
  }) as unknown as WriteContext
const context = contextOf()
const of = (parts: JsonObject): KubeObject =>
  ({ metadata: { name: 'a', namespace: 'n' }, ...parts }) as KubeObject
const told = (causes: readonly StatusCause[]): string[] =>
  causes.map(({ field, reason }) => `${field} ${reason?.replace('FieldValue', '')}`)

const exactly = (more: JsonObject = {}): JsonObject => ({
  deviceClassName: 'gpu',
  allocationMode: 'ExactCount',
  count: 1,
  ...more,
})
const claim = (devices: JsonObject): KubeObject => of({ spec: { devices } })
const asking = (more: JsonObject): KubeObject => claim({ requests: [{ name: 'r', exactly: exactly(more) }] })

describe('a claim', () => {
  const at = 'spec.devices.requests[0]'
  it.each<[string, KubeObject, string[]]>([
    ['what is sound', asking({}), []],
    ['no class', asking({ deviceClassName: '' }), [`${at}.exactly.deviceClassName Required`]],
    ['none wanted', asking({ count: -1 }), [`${at}.exactly.count Invalid`]],
    ['all, and a number', asking({ allocationMode: 'All' }), [`${at}.exactly.count Invalid`]],
    ['another mode', asking({ allocationMode: 'Some' }), [`${at}.exactly.allocationMode NotSupported`]],
    ['an empty selector', asking({ selectors: [{}] }), [`${at}.exactly.selectors[0].cel Required`]],
    [
      'too many selectors',
      asking({ selectors: Array.from({ length: 33 }, () => ({})) }),
      [`${at}.exactly.selectors TooMany`],
    ],
    [
      'a toleration of nothing',
      asking({ tolerations: [{ key: 'a b', operator: 'Exists', value: 'v', effect: 'Go' }] }),
      [
        `${at}.exactly.tolerations[0].key Invalid`,
        `${at}.exactly.tolerations[0].value Invalid`,
        `${at}.exactly.tolerations[0].effect NotSupported`,
      ],
    ],
    ['nothing asked', claim({ requests: [{ name: 'r' }] }), [`${at} Required`]],
    [
      'two ways at once',
      claim({ requests: [{ name: 'r', exactly: exactly(), firstAvailable: [{ name: 'x' }] }] }),
      [`${at} Invalid`],
    ],
    [
      'a name twice',
      claim({ requests: ['r', 'r'].map((name) => ({ name, exactly: exactly() })) }),
      ['spec.devices.requests[1] Duplicate'],
    ],
    [
      'a constraint on what nobody asked for',
      claim({
        requests: [{ name: 'r', firstAvailable: [{ name: 'x', ...exactly() }] }],
        constraints: [{ requests: ['r', 'r/x', 'r/y', 'z', 'a/b/c'], matchAttribute: 'model' }, {}],
      }),
      [
        'spec.devices.constraints[0].requests[2] Invalid',
        'spec.devices.constraints[0].requests[3] Invalid',
        'spec.devices.constraints[0].requests[4] Invalid',
        'spec.devices.constraints[0].matchAttribute Invalid',
        'spec.devices.constraints[1] Required',
      ],
    ],
    [
      'parameters that are no object',
      claim({
        requests: [],
        config: [{}, { opaque: { driver: 'A B' } }, { opaque: { driver: 'd', parameters: 'text' } }],
      }),
      [
        'spec.devices.config[0].opaque Required',
        'spec.devices.config[1].opaque.driver Invalid',
        'spec.devices.config[1].opaque.parameters Required',
        'spec.devices.config[2].opaque.parameters Invalid',
      ],
    ],
  ])('%s', (_what, object, causes) => {
    expect(told(rules.validateResourceClaim(object, context))).toEqual(causes)
  })

  it('gives access to devices that others use only where the namespace says so', () => {
    const causes = rules.claimAdminCauses(asking({ adminAccess: true }), context)
    expect(told(causes)).toEqual(['spec.devices.requests[0].adminAccess Forbidden'])
    const allowed = contextOf({ 'resource.kubernetes.io/admin-access': 'true' })
    expect(rules.claimAdminCauses(asking({ adminAccess: true }), allowed)).toEqual([])
  })

  it('does not change', () => {
    const causes = rules.validateResourceClaimUpdate(asking({ count: 2 }), asking({}), context)
    expect(told(causes)).toEqual(['spec Invalid'])
  })
})

describe('the status of a claim', () => {
  const device = { driver: 'd', pool: 'p', device: 'one' }
  const result = { request: 'r', ...device }
  const write = (status: JsonObject, before: JsonObject = {}): string[] =>
    told(
      rules.validateResourceClaimUpdate(
        { ...asking({}), status },
        { ...asking({}), status: before },
        contextOf({}, 'status'),
      ),
    )
  const allocation = { devices: { results: [result] } }

  it.each<[string, JsonObject, string[]]>([
    ['what was allocated', { allocation, devices: [device] }, []],
    [
      'reserved before it is allocated',
      { reservedFor: [{ resource: 'pods', name: 'a', uid: 'u' }] },
      ['status.reservedFor Forbidden'],
    ],
    [
      'a consumer without a name',
      { allocation, reservedFor: [{}] },
      [
        'status.reservedFor[0].resource Required',
        'status.reservedFor[0].name Required',
        'status.reservedFor[0].uid Required',
      ],
    ],
    [
      'a device that is not its own',
      { allocation, devices: [{ ...device, device: 'two' }] },
      ['status.devices[0] Invalid'],
    ],
    [
      'addresses in another form',
      { allocation, devices: [{ ...device, networkData: { ips: ['10.0.0.1', '::01/64'] } }] },
      ['status.devices[0].networkData.ips[0] Invalid', 'status.devices[0].networkData.ips[1] Invalid'],
    ],
    [
      'a result for nobody',
      { allocation: { devices: { results: [{ ...result, request: 'q', shareID: 'X' }] } } },
      [
        'status.allocation.devices.results[0].request Invalid',
        'status.allocation.devices.results[0].shareID Invalid',
      ],
    ],
    [
      'one half of binding conditions',
      { allocation: { devices: { results: [{ ...result, bindingConditions: ['a', 'a'] }] } } },
      [
        'status.allocation.devices.results[0].bindingConditions[1] Duplicate',
        'status.allocation.devices.results[0].bindingFailureConditions Invalid',
      ],
    ],
  ])('%s', (_what, status, causes) => {
    expect(write(status)).toEqual(causes)
  })

  it('keeps what was allocated', () => {
    const other = { devices: { results: [{ ...result, device: 'two' }] } }
    expect(write({ allocation: other }, { allocation })).toEqual(['status.allocation Invalid'])
  })
})

describe('a slice', () => {
  const spec = {
    driver: 'd.example.com',
    pool: { name: 'p', generation: 1, resourceSliceCount: 1 },
    nodeName: 'n',
  }
  const slice = (more: JsonObject): KubeObject => of({ spec: { ...spec, ...more } })
  const device = (more: JsonObject): KubeObject => slice({ devices: [{ name: 'a', ...more }] })
  const at = 'spec.devices[0]'
  const shared = (requestPolicy: JsonObject): KubeObject =>
    device({ allowMultipleAllocations: true, capacity: { memory: { value: '10', requestPolicy } } })

  it.each<[string, KubeObject, string[]]>([
    ['what is sound', device({ attributes: { 'd.example.com/v': { version: '1.2.3-a.1+b' } } }), []],
    ['no node', slice({ nodeName: null }), ['spec Required']],
    ['all nodes and one', slice({ allNodes: true }), ['spec Invalid']],
    ['not all nodes', slice({ allNodes: false }), ['spec.allNodes Invalid']],
    [
      'an empty pool',
      slice({ pool: { name: '', generation: -1, resourceSliceCount: 0 } }),
      ['spec.pool.name Required', 'spec.pool.resourceSliceCount Invalid', 'spec.pool.generation Invalid'],
    ],
    [
      'values of no sort, and of two',
      device({ attributes: { a: {}, b: { int: 1, string: 's' } } }),
      [`${at}.attributes[a] Invalid`, `${at}.attributes[b] Invalid`],
    ],
    [
      'a version in words',
      device({ attributes: { a: { version: 'new' } } }),
      [`${at}.attributes[a].version Invalid`],
    ],
    [
      'names that are none',
      device({ attributes: { 'a b': { int: 1 }, '/c': { int: 1 } } }),
      [`${at}.attributes Invalid`, `${at}.attributes Invalid`],
    ],
    ['a node of its own', device({ nodeName: 'm' }), [`${at} Invalid`]],
    [
      'a taint',
      device({ taints: [{ key: '', effect: 'Go' }] }),
      [`${at}.taints[0].key Invalid`, `${at}.taints[0].key Invalid`, `${at}.taints[0].effect NotSupported`],
    ],
    [
      'counters of nothing',
      device({ consumesCounters: [{ counterSet: 'A' }] }),
      [`${at}.consumesCounters[0].counterSet Invalid`, `${at}.consumesCounters[0].counters Required`],
    ],
    [
      'a policy for one',
      device({ capacity: { memory: { value: '1', requestPolicy: {} } } }),
      [`${at}.capacity[memory].requestPolicy Forbidden`],
    ],
    [
      'a range beyond what there is',
      shared({ default: '1', validRange: { min: '2', max: '20' } }),
      [
        `${at}.capacity[memory].requestPolicy.validRange.min Invalid`,
        `${at}.capacity[memory].requestPolicy.validRange.max Invalid`,
      ],
    ],
    [
      'steps that miss the default',
      shared({ default: '2', validRange: { min: '1', step: '3' } }),
      [`${at}.capacity[memory].requestPolicy.validRange.step Invalid`],
    ],
    [
      'values without the default',
      shared({ default: '2', validValues: ['3', '1'] }),
      [
        `${at}.capacity[memory].requestPolicy.validValues[1] Invalid`,
        `${at}.capacity[memory].requestPolicy.validValues Invalid`,
      ],
    ],
  ])('%s', (_what, object, causes) => {
    expect(told(rules.validateSlice(object, context))).toEqual(causes)
  })

  it('stays with its driver, its pool and its node', () => {
    const other = slice({ driver: 'e', nodeName: 'm', pool: { ...spec.pool, name: 'q' } })
    expect(told(rules.validateSliceUpdate(other, slice({}), context))).toEqual([
      'spec.pool.name Invalid',
      'spec.driver Invalid',
      'spec.nodeName Invalid',
    ])
  })

  it('may have fewer devices where these have taints', () => {
    const devices = Array.from({ length: 65 }, (_, i) => ({ name: `d${i}`, taints: [] as JsonObject[] }))
    expect(rules.validateSlice(slice({ devices }), context)).toEqual([])
    devices[0]?.taints.push({ key: 'a', effect: 'NoSchedule' })
    expect(told(rules.validateSlice(slice({ devices }), context))).toEqual(['spec.devices TooMany'])
  })
})

describe('a class, and a template', () => {
  it('name extended resources, and nothing that claims get from others', () => {
    const named = of({ spec: { extendedResourceName: 'cpu', config: [{}] } })
    expect(told(rules.validateDeviceClass(named, context))).toEqual([
      'spec.config[0].opaque Required',
      'spec.extendedResourceName Invalid',
    ])
    const template = of({
      spec: { metadata: { name: 'x', uid: 'u', labels: { a: 'b' } }, spec: { devices: {} } },
    })
    expect(told(rules.validateClaimTemplate(template, context))).toEqual([
      'spec.metadata.name Forbidden',
      'spec.metadata.uID Forbidden',
    ])
  })
})

describe('a selector', () => {
  beforeAll(loadSelectors)

  it.each<[string, string[]]>([
    ['device.driver == "gpu.example.com"', []],
    ['device.attributes["gpu.example.com"].cores > 2 && device.allowMultipleAllocations', []],
    ['device.capacity["gpu.example.com"].memory.isGreaterThan(quantity("1Gi"))', []],
    ['cel.bind(d, device.attributes["d"], d.one && d.other)', []],
    ['device.attributes["d"].isFast', []],
    ['device.', ['Invalid value: "device.": compilation failed: ERROR: <input>:1:8: Syntax error']],
    ['1', ['Invalid value: "1": must evaluate to bool or the unknown type, not int']],
    [
      'nope.x',
      ['Invalid value: "nope.x": compilation failed: ERROR: <input>:1:1: undeclared reference to \'nope\''],
    ],
  ])('%s', (expression, messages) => {
    const causes = rules.validateResourceClaim(asking({ selectors: [{ cel: { expression } }] }), context)
    expect(causes.map(({ message }) => message)).toEqual(
      messages.map((text) => expect.stringContaining(text) as string),
    )
  })
})
