// PodTolerationRestriction: a namespace gives its pods tolerations, and bounds those that they have.
// Follows plugin/pkg/admission/podtolerationrestriction.
import { isObject, type JsonObject } from '../../machinery/json.ts'
import type { Lister } from '../../machinery/lister.ts'
import { isBestEffort } from '../../machinery/quotausage.ts'
import { notFound, plainError } from '../../machinery/status.ts'
import { type AdmissionAttributes, type AdmissionPlugin, type AdmissionTarget, isFor } from '../plugin.ts'
import { type Pod, PODS, type Toleration } from '../shapes.ts'
import { covers, mergeTolerations } from '../tolerations.ts'

const NAMESPACES = { group: '', resource: 'namespaces' }
const DEFAULTS = 'scheduler.alpha.kubernetes.io/defaultTolerations'
const WHITELIST = 'scheduler.alpha.kubernetes.io/tolerationsWhitelist'
const MEMORY_PRESSURE: Toleration = {
  key: 'node.kubernetes.io/memory-pressure',
  operator: 'Exists',
  effect: 'NoSchedule',
}

export class PodTolerationRestriction implements AdmissionPlugin {
  readonly name = 'PodTolerationRestriction'
  readonly reads = [NAMESPACES]
  readonly #default: readonly Toleration[]
  readonly #whitelist: readonly Toleration[]

  /** `configuration` holds for namespaces that say nothing. */
  constructor(configuration: JsonObject = {}) {
    this.#default = tolerationsIn(configuration['default'])
    this.#whitelist = tolerationsIn(configuration['whitelist'])
  }

  handles(target: AdmissionTarget): boolean {
    return (target.operation === 'CREATE' || target.operation === 'UPDATE') && isFor(target, PODS)
  }

  admit(attributes: AdmissionAttributes, lister: Lister): void {
    const { spec } = attributes.object as Pod
    const created = attributes.operation === 'CREATE'
    const extra = created ? [...(annotated(attributes, lister, DEFAULTS) ?? this.#default)] : []
    if (!isBestEffort(spec)) extra.push(MEMORY_PRESSURE)
    if (extra.length > 0) spec.tolerations = mergeTolerations([...(spec.tolerations ?? []), ...extra])
    this.validate(attributes, lister)
  }

  validate(attributes: AdmissionAttributes, lister: Lister): void {
    const { tolerations = [] } = (attributes.object as Pod).spec
    if (tolerations.length === 0) return
    const own = annotated(attributes, lister, WHITELIST)
    const whitelist = own ?? this.#whitelist
    if (whitelist.length === 0) return
    if (tolerations.every((one) => whitelist.some((wide) => covers(wide, one)))) return
    const whose = own ? 'namespace' : 'cluster'
    const which = 'pod tolerations (possibly merged with namespace default tolerations)'
    throw plainError(`${which} conflict with its ${whose} whitelist`)
  }
}

const tolerationsIn = (value: unknown): Toleration[] =>
  Array.isArray(value) ? (value.filter(isObject) as Toleration[]) : []

/** Of the namespace's annotation; undefined where it has none. */
function annotated(
  { namespace }: AdmissionAttributes,
  lister: Lister,
  key: string,
): Toleration[] | undefined {
  const found = lister.get(NAMESPACES, '', namespace)
  if (!found) throw notFound(NAMESPACES, namespace)
  const text = found.metadata.annotations?.[key]
  if (text === undefined) return undefined
  if (text === '') return []
  try {
    return tolerationsIn(JSON.parse(text))
  } catch (error) {
    // DEVIATION: upstream tells what Go's parser says of it.
    throw plainError(`the annotation ${key} of namespace ${namespace} is no JSON`, error)
  }
}
