// Profiles: which rules, in which order, with which weights, pods of one scheduler name are placed by.
// Follows k8s.io/kubernetes/pkg/scheduler/profile and framework/runtime/framework.go (NewFramework).
import type { PluginArgs } from './config/args.ts'
import {
  defaultConfiguration,
  type ProfileConfig,
  type SchedulerConfiguration,
} from './config/configuration.ts'
import { expand } from './config/points.ts'
import type { Plugin, PrepareScore } from './plugin.ts'
import { imageLocality } from './plugins/imagelocality.ts'
import { interPodAffinityWith } from './plugins/interpodaffinity.ts'
import { nodeAffinityWith } from './plugins/nodeaffinity.ts'
import { nodeDeclaredFeatures } from './plugins/nodedeclaredfeatures.ts'
import { nodeName } from './plugins/nodename.ts'
import { nodePorts } from './plugins/nodeports.ts'
import { balancedAllocationWith, nodeResourcesFitWith } from './plugins/noderesources.ts'
import { nodeUnschedulable } from './plugins/nodeunschedulable.ts'
import { podTopologySpreadWith } from './plugins/podtopologyspread.ts'
import { taintToleration } from './plugins/tainttoleration.ts'
import { volumeRestrictions } from './plugins/volumerestrictions.ts'
import { nodeVolumeLimits, volumeBinding, volumeZone } from './plugins/volumes.ts'

export interface WeightedScore {
  readonly name: string
  readonly weight: number
  readonly prepare: PrepareScore
}

export interface Profile {
  readonly schedulerName: string
  /** Of the nodes that will do, how many are compared; 0: as upstream, the smaller the part the more there are. */
  readonly percentage: number
  /** In the order in which they are asked. */
  readonly filters: readonly Plugin[]
  readonly scores: readonly WeightedScore[]
  /** Those that keep something for a pod between the decision and its binding. */
  readonly keepers: readonly Plugin[]
  /** Those that can free something where no node will do. */
  readonly makers: readonly Plugin[]
  /** undefined: nobody is sent away. */
  readonly preemption: PluginArgs['DefaultPreemption'] | undefined
  /** Whether gates of pods are respected. */
  readonly isGated: boolean
  readonly bindTimeoutMs: number
}

type Make = (args: PluginArgs, managed: readonly string[]) => Plugin

const MAKERS: ReadonlyMap<string, Make> = new Map<string, Make>([
  ['NodeUnschedulable', () => nodeUnschedulable],
  ['NodeName', () => nodeName],
  ['TaintToleration', () => taintToleration],
  ['NodeAffinity', ({ NodeAffinity }) => nodeAffinityWith(NodeAffinity)],
  ['NodePorts', () => nodePorts],
  ['NodeResourcesFit', ({ NodeResourcesFit }, managed) => nodeResourcesFitWith(NodeResourcesFit, managed)],
  ['VolumeRestrictions', () => volumeRestrictions],
  ['NodeVolumeLimits', () => nodeVolumeLimits],
  ['VolumeBinding', () => volumeBinding],
  ['VolumeZone', () => volumeZone],
  ['PodTopologySpread', ({ PodTopologySpread }) => podTopologySpreadWith(PodTopologySpread)],
  ['InterPodAffinity', ({ InterPodAffinity }) => interPodAffinityWith(InterPodAffinity)],
  [
    'NodeResourcesBalancedAllocation',
    ({ NodeResourcesBalancedAllocation: args }) => balancedAllocationWith(args),
  ],
  ['ImageLocality', () => imageLocality],
  ['NodeDeclaredFeatures', () => nodeDeclaredFeatures],
])

/** `others`: rules that need more than a configuration, by their names. Throws Error for what cannot work together. */
export function profilesOf(
  { profiles, percentageOfNodesToScore, extenders }: SchedulerConfiguration,
  others: ReadonlyMap<string, Make> = new Map(),
): Profile[] {
  const managed = extenders.flatMap(({ managedResources }) =>
    managedResources.filter(({ ignoredByScheduler }) => ignoredByScheduler).map(({ name }) => name),
  )
  const make = (config: ProfileConfig): Profile =>
    profileOf(config, percentageOfNodesToScore, (name) =>
      (others.get(name) ?? MAKERS.get(name))?.(config.args, managed),
    )
  return profiles.map((config) => {
    try {
      return make(config)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new Error(
        `initializing profiles: creating profile for scheduler name ${config.schedulerName}: ${why}`,
      )
    }
  })
}

function profileOf(
  { schedulerName, percentageOfNodesToScore, plugins, args }: ProfileConfig,
  percentage: number,
  make: (name: string) => Plugin | undefined,
): Profile {
  const points = expand(plugins)
  const made = new Map<string, Plugin | undefined>()
  const pluginOf = (name: string): Plugin | undefined => {
    if (!made.has(name)) made.set(name, make(name))
    return made.get(name)
  }
  const acting = (refs: readonly { readonly name: string }[]): Plugin[] =>
    refs.flatMap(({ name }) => pluginOf(name) ?? [])
  const isOn = (refs: readonly { readonly name: string }[], name: string): boolean =>
    refs.some((one) => one.name === name)
  return {
    schedulerName,
    percentage: percentageOfNodesToScore ?? percentage,
    filters: acting(points.filter),
    scores: points.score.flatMap(({ name, weight }) => {
      const { score } = pluginOf(name) ?? {}
      return score ? [{ name, weight: weight || 1, prepare: score.prepare }] : []
    }),
    keepers: acting(points.reserve).filter(({ reserve }) => reserve !== undefined),
    makers: acting(points.postFilter).filter(({ makeRoom }) => makeRoom !== undefined),
    preemption: isOn(points.postFilter, 'DefaultPreemption') ? args.DefaultPreemption : undefined,
    isGated: isOn(points.preEnqueue, 'SchedulingGates'),
    bindTimeoutMs: args.VolumeBinding.bindTimeoutSeconds * 1000,
  }
}

/** The one profile that there is without a configuration. */
export function defaultProfile(): Profile {
  return profilesOf(defaultConfiguration())[0] as Profile
}
