// The labels of its own node that a kubelet must leave alone: they say which pods may come.
// Follows plugin/pkg/admission/noderestriction (getForbiddenLabels) and k8s.io/kubelet/pkg/apis.

type Labels = Readonly<Record<string, string>>

const NODE_RESTRICTION = 'node-restriction.kubernetes.io'
const KUBELET_LABELS: ReadonlySet<string> = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
])
const KUBELET_DOMAINS = ['kubelet.kubernetes.io', 'node.kubernetes.io']
const OUR_DOMAINS = ['kubernetes.io', 'k8s.io']

/** The keys that differ and that a kubelet may not set, in order. */
export function forbiddenLabels(now: Labels = {}, before: Labels = {}): string[] {
  const keys = new Set([...Object.keys(now), ...Object.keys(before)])
  return [...keys].filter((key) => valueOf(now, key) !== valueOf(before, key) && isForbidden(key)).sort()
}

const valueOf = (labels: Labels, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined

function isForbidden(key: string): boolean {
  const slash = key.indexOf('/')
  const domain = slash < 0 ? '' : key.slice(0, slash)
  const isIn = (parent: string): boolean => domain === parent || domain.endsWith(`.${parent}`)
  if (isIn(NODE_RESTRICTION)) return true
  return OUR_DOMAINS.some(isIn) && !KUBELET_LABELS.has(key) && !KUBELET_DOMAINS.some(isIn)
}
