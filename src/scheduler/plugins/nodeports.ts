// Ports of the host that are taken. Follows k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodeports.
import type { Plugin, Rejection } from '../plugin.ts'
import type { HostPort } from '../podinfo.ts'

const REJECTED: Rejection = {
  plugin: 'NodePorts',
  reasons: ["node(s) didn't have free ports for the requested pod ports"],
  isFinal: false,
}
const EVERY_ADDRESS = '0.0.0.0'

export const nodePorts: Plugin = {
  name: 'NodePorts',
  filter: ({ ports }) => {
    if (ports.length === 0) return undefined
    return {
      key: `ports ${JSON.stringify(ports)}`,
      filter: (node) =>
        node.ports.length > 0 && ports.some((port) => node.ports.some((taken) => collide(port, taken)))
          ? REJECTED
          : undefined,
    }
  },
  mayHelp: (event, { ports }) =>
    event.kind === 'node'
      ? event.before === undefined
      : event.kind === 'pod-gone' &&
        event.pod.ports.some((freed) => ports.some((port) => collide(port, freed))),
}

const collide = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port &&
  a.protocol === b.protocol &&
  (a.ip === b.ip || a.ip === EVERY_ADDRESS || b.ip === EVERY_ADDRESS)
