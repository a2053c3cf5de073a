// How pods of a namespace behave, said once for many: a ConfigMap named simulate.dinghy.dev, each entry of whose data is a
// stage, lines of "key: value" as annotations would say them (behaviour.ts), and the pods that it is for:
//
//   data:
//     crash: |
//       pods: app=web
//       exit-code: 1
//       run-for: 3s
//
// Without "pods" it is for all. Where several say the same key, the first by name counts; a pod's own annotation counts
// before all. Follows the role of Stages of kwok.
import type { Pod } from '../client/kinds/core.v1.gen.ts'
import { type LabelSelector, parseLabelSelector } from '../machinery/labels.ts'
import { SIMULATE } from './behaviour.ts'

/** The name of these ConfigMaps. */
export const STAGES = 'simulate.dinghy.dev'

interface Stage {
  readonly selector: LabelSelector
  readonly annotations: Readonly<Record<string, string>>
}

const LINE = /^\s*([a-z][a-zA-Z0-9.-]*)\s*:\s*(.*?)\s*$/

export class Stages {
  readonly #byNamespace = new Map<string, readonly Stage[]>()
  #missing: ReadonlySet<string> = new Set()

  /** Takes the place of what was said for the namespace. Returns what is wrong with entries that do not count. */
  set(namespace: string, data: Readonly<Record<string, string>>): string[] {
    const faults: string[] = []
    const stages: Stage[] = []
    for (const name of Object.keys(data).sort()) {
      const stage = stageOf(data[name] ?? '')
      if (typeof stage === 'string') faults.push(`${name}: ${stage}`)
      else stages.push(stage)
    }
    this.#byNamespace.set(namespace, stages)
    return faults
  }

  delete(namespace: string): void {
    this.#byNamespace.delete(namespace)
  }

  /** These images, and no others, cannot be pulled by anybody. Returns whether that is news. */
  lack(images: readonly string[]): boolean {
    const isNew = images.length !== this.#missing.size || images.some((image) => !this.#missing.has(image))
    this.#missing = new Set(images)
    return isNew
  }

  /** The pod as it is meant: with annotations for what is said of it. */
  of(pod: Pod): Pod {
    const { namespace = '', labels = {}, annotations } = pod.metadata
    const stages = this.#byNamespace.get(namespace)?.filter(({ selector }) => selector.matches(labels))
    const lacking = this.#missing.size > 0 ? this.#lackingIn(pod) : {}
    if (!stages?.length && Object.keys(lacking).length === 0) return pod
    const staged = stages?.map((stage) => stage.annotations).reverse() ?? []
    const said = Object.assign({}, lacking, ...staged, annotations)
    return { ...pod, metadata: { ...pod.metadata, annotations: said as Record<string, string> } }
  }

  #lackingIn({ spec: { initContainers = [], containers } }: Pod): Record<string, string> {
    const lacking = [...initContainers, ...containers].filter(({ image = '' }) => this.#missing.has(image))
    return Object.fromEntries(lacking.map(({ name }) => [`${SIMULATE}image.${name}`, 'missing']))
  }
}

/** The stage, or what is wrong with it. */
function stageOf(text: string): Stage | string {
  const pairs: [string, string][] = []
  for (const line of text.split('\n')) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue
    const [, key, value = ''] = LINE.exec(line) ?? []
    if (key === undefined) return `${JSON.stringify(line)} is no "key: value"`
    pairs.push([key, /^(["']).*\1$/.test(value) ? value.slice(1, -1) : value])
  }
  try {
    const selector = parseLabelSelector(pairs.find(([key]) => key === 'pods')?.[1] ?? '')
    const others = pairs.filter(([key]) => key !== 'pods')
    return {
      selector,
      annotations: Object.fromEntries(others.map(([key, value]) => [SIMULATE + key, value])),
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
