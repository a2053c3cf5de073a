// Fields of pods whose features are off by default in 1.36: they are dropped, in pods and in templates, unless the
// stored object has them.
// Follows pkg/api/pod/util.go (DropDisabledPodFields, DropDisabledTemplateFields).
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { objectAt, objectsAt, present } from './reading.ts'
import type { WriteContext } from './strategy.ts'

/** What a projected volume may not hold: the features ClusterTrustBundleProjection and PodCertificateRequest. */
const PROJECTIONS = ['clusterTrustBundle', 'podCertificate'] as const

const projections = (spec: JsonObject): JsonObject[] =>
  objectsAt(spec['volumes']).flatMap((volume) => objectsAt(objectAt(volume['projected'])['sources']))

/** Drops from a pod's spec what no feature allows; `old` is the stored spec, where there is one. */
export function dropPodFeatures(spec: JsonObject, old?: JsonObject): void {
  if (spec['volumes'] !== undefined) dropProjections(spec, old)
  dropStopSignals(spec, old)
  if (spec['schedulingGroup'] !== undefined && !present(old?.['schedulingGroup']))
    delete spec['schedulingGroup']
}

function dropProjections(spec: JsonObject, old: JsonObject | undefined): void {
  const sources = projections(spec)
  if (!sources.length) return
  const before = old ? projections(old) : []
  for (const name of PROJECTIONS) {
    if (before.some((source) => present(source[name]))) continue
    for (const source of sources) delete source[name]
  }
}

const CONTAINERS = ['initContainers', 'containers', 'ephemeralContainers'] as const

const namesSignal = ({ lifecycle }: JsonObject): boolean =>
  lifecycle !== undefined && present(objectAt(lifecycle)['stopSignal'])

const someSignal = (spec: JsonObject): boolean =>
  CONTAINERS.some((list) => spec[list] !== undefined && objectsAt(spec[list]).some(namesSignal))

/** The feature ContainerStopSignals; a lifecycle that held nothing else goes, too. */
function dropStopSignals(spec: JsonObject, old: JsonObject | undefined): void {
  if (!someSignal(spec) || (old && someSignal(old))) return
  for (const container of CONTAINERS.flatMap((list) => objectsAt(spec[list])).filter(namesSignal)) {
    const lifecycle = objectAt(container['lifecycle'])
    delete lifecycle['stopSignal']
    if (Object.keys(lifecycle).length === 0) delete container['lifecycle']
  }
}

const specIn = (object: KubeObject | undefined, path: readonly string[]): JsonObject =>
  objectAt(path.reduce<JsonObject>((at, step) => objectAt(at[step]), object ?? {})['spec'])

/** The same for the template at `path`, as the preparation of a kind that has one. */
export function dropTemplateFeatures(path: readonly string[]) {
  return {
    prepareForCreate: (object: KubeObject): void => dropPodFeatures(specIn(object, path)),
    prepareForUpdate(object: KubeObject, old: KubeObject, context: WriteContext): void {
      if (context.subresource === '') dropPodFeatures(specIn(object, path), specIn(old, path))
    },
  }
}
