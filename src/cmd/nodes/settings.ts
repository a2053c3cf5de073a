// What is said of simulated nodes and their pods while they run, by ConfigMaps of one name: in kube-system how many nodes
// there are (written by `dinghy scale nodes`) and which images no registry has, in any namespace how its pods behave
// (src/kubelet/stages.ts).
import type { Api } from '../../client/api.ts'
import { SYSTEM_CLOCK } from '../../client/clock.ts'
import type { ConfigMap } from '../../client/kinds/core.v1.gen.ts'
import { reflect } from '../../client/reflector.ts'
import { CONFIG_MAPS } from '../../client/resources.ts'
import { STAGES } from '../../kubelet/stages.ts'
import type { Log } from '../log.ts'
import { MAX_NODES } from './range.ts'

/** Where the number of nodes stands, in `data.nodes`, and the images that cannot be pulled, in `data.missing-images`. */
export const NODES_PLACE = { namespace: 'kube-system', name: STAGES }

export interface SettingsListener {
  /** How the pods of the namespace behave; undefined: as they say themselves. */
  stage(namespace: string, data: Readonly<Record<string, string>> | undefined): void
  /** No node can pull these images from now on. */
  lack(images: readonly string[]): void
  /** The number of nodes is another than it was. */
  scale(nodes: number): void
}

export interface Settings {
  /** Resolves when what is said is known. */
  readonly known: Promise<void>
  /** How many nodes there are to be; undefined: nobody says. */
  count(): number | undefined
  /** Tells of all stages now, and of every change from now on. */
  tell(listener: SettingsListener): void
}

/** Reads until the signal aborts. */
export function watchSettings(api: Api, log: Log, signal: AbortSignal): Settings {
  const data = new Map<string, Readonly<Record<string, string>>>()
  let listener: SettingsListener | undefined
  let isKnown: () => void = () => undefined
  const known = new Promise<void>((resolve) => (isKnown = resolve))
  const set = ({ metadata: { namespace = '' }, data: said = {} }: ConfigMap): void => {
    const before = countOf(data.get(NODES_PLACE.namespace))
    data.set(namespace, said)
    listener?.stage(namespace, stagesOf(namespace, said))
    if (namespace === NODES_PLACE.namespace) listener?.lack(missingIn(said))
    const now = countOf(data.get(NODES_PLACE.namespace))
    if (now !== undefined && now !== before) listener?.scale(now)
  }
  const remove = (namespace: string): void => {
    data.delete(namespace)
    listener?.stage(namespace, undefined)
    if (namespace === NODES_PLACE.namespace) listener?.lack([])
  }
  const copy = {
    set,
    remove: ({ metadata: { namespace = '' } }: ConfigMap) => remove(namespace),
    replace: (objects: ReadonlyMap<string, ConfigMap>) => {
      const there = new Set([...objects.values()].map(({ metadata }) => metadata.namespace ?? ''))
      for (const namespace of [...data.keys()]) if (!there.has(namespace)) remove(namespace)
      for (const object of objects.values()) set(object)
      isKnown()
    },
  }
  const failed = (error: unknown): void =>
    log.warn({ error: String(error) }, 'a watch of the settings of nodes failed; it will be tried again')
  const selection = { resource: CONFIG_MAPS, fieldSelector: `metadata.name=${STAGES}` }
  void reflect({ api, ...selection, clock: SYSTEM_CLOCK, failed }, copy, signal)
  return {
    known,
    count: () => countOf(data.get(NODES_PLACE.namespace)),
    tell(told) {
      listener = told
      for (const [namespace, said] of data) told.stage(namespace, stagesOf(namespace, said))
      told.lack(missingIn(data.get(NODES_PLACE.namespace)))
    },
  }
}

function countOf(data: Readonly<Record<string, string>> | undefined): number | undefined {
  const text = data?.['nodes'] ?? ''
  return /^\d{1,9}$/.test(text) && Number(text) <= MAX_NODES ? Number(text) : undefined
}

const missingIn = (data: Readonly<Record<string, string>> | undefined): string[] =>
  (data?.['missing-images'] ?? '').split(/\s+/).filter((image) => image !== '')

/** In kube-system, what is for the whole cluster stands beside the stages. */
function stagesOf(
  namespace: string,
  data: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (namespace !== NODES_PLACE.namespace) return data
  return Object.fromEntries(
    Object.entries(data).filter(([key]) => key !== 'nodes' && key !== 'missing-images'),
  )
}
