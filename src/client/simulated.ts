// How everybody tells simulated nodes from real ones, and what their machines are doing.
import type { Node } from './kinds/core.v1.gen.ts'

export const SIMULATED_LABEL = 'node.dinghy.dev/simulated'
/** On a simulated Node: "off", its machine is switched off; "deleted", there is no such machine. */
export const MACHINE_ANNOTATION = 'simulate.dinghy.dev/machine'

export const isSimulated = ({ metadata }: Node): boolean => metadata.labels?.[SIMULATED_LABEL] === 'true'

export function machineOf(node: Node): 'on' | 'off' | 'deleted' {
  const said = isSimulated(node) ? node.metadata.annotations?.[MACHINE_ANNOTATION] : undefined
  return said === 'off' || said === 'deleted' ? said : 'on'
}
