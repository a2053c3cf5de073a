// PodNodeSelector: the pods of a namespace run on the nodes that its annotation selects, or the configuration.
// Follows plugin/pkg/admission/podnodeselector.
import { isObject, type JsonObject } from '../../machinery/json.ts'
import type { Lister } from '../../machinery/lister.ts'
import { forbidden, invalid, notFound, plainError } from '../../machinery/status.ts'
import { cause } from '../../machinery/status.ts'
import { labelValueErrors, qualifiedNameErrors } from '../../machinery/validation.ts'
import { type AdmissionAttributes, type AdmissionPlugin, type AdmissionTarget, isFor } from '../plugin.ts'
import { type Pod, PODS } from '../shapes.ts'

const NAMESPACES = { group: '', resource: 'namespaces' }
const ANNOTATION = 'scheduler.alpha.kubernetes.io/node-selector'
const CLUSTER_DEFAULT = 'clusterDefaultNodeSelector'

type Labels = Readonly<Record<string, string>>

export class PodNodeSelector implements AdmissionPlugin {
  readonly name = 'PodNodeSelector'
  readonly reads = [NAMESPACES]
  readonly #selectors: ReadonlyMap<string, string>

  /** `configuration` has texts of selectors by namespace, and one for those that say nothing. */
  constructor(configuration: JsonObject = {}) {
    const given = configuration['podNodeSelectorPluginConfig']
    const entries = isObject(given) ? Object.entries(given) : []
    this.#selectors = new Map(entries.map(([name, text]) => [name, String(text ?? '')]))
  }

  handles(target: AdmissionTarget): boolean {
    return target.operation === 'CREATE' && isFor(target, PODS)
  }

  admit(attributes: AdmissionAttributes, lister: Lister): void {
    const pod = attributes.object as Pod
    const merged = { ...this.#compatible(attributes, lister), ...pod.spec.nodeSelector }
    if (Object.keys(merged).length > 0) pod.spec.nodeSelector = merged
    this.validate(attributes, lister)
  }

  validate(attributes: AdmissionAttributes, lister: Lister): void {
    this.#compatible(attributes, lister)
    const { spec, metadata } = attributes.object as Pod
    const allowed = parse(this.#selectors.get(attributes.namespace))
    if (Object.keys(allowed).length === 0) return
    const own = Object.entries(spec.nodeSelector ?? {})
    if (own.every(([key, value]) => Object.hasOwn(allowed, key) && allowed[key] === value)) return
    const why = 'pod node label selector labels conflict with its namespace whitelist'
    throw forbidden(PODS, metadata.name ?? '', why)
  }

  /** The namespace's selector. Throws where the pod's contradicts it. */
  #compatible({ namespace, object }: AdmissionAttributes, lister: Lister): Labels {
    const found = lister.get(NAMESPACES, '', namespace)
    if (!found) throw notFound(NAMESPACES, namespace)
    const selector = parse(found.metadata.annotations?.[ANNOTATION] ?? this.#selectors.get(CLUSTER_DEFAULT))
    const { spec, metadata } = object as Pod
    const own: Labels = spec.nodeSelector ?? {}
    if (Object.keys(own).every((key) => !Object.hasOwn(selector, key) || own[key] === selector[key])) {
      return selector
    }
    const why = 'pod node label selector conflicts with its namespace node label selector'
    throw forbidden(PODS, metadata.name ?? '', why)
  }
}

/** "a=b,c=d"; throws in upstream's words for another text. */
function parse(text = ''): Labels {
  const labels: Record<string, string> = {}
  for (const part of text === '' ? [] : text.split(',')) {
    const sides = part.split('=')
    if (sides.length !== 2) throw plainError(`invalid selector: [${sides.join(' ')}]`)
    const [key = '', value = ''] = sides.map((side) => side.trim())
    const [keyFault] = qualifiedNameErrors(key)
    const [valueFault] = labelValueErrors(value)
    if (keyFault !== undefined) throw faulty('<nil>', key, [...qualifiedNameErrors(key)].join('; '))
    if (valueFault !== undefined) throw faulty(`[${key}]`, value, [...labelValueErrors(value)].join('; '))
    labels[key] = value
  }
  return labels
}

function faulty(field: string, value: string, why: string): Error {
  return plainError(
    invalid({ group: '', kind: '' }, '', [cause.invalid(field, value, why)]).message.replace(
      /^.* is invalid: /,
      '',
    ),
  )
}
