// Upstream's extension points, its plugins, and where each of them acts.
// Follows k8s.io/kubernetes/pkg/scheduler/framework/plugins/registry.go and apis/config/v1/default_plugins.go.

export const POINTS = [
  'preEnqueue',
  'queueSort',
  'preFilter',
  'filter',
  'postFilter',
  'preScore',
  'score',
  'reserve',
  'permit',
  'preBind',
  'bind',
  'postBind',
  'placementGenerate',
  'placementScore',
] as const
export type Point = (typeof POINTS)[number]

/** By the plugin's name; in the order in which they act where nothing else is said. */
export const PLUGIN_POINTS: ReadonlyMap<string, readonly Point[]> = new Map<string, readonly Point[]>([
  ['SchedulingGates', ['preEnqueue']],
  ['PrioritySort', ['queueSort']],
  ['NodeUnschedulable', ['filter']],
  ['NodeName', ['filter']],
  ['TaintToleration', ['filter', 'preScore', 'score']],
  ['NodeAffinity', ['preFilter', 'filter', 'preScore', 'score']],
  ['NodePorts', ['preFilter', 'filter']],
  ['NodeResourcesFit', ['preFilter', 'filter', 'preScore', 'score']],
  ['VolumeRestrictions', ['preFilter', 'filter']],
  ['NodeVolumeLimits', ['preFilter', 'filter']],
  ['VolumeBinding', ['preFilter', 'filter', 'preScore', 'score', 'reserve', 'preBind']],
  ['VolumeZone', ['preFilter', 'filter']],
  ['PodTopologySpread', ['preFilter', 'filter', 'preScore', 'score']],
  ['InterPodAffinity', ['preFilter', 'filter', 'preScore', 'score']],
  ['DynamicResources', ['preEnqueue', 'preFilter', 'filter', 'postFilter', 'score', 'reserve', 'preBind']],
  ['DefaultPreemption', ['preEnqueue', 'postFilter']],
  ['NodeResourcesBalancedAllocation', ['preScore', 'score']],
  ['ImageLocality', ['score']],
  ['DefaultBinder', ['bind']],
  ['NodeDeclaredFeatures', ['preFilter', 'filter']],
])

/** What upstream's default profile gives weights to. */
export const DEFAULT_WEIGHTS: ReadonlyMap<string, number> = new Map([
  ['TaintToleration', 3],
  ['NodeAffinity', 2],
  ['NodeResourcesFit', 1],
  ['PodTopologySpread', 2],
  ['InterPodAffinity', 2],
  ['DynamicResources', 2],
  ['NodeResourcesBalancedAllocation', 1],
  ['ImageLocality', 1],
])

/** Plugins of earlier releases. */
export const REMOVED: readonly string[] = ['AzureDiskLimits', 'CinderLimits', 'EBSLimits', 'GCEPDLimits']

export interface PluginRef {
  readonly name: string
  /** 0: not said. */
  readonly weight: number
}

export interface PluginSet {
  readonly enabled: readonly PluginRef[]
  /** "*" are all. */
  readonly disabled: readonly string[]
}

export type PluginSets = Readonly<Record<Point | 'multiPoint', PluginSet>>

export const NO_SET: PluginSet = { enabled: [], disabled: [] }

const DEFAULT_SET: PluginSet = {
  enabled: [...PLUGIN_POINTS.keys()].map((name) => ({ name, weight: DEFAULT_WEIGHTS.get(name) ?? 0 })),
  disabled: [],
}

/** The default profile with what a configuration says on top: what is named again keeps its place. */
export function merged(custom: PluginSet): PluginSet {
  const all = custom.disabled.includes('*')
  const kept = all ? [] : DEFAULT_SET.enabled.filter(({ name }) => !custom.disabled.includes(name))
  // Of several of one name the last stands in the default's place; the others are found to be there twice.
  const own = new Map(custom.enabled.map((one) => [one.name, one]))
  const replaced = new Set(kept.flatMap(({ name }) => own.get(name) ?? []))
  return {
    enabled: [
      ...kept.map((one) => own.get(one.name) ?? one),
      ...custom.enabled.filter((one) => !replaced.has(one)),
    ],
    disabled: custom.disabled,
  }
}

/** Which plugins act at each point, in order; or why that cannot be. */
export type Expanded = Readonly<Record<Point, readonly PluginRef[]>>

/** Throws Error, in upstream's words, for plugins that are not there, stand twice, or cannot act where they are named. */
export function expand(sets: PluginSets): Expanded {
  const { enabled } = merged(sets.multiPoint)
  const points = Object.fromEntries(
    POINTS.map((point) => [point, atPoint(point, sets[point], enabled)]),
  ) as unknown as Record<Point, readonly PluginRef[]>
  if (points.queueSort.length !== 1) {
    const found = points.queueSort.map(({ name }) => name).join(' ')
    throw new Error(
      points.queueSort.length === 0
        ? 'at least one queue sort plugin is needed'
        : `only one queue sort plugin required, but got ${points.queueSort.length}: ${found}`,
    )
  }
  if (points.bind.length === 0) throw new Error('at least one bind plugin is needed')
  return points
}

const kindOf = (point: Point): string => `${point[0]?.toUpperCase() ?? ''}${point.slice(1)}Plugin`

function atPoint(point: Point, set: PluginSet, multiPoint: readonly PluginRef[]): PluginRef[] {
  const own = new Set<string>()
  for (const { name } of set.enabled) {
    const acts = PLUGIN_POINTS.get(name)
    if (!acts) throw new Error(`${kindOf(point)} ${JSON.stringify(name)} does not exist`)
    if (!acts.includes(point))
      throw new Error(`plugin ${JSON.stringify(name)} does not extend ${point} plugin`)
    if (own.has(name)) throw twice(name, point)
    own.add(name)
  }
  // What is switched off altogether is not filled up from the whole.
  if (set.disabled.includes('*')) return [...set.enabled]
  const filled = new Set<string>()
  const overridden = new Set<string>()
  const fromAll: PluginRef[] = []
  for (const one of multiPoint) {
    const acts = PLUGIN_POINTS.get(one.name)
    if (!acts) throw new Error(`${kindOf(point)} ${JSON.stringify(one.name)} does not exist`)
    if (!acts.includes(point) || set.disabled.includes(one.name)) continue
    if (own.has(one.name)) {
      overridden.add(one.name)
      continue
    }
    if (filled.has(one.name)) throw twice(one.name, point)
    filled.add(one.name)
    fromAll.push(one)
  }
  return [
    ...set.enabled.filter(({ name }) => overridden.has(name)),
    ...fromAll,
    ...set.enabled.filter(({ name }) => !overridden.has(name)),
  ]
}

const twice = (name: string, point: Point): Error =>
  new Error(`plugin ${JSON.stringify(name)} already registered as ${JSON.stringify(kindOf(point))}`)
