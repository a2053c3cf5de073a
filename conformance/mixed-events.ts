// What controllers and schedulers of mixed.ts have told of while they worked: events without times, counts and drawn names,
// each once. How often one is told, and in how many steps a thing is done, is a matter of chance.
import type { Kubectl } from './mixed-kubectl.ts'

interface ListedEvent {
  readonly type: string
  readonly reason: string
  readonly message?: string
  readonly involvedObject: { readonly kind: string; readonly name: string }
  readonly source?: { readonly component?: string }
  readonly reportingComponent?: string
}

/** Letters of names that are drawn, as upstream has them. */
const DRAWN = '[bcdfghjklmnpqrstvwxz2456789]'
/** Nodes are the same program in all clusters; what they tell is compared as their pods' states are. */
const NODES = 'kubelet'
/** Objects that were written by two at the same time: told or not by who was first. */
const CHANCE = /^(FailedToUpdateEndpoint|FailedToUpdateEndpointSlices|FailedToCreateEndpoint)$/

/** Of pods that a set makes: which ones are on a machine that is switched off is chance. */
const ANYWHERE = /^(NodeNotReady|TaintManagerEviction)$/
/** Many alike are told as one; which of them is told last is chance. */
const COMBINED = '(combined from similar events)'

/** Told by a scheduler that has heard of the pod before its claim, or of a machine before its pod has gone from it. */
const EARLY = /persistentvolumeclaim "[^"]+" not found|3 node\(s\) didn't match pod anti-affinity rules/

/** One line an event, sorted: "component Kind name Type Reason: message". */
export async function toldEvents(kubectl: Kubectl): Promise<string[]> {
  const list = JSON.parse(await kubectl.run('get events --all-namespaces -o json')) as {
    items: ListedEvent[]
  }
  const lines = list.items
    .filter((event) => componentOf(event) !== NODES && !CHANCE.test(event.reason))
    .filter(({ message = '' }) => !message.startsWith(COMBINED) && !EARLY.test(message))
    .map((event) => {
      const { type, reason, message = '', involvedObject } = event
      const { kind, name } = involvedObject
      if (kind === 'Pod' && ANYWHERE.test(reason)) {
        const told = message.replace(/ Pod \S+$/, ' Pod *')
        return `${componentOf(event)} Pod * ${type} ${reason}: ${told}`
      }
      return `${componentOf(event)} ${kind} ${nameless(name)} ${type} ${reason}: ${nameless(message)}`
    })
  return [...new Set(lines)].sort()
}

const componentOf = ({ source, reportingComponent }: ListedEvent): string =>
  source?.component || reportingComponent || ''

const nameless = (text: string): string =>
  text
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UID')
    .replace(new RegExp(`-${DRAWN}{8,10}(?![a-z0-9])`, 'g'), '-HASH')
    .replace(new RegExp(`-${DRAWN}{5}(?![a-z0-9])`, 'g'), '-*')
    .replace(/\bnode-\d\b/g, 'node')
    .replace(/\bfrom \d+ to \d+\b/g, 'from N to N')

/** "-" only the first has told, "+" only the second. */
export function compareEvents(first: readonly string[], second: readonly string[]): string[] {
  const [a, b] = [new Set(first), new Set(second)]
  return [
    ...first.filter((line) => !b.has(line)).map((line) => `- ${line}`),
    ...second.filter((line) => !a.has(line)).map((line) => `+ ${line}`),
  ]
}
