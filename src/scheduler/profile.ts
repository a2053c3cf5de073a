// The rules of the default profile, in their order, with their weights.
// Follows k8s.io/kubernetes/pkg/scheduler/apis/config/v1/default_plugins.go.
import type { Plugin } from './plugin.ts'
import { imageLocality } from './plugins/imagelocality.ts'
import { interPodAffinity } from './plugins/interpodaffinity.ts'
import { nodeAffinity } from './plugins/nodeaffinity.ts'
import { nodeName } from './plugins/nodename.ts'
import { nodePorts } from './plugins/nodeports.ts'
import { balancedAllocation, nodeResourcesFit } from './plugins/noderesources.ts'
import { nodeUnschedulable } from './plugins/nodeunschedulable.ts'
import { podTopologySpread } from './plugins/podtopologyspread.ts'
import { taintToleration } from './plugins/tainttoleration.ts'
import { nodeVolumeLimits, volumeBinding, volumeRestrictions, volumeZone } from './plugins/volumes.ts'

export const DEFAULT_PLUGINS: readonly Plugin[] = [
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity,
  nodePorts,
  nodeResourcesFit,
  volumeRestrictions,
  nodeVolumeLimits,
  volumeBinding,
  volumeZone,
  podTopologySpread,
  interPodAffinity,
  balancedAllocation,
  imageLocality,
]
