import { describe, expect, it } from 'vitest'
import { profilesOf } from '../profile.ts'
import { defaultConfiguration, readConfiguration } from './configuration.ts'
import { writtenConfiguration } from './written.ts'

const read = (more: object) =>
  readConfiguration({
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    kind: 'KubeSchedulerConfiguration',
    ...more,
  })
const faultsOf = (more: object): readonly string[] => {
  const found = read(more)
  return 'faults' in found ? found.faults : []
}
const profileOf = (profile: object) => {
  const found = read({ profiles: [profile] })
  if ('faults' in found) throw new Error(found.faults.join(', '))
  const [made] = profilesOf(found.configuration)
  if (!made) throw new Error('there is no profile')
  return made
}
const names = (list: readonly { readonly name: string }[]): string[] => list.map(({ name }) => name)

describe('a configuration', () => {
  it('has upstream’s defaults', () => {
    expect(defaultConfiguration()).toMatchObject({
      parallelism: 16,
      percentageOfNodesToScore: 0,
      podInitialBackoffSeconds: 1,
      podMaxBackoffSeconds: 10,
      leaderElection: { leaderElect: true, leaseDuration: 15_000, resourceName: 'kube-scheduler' },
      clientConnection: { qps: 50, burst: 100 },
      profiles: [
        {
          schedulerName: 'default-scheduler',
          args: {
            DefaultPreemption: { minCandidateNodesPercentage: 10, minCandidateNodesAbsolute: 100 },
            NodeResourcesFit: { scoringStrategy: { type: 'LeastAllocated' } },
            DynamicResources: { filterTimeout: 10_000, bindingTimeout: 600_000 },
          },
        },
      ],
    })
  })
  it.each([
    [{ parallelism: 0 }, 'parallelism: Invalid value: 0: should be an integer value greater than zero'],
    [
      { percentageOfNodesToScore: 101 },
      'percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]',
    ],
    [
      { podInitialBackoffSeconds: 5, podMaxBackoffSeconds: 2 },
      'podMaxBackoffSeconds: Invalid value: 2: must be greater than or equal to PodInitialBackoffSeconds',
    ],
    [{ nonsense: 1 }, 'strict decoding error: unknown field "nonsense"'],
    [{ profiles: [{}, {}] }, 'profiles[0].schedulerName: Required value'],
    [
      { profiles: [{ schedulerName: 'a' }, { schedulerName: 'a' }] },
      'profiles[1].schedulerName: Duplicate value: "profiles[0].schedulerName"',
    ],
    [
      { profiles: [{ pluginConfig: [{ name: 'InterPodAffinity', args: { hardPodAffinityWeight: 101 } }] }] },
      'profiles[0].pluginConfig[0].args.hardPodAffinityWeight: Invalid value: 101: not in valid range [0, 100]',
    ],
    [
      { profiles: [{ pluginConfig: [{ name: 'VolumeBinding', args: { kind: 'NodeAffinityArgs' } }] }] },
      'profiles[0].pluginConfig[0].args: Invalid value: "NodeAffinityArgs": has to match plugin args',
    ],
    [
      { extenders: [{ prioritizeVerb: 'p' }] },
      'extenders[0].weight: Invalid value: 0: must have a positive weight applied to it',
    ],
    [
      { extenders: [{ bindVerb: 'b' }, { bindVerb: 'b' }] },
      'extenders: Invalid value: "found 2 extenders implementing bind": only one extender can implement bind',
    ],
  ])('refuses %j', (more, fault) => {
    expect(faultsOf(more)).toContain(fault)
  })
  it('is of one kind and version', () => {
    expect(readConfiguration({ apiVersion: 'v1', kind: 'Pod' })).toEqual({
      faults: ['no kind "Pod" is registered for version "v1"'],
    })
  })
})

describe('a profile', () => {
  it('keeps the default’s order, with its own weights and without what it switches off', () => {
    const { filters, scores } = profileOf({
      plugins: {
        multiPoint: {
          enabled: [{ name: 'NodeAffinity', weight: 7 }],
          disabled: [{ name: 'InterPodAffinity' }],
        },
        score: { disabled: [{ name: 'ImageLocality' }], enabled: [{ name: 'TaintToleration', weight: 9 }] },
      },
    })
    expect(names(filters).slice(0, 4)).toEqual([
      'NodeUnschedulable',
      'NodeName',
      'TaintToleration',
      'NodeAffinity',
    ])
    expect(names(filters)).not.toContain('InterPodAffinity')
    // What a point names again comes first at this point.
    expect(scores.map(({ name, weight }) => [name, weight])).toEqual([
      ['TaintToleration', 9],
      ['NodeAffinity', 7],
      ['NodeResourcesFit', 1],
      ['PodTopologySpread', 2],
      ['NodeResourcesBalancedAllocation', 1],
    ])
  })
  it('can begin with nothing', () => {
    const made = profileOf({
      plugins: {
        multiPoint: {
          disabled: [{ name: '*' }],
          enabled: [{ name: 'PrioritySort' }, { name: 'DefaultBinder' }, { name: 'NodeName' }],
        },
      },
    })
    expect([names(made.filters), made.scores, made.preemption, made.isGated]).toEqual([
      ['NodeName'],
      [],
      undefined,
      false,
    ])
  })
  it.each([
    [{ filter: { enabled: [{ name: 'Nobody' }] } }, /FilterPlugin "Nobody" does not exist/],
    [{ filter: { enabled: [{ name: 'ImageLocality' }] } }, /does not extend filter plugin/],
    [{ multiPoint: { disabled: [{ name: 'DefaultBinder' }] } }, /at least one bind plugin is needed/],
    [{ queueSort: { disabled: [{ name: '*' }] } }, /at least one queue sort plugin is needed/],
  ])('cannot be of %j', (plugins, why) => {
    expect(() => profileOf({ plugins })).toThrow(why)
  })
})

describe('a configuration that is written', () => {
  const again = (more: object) => {
    const found = read(more)
    if ('faults' in found) throw new Error(found.faults.join(', '))
    const written = writtenConfiguration(found.configuration)
    return { written, before: found.configuration, after: read(written) }
  }

  it('says all of the defaults', () => {
    const { written } = again({})
    expect(written).toMatchObject({
      clientConnection: { contentType: 'application/vnd.kubernetes.protobuf', qps: 50 },
      leaderElection: { leaseDuration: '15s', resourceLock: 'leases' },
      profiles: [{ schedulerName: 'default-scheduler', plugins: { bind: {}, filter: {} } }],
    })
    const [profile] = written['profiles'] as [{ pluginConfig: unknown[]; plugins: { multiPoint: object } }]
    expect(profile.pluginConfig).toHaveLength(8)
    expect(profile.pluginConfig[1]).toEqual({
      name: 'DynamicResources',
      args: {
        apiVersion: 'kubescheduler.config.k8s.io/v1',
        kind: 'DynamicResourcesArgs',
        filterTimeout: '10s',
        bindingTimeout: '10m0s',
      },
    })
    expect(profile.plugins.multiPoint).toMatchObject({
      enabled: expect.arrayContaining([{ name: 'TaintToleration', weight: 3 }]) as unknown,
    })
    expect(written).not.toHaveProperty('extenders')
  })

  it('is read back to the same rules', () => {
    const { before, after } = again({
      leaderElection: { leaderElect: false, renewDeadline: '1500ms' },
      enableProfiling: false,
      profiles: [
        {
          schedulerName: 'own',
          percentageOfNodesToScore: 40,
          plugins: { score: { disabled: [{ name: '*' }], enabled: [{ name: 'ImageLocality', weight: 7 }] } },
          pluginConfig: [
            {
              name: 'NodeResourcesFit',
              args: {
                scoringStrategy: {
                  type: 'RequestedToCapacityRatio',
                  resources: [{ name: 'example.com/gpu', weight: 3 }],
                  requestedToCapacityRatio: {
                    shape: [
                      { utilization: 0, score: 0 },
                      { utilization: 100, score: 10 },
                    ],
                  },
                },
              },
            },
          ],
        },
      ],
      extenders: [
        {
          urlPrefix: 'https://x.example.com/',
          bindVerb: 'bind',
          enableHTTPS: true,
          tlsConfig: { insecure: true },
          managedResources: [{ name: 'example.com/thing', ignoredByScheduler: true }],
        },
      ],
    })
    if ('faults' in after) throw new Error(after.faults.join(', '))
    const { profiles: wanted, ...rest } = before
    const { profiles: found, ...more } = after.configuration
    expect(more).toEqual(rest)
    expect(found[0]).toMatchObject({ args: wanted[0]?.args, percentageOfNodesToScore: 40 })
    expect(profilesOf(after.configuration)[0]?.scores).toEqual([
      expect.objectContaining({ name: 'ImageLocality', weight: 7 }),
    ])
    const filters = ({ profiles }: typeof before) =>
      names(profilesOf({ ...before, profiles })[0]?.filters ?? [])
    expect(filters(after.configuration)).toEqual(filters(before))
  })
})
