// What rules can be told: upstream's arguments of its plugins, with its defaults and its checks.
// Follows k8s.io/kubernetes/pkg/scheduler/apis/config/v1/defaults.go and validation/validation_pluginargs.go.
import type { NodeAffinity, TopologySpreadConstraint } from '../../client/kinds/core.v1.gen.ts'
import { cause, type StatusCause } from '../../machinery/status.ts'
import { Fields } from './fields.ts'
import { readResources, readScoring, type ResourceWeight, type ScoringStrategy } from './scoring.ts'

export interface PluginArgs {
  readonly DefaultPreemption: {
    readonly minCandidateNodesPercentage: number
    readonly minCandidateNodesAbsolute: number
  }
  readonly InterPodAffinity: {
    readonly hardPodAffinityWeight: number
    readonly ignorePreferredTermsOfExistingPods: boolean
  }
  readonly NodeAffinity: { readonly addedAffinity: NodeAffinity | undefined }
  readonly NodeResourcesBalancedAllocation: { readonly resources: readonly ResourceWeight[] }
  readonly NodeResourcesFit: {
    readonly ignoredResources: readonly string[]
    readonly ignoredResourceGroups: readonly string[]
    readonly scoringStrategy: ScoringStrategy
  }
  readonly PodTopologySpread: {
    readonly defaultConstraints: readonly TopologySpreadConstraint[]
    readonly defaultingType: 'System' | 'List'
  }
  readonly VolumeBinding: { readonly bindTimeoutSeconds: number }
  /** In ms; 0: none. */
  readonly DynamicResources: { readonly filterTimeout: number; readonly bindingTimeout: number }
}

const DEFAULT_RESOURCES: readonly ResourceWeight[] = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
]

export const DEFAULT_ARGS: PluginArgs = {
  DefaultPreemption: { minCandidateNodesPercentage: 10, minCandidateNodesAbsolute: 100 },
  InterPodAffinity: { hardPodAffinityWeight: 1, ignorePreferredTermsOfExistingPods: false },
  NodeAffinity: { addedAffinity: undefined },
  NodeResourcesBalancedAllocation: { resources: DEFAULT_RESOURCES },
  NodeResourcesFit: {
    ignoredResources: [],
    ignoredResourceGroups: [],
    scoringStrategy: { type: 'LeastAllocated', resources: DEFAULT_RESOURCES, shape: [] },
  },
  PodTopologySpread: { defaultConstraints: [], defaultingType: 'System' },
  VolumeBinding: { bindTimeoutSeconds: 600 },
  DynamicResources: { filterTimeout: 10_000, bindingTimeout: 600_000 },
}

type Read<A> = (fields: Fields, faults: StatusCause[]) => A

const LABEL_NAME = /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/
const NO_LABEL_NAME = 'name part must consist of alphanumeric characters'
const SHORTEST_BINDING_MS = 1000

const preemption: Read<PluginArgs['DefaultPreemption']> = (fields, faults) => {
  const [percentage, absolute] = ['minCandidateNodesPercentage', 'minCandidateNodesAbsolute'] as const
  const args = { [percentage]: fields.integer(percentage, 10), [absolute]: fields.integer(absolute, 100) }
  const path = { percentage: fields.pathOf(percentage), absolute: fields.pathOf(absolute) }
  if (args[percentage] < 0 || args[percentage] > 100)
    faults.push(cause.invalid(path.percentage, args[percentage], 'not in valid range [0, 100]'))
  if (args[absolute] < 0)
    faults.push(cause.invalid(path.absolute, args[absolute], 'not in valid range [0, inf)'))
  if (args[percentage] === 0 && args[absolute] === 0) {
    faults.push(cause.invalid(path.percentage, 0, `cannot be zero at the same time as ${absolute}`))
    faults.push(cause.invalid(path.absolute, 0, `cannot be zero at the same time as ${percentage}`))
  }
  return args
}

const interPodAffinity: Read<PluginArgs['InterPodAffinity']> = (fields, faults) => {
  const weight = fields.integer('hardPodAffinityWeight', 1)
  if (weight < 0 || weight > 100)
    faults.push(cause.invalid(fields.pathOf('hardPodAffinityWeight'), weight, 'not in valid range [0, 100]'))
  const ignores = fields.boolean('ignorePreferredTermsOfExistingPods')
  return { hardPodAffinityWeight: weight, ignorePreferredTermsOfExistingPods: ignores }
}

const nodeAffinity: Read<PluginArgs['NodeAffinity']> = (fields) => ({
  // Terms that cannot be read select no node, as those of pods.
  addedAffinity: fields.any('addedAffinity') as NodeAffinity | undefined,
})

const balanced: Read<PluginArgs['NodeResourcesBalancedAllocation']> = (fields, faults) => {
  const resources = readResources(fields, faults)
  resources.forEach(({ name, weight }, i) => {
    const path = `${fields.pathOf('resources')}[${i}]`
    if (resources.findIndex((one) => one.name === name) < i)
      faults.push(cause.duplicate(`${path}.name`, name))
    if (weight !== 1) faults.push(cause.invalid(`${path}.weight`, weight, 'must be 1'))
  })
  return { resources: resources.length === 0 ? DEFAULT_RESOURCES : resources }
}

const fit: Read<PluginArgs['NodeResourcesFit']> = (fields, faults) => {
  const check = (name: string, isGroup: boolean): string[] => {
    const texts = fields.texts(name)
    texts.forEach((text, i) => {
      const path = `${fields.pathOf(name)}[${i}]`
      if (isGroup && text.includes('/'))
        faults.push(cause.invalid(path, text, "resource group name can't contain '/'"))
      if (!LABEL_NAME.test(text)) faults.push(cause.invalid(path, text, NO_LABEL_NAME))
    })
    return texts
  }
  const ignoredResources = check('ignoredResources', false)
  const ignoredResourceGroups = check('ignoredResourceGroups', true)
  const strategy = fields.has('scoringStrategy')
    ? readScoring(fields.fields('scoringStrategy'), faults, DEFAULT_RESOURCES)
    : DEFAULT_ARGS.NodeResourcesFit.scoringStrategy
  return { ignoredResources, ignoredResourceGroups, scoringStrategy: strategy }
}

const spread: Read<PluginArgs['PodTopologySpread']> = (fields, faults) => {
  const type = fields.text('defaultingType', 'System')
  const path = fields.pathOf('defaultingType')
  const constraints = fields.list('defaultConstraints', (item, at) => constraint(item, at, faults))
  if (type !== 'System' && type !== 'List') faults.push(cause.notSupported(path, type, ['System', 'List']))
  if (type === 'System' && constraints.length > 0)
    faults.push(cause.invalid(path, type, 'when .defaultConstraints are not empty'))
  constraints.forEach((one, i) => {
    const isSame = ({ topologyKey, whenUnsatisfiable }: TopologySpreadConstraint): boolean =>
      topologyKey === one.topologyKey && whenUnsatisfiable === one.whenUnsatisfiable
    if (constraints.findIndex(isSame) < i) {
      const shown = `{${one.topologyKey}, ${one.whenUnsatisfiable}}`
      faults.push(cause.duplicate(`${fields.pathOf('defaultConstraints')}[${i}]`, shown))
    }
  })
  return { defaultConstraints: constraints, defaultingType: type === 'List' ? 'List' : 'System' }
}

function constraint(item: unknown, path: string, faults: StatusCause[]): TopologySpreadConstraint {
  const fields = new Fields(item, path, faults)
  const maxSkew = fields.integer('maxSkew', 0)
  const topologyKey = fields.text('topologyKey')
  const whenUnsatisfiable = fields.text('whenUnsatisfiable')
  const options = {
    ...(fields.has('minDomains') ? { minDomains: fields.integer('minDomains', 1) } : {}),
    ...(fields.has('nodeAffinityPolicy') ? { nodeAffinityPolicy: fields.text('nodeAffinityPolicy') } : {}),
    ...(fields.has('nodeTaintsPolicy') ? { nodeTaintsPolicy: fields.text('nodeTaintsPolicy') } : {}),
    ...(fields.has('matchLabelKeys') ? { matchLabelKeys: fields.texts('matchLabelKeys') } : {}),
  }
  if (maxSkew <= 0) faults.push(cause.invalid(`${path}.maxSkew`, maxSkew, 'not in valid range (0, inf)'))
  if (topologyKey === '') faults.push(cause.required(`${path}.topologyKey`, 'can not be empty'))
  else if (!LABEL_NAME.test(topologyKey))
    faults.push(cause.invalid(`${path}.topologyKey`, topologyKey, NO_LABEL_NAME))
  const actions = ['DoNotSchedule', 'ScheduleAnyway']
  if (whenUnsatisfiable === '') faults.push(cause.required(`${path}.whenUnsatisfiable`, 'can not be empty'))
  else if (!actions.includes(whenUnsatisfiable))
    faults.push(cause.notSupported(`${path}.whenUnsatisfiable`, whenUnsatisfiable, actions))
  if (fields.any('labelSelector') !== undefined) {
    const why = 'constraint must not define a selector, as they deduced for each pod'
    faults.push(cause.forbidden(`${path}.labelSelector`, why))
  }
  fields.done()
  return { maxSkew, topologyKey, whenUnsatisfiable, ...options }
}

const volumeBinding: Read<PluginArgs['VolumeBinding']> = (fields, faults) => {
  const seconds = fields.integer('bindTimeoutSeconds', 600)
  const why = 'invalid BindTimeoutSeconds, should not be a negative value'
  if (seconds < 0) faults.push(cause.invalid(fields.pathOf('bindTimeoutSeconds'), seconds, why))
  const shape = fields.any('shape')
  if (shape !== undefined) {
    const off = 'unexpected field `shape`, remove it or turn on the feature gate StorageCapacityScoring'
    faults.push(cause.invalid(fields.pathOf('shape'), shape, off))
  }
  return { bindTimeoutSeconds: seconds }
}

const dynamicResources: Read<PluginArgs['DynamicResources']> = (fields, faults) => {
  const { filterTimeout, bindingTimeout } = DEFAULT_ARGS.DynamicResources
  const args = {
    filterTimeout: fields.duration('filterTimeout', filterTimeout),
    bindingTimeout: fields.duration('bindingTimeout', bindingTimeout),
  }
  if (args.filterTimeout < 0)
    faults.push(cause.invalid(fields.pathOf('filterTimeout'), args.filterTimeout, 'must be zero or positive'))
  if (args.bindingTimeout < SHORTEST_BINDING_MS)
    faults.push(
      cause.invalid(fields.pathOf('bindingTimeout'), args.bindingTimeout, 'must be at least 1 second'),
    )
  return args
}

const READERS: { readonly [Name in keyof PluginArgs]: Read<PluginArgs[Name]> } = {
  DefaultPreemption: preemption,
  InterPodAffinity: interPodAffinity,
  NodeAffinity: nodeAffinity,
  NodeResourcesBalancedAllocation: balanced,
  NodeResourcesFit: fit,
  PodTopologySpread: spread,
  VolumeBinding: volumeBinding,
  DynamicResources: dynamicResources,
}

const hasArgs = (name: string): name is keyof PluginArgs => Object.hasOwn(READERS, name)

/** The arguments of one plugin as the file has them; those of plugins that take none are nothing. */
export function readArgs(
  name: string,
  value: unknown,
  path: string,
  faults: StatusCause[],
): Partial<PluginArgs> {
  if (!hasArgs(name)) return {}
  const fields = new Fields(value, path, faults)
  const [kind, version] = [fields.text('kind', `${name}Args`), fields.text('apiVersion')]
  const isOurs = version === '' || version === 'kubescheduler.config.k8s.io/v1'
  if (kind !== `${name}Args` || !isOurs) {
    faults.push(cause.invalid(path, kind, 'has to match plugin args'))
    return {}
  }
  const args = READERS[name](fields, faults)
  fields.done()
  return { [name]: args }
}
