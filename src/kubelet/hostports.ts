// The ports of a node that its pods hold. A pod that asks for one that is taken is not taken in.
// Follows the NodePorts predicate of k8s.io/kubernetes/pkg/kubelet/lifecycle.
import type { Pod } from '../client/kinds/core.v1.gen.ts'

/** All addresses of the node. */
const ANY = '0.0.0.0'

interface HostPort {
  readonly ip: string
  /** `TCP 80` */
  readonly port: string
}

export class HostPorts {
  readonly #held = new Map<string, readonly HostPort[]>()

  /** Whether the pod's ports were free; then they are its own. Most pods ask for none. */
  take(pod: Pod): boolean {
    const wanted = portsOf(pod)
    if (wanted.length === 0) return true
    for (const held of this.#held.values())
      if (wanted.some((one) => held.some((other) => collide(one, other)))) return false
    this.#held.set(pod.metadata.uid ?? '', wanted)
    return true
  }

  giveBack(uid: string): void {
    this.#held.delete(uid)
  }
}

function portsOf({ spec }: Pod): HostPort[] {
  const found: HostPort[] = []
  for (const { ports } of spec.containers)
    for (const { hostPort = 0, hostIP, protocol = 'TCP' } of ports ?? [])
      if (hostPort > 0) found.push({ ip: hostIP || ANY, port: `${protocol} ${hostPort}` })
  return found
}

const collide = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && (a.ip === b.ip || a.ip === ANY || b.ip === ANY)
