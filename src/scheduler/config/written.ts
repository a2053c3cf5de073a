// A configuration as the file that says all of it: what --write-config-to writes, and --config reads back to the same.
// Follows LogOrWriteConfig of k8s.io/kubernetes/cmd/kube-scheduler/app/options/configfile.go.
import { formatDuration } from '../../machinery/duration.ts'
import type { Json, JsonObject } from '../../machinery/json.ts'
import type { PluginArgs } from './args.ts'
import {
  GROUP_VERSION,
  KIND,
  type LeaderElectionConfig,
  type ProfileConfig,
  type SchedulerConfiguration,
} from './configuration.ts'
import type { ExtenderConfig } from './extenders.ts'
import { merged, type PluginRef, type PluginSet, type PluginSets } from './points.ts'

const NANOSECONDS_PER_MS = 1_000_000

export function writtenConfiguration(configuration: SchedulerConfiguration): JsonObject {
  const { leaderElection, clientConnection, profiles, extenders, ...plain } = configuration
  const { delayCacheUntilActive, ...always } = plain
  return {
    apiVersion: GROUP_VERSION,
    kind: KIND,
    ...always,
    ...(delayCacheUntilActive ? { delayCacheUntilActive } : {}),
    clientConnection: { ...clientConnection },
    leaderElection: writtenElection(leaderElection),
    profiles: profiles.map(writtenProfile),
    ...(extenders.length === 0 ? {} : { extenders: extenders.map(writtenExtender) }),
  }
}

const duration = (ms: number): string => formatDuration(BigInt(Math.round(ms * NANOSECONDS_PER_MS)))

const writtenElection = (found: LeaderElectionConfig): JsonObject => ({
  ...found,
  resourceLock: 'leases',
  leaseDuration: duration(found.leaseDuration),
  renewDeadline: duration(found.renewDeadline),
  retryPeriod: duration(found.retryPeriod),
})

function writtenProfile({
  schedulerName,
  percentageOfNodesToScore,
  plugins,
  args,
}: ProfileConfig): JsonObject {
  return {
    schedulerName,
    ...(percentageOfNodesToScore === undefined ? {} : { percentageOfNodesToScore }),
    plugins: writtenSets(plugins),
    pluginConfig: Object.entries(writtenArgs(args))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, own]) => ({
        name,
        args: { apiVersion: GROUP_VERSION, kind: `${name}Args`, ...own },
      })),
  }
}

function writtenSets(sets: PluginSets): JsonObject {
  const ref = ({ name, weight }: PluginRef): JsonObject => ({ name, weight })
  const set = ({ enabled, disabled }: PluginSet): JsonObject => ({
    ...(enabled.length === 0 ? {} : { enabled: enabled.map(ref) }),
    ...(disabled.length === 0 ? {} : { disabled: disabled.map((name) => ref({ name, weight: 0 })) }),
  })
  const points = Object.entries(sets).map(([point, found]) => [point, set(found)])
  return { ...Object.fromEntries(points), multiPoint: set(merged(sets.multiPoint)) } as JsonObject
}

/** Empty lists, and what was not said, are left out, as upstream leaves them out. */
function writtenArgs(args: PluginArgs): Record<keyof PluginArgs, JsonObject> {
  const { NodeResourcesFit: fit, PodTopologySpread: spread, DynamicResources: devices } = args
  const { type, resources, shape } = fit.scoringStrategy
  const strategy = {
    type,
    resources,
    ...(shape.length === 0 ? {} : { requestedToCapacityRatio: { shape } }),
  }
  const written = {
    ...args,
    NodeResourcesFit: { ...fit, scoringStrategy: strategy },
    PodTopologySpread: spread,
    DynamicResources: {
      filterTimeout: duration(devices.filterTimeout),
      bindingTimeout: duration(devices.bindingTimeout),
    },
  }
  const isSaid = (value: unknown): boolean =>
    value !== undefined && !(Array.isArray(value) && value.length === 0)
  return Object.fromEntries(
    Object.entries(written).map(([name, own]) => [
      name,
      Object.fromEntries(Object.entries(own).filter(([, value]) => isSaid(value))) as JsonObject,
    ]),
  ) as Record<keyof PluginArgs, JsonObject>
}

function writtenExtender({ tls, httpTimeout, managedResources, ...plain }: ExtenderConfig): JsonObject {
  const isSaid = ([, value]: [string, Json]): boolean => value !== '' && value !== false && value !== 0
  const said = (found: Readonly<Record<string, Json>>): JsonObject =>
    Object.fromEntries(Object.entries(found).filter(isSaid))
  const secured = said({ ...tls })
  return {
    ...said(plain),
    urlPrefix: plain.urlPrefix,
    httpTimeout: duration(httpTimeout),
    ...(Object.keys(secured).length === 0 ? {} : { tlsConfig: secured }),
    ...(managedResources.length === 0
      ? {}
      : { managedResources: managedResources.map((one) => said({ ...one })) }),
  }
}
