// Which objects a list, a watch or a collection delete is about: namespace, name, label and field selectors.
import { EVERYTHING, type LabelSelector, parseLabelSelector } from '../machinery/labels.ts'
import { EVERY_FIELD, fieldExactMatch, type FieldSelector, parseFieldSelector } from '../machinery/fields.ts'
import { badRequest } from '../machinery/status.ts'
import type { RequestInfo } from '../machinery/attributes.ts'
import type { Entry } from '../storage/cache/entry.ts'
import type { ListOptions } from './options.ts'
import type { Scope } from './scope.ts'

export interface Selection {
  /** undefined: every namespace. */
  readonly namespace: string | undefined
  /** undefined: every name. */
  readonly name: string | undefined
  /** Neither labels nor fields restrict it. */
  readonly everything: boolean
  /** Equal keys select the same. */
  readonly key: string
  matches(entry: Entry): boolean
}

/** Reads the selectors; throws 400 for what cannot be read or is no selectable field. */
export function selectionOf(scope: Scope, info: RequestInfo, options: ListOptions): Selection {
  const labels = options.labelSelector ? parseLabelSelector(options.labelSelector) : EVERYTHING
  const fields = options.fieldSelector ? fieldsOf(scope, options.fieldSelector) : EVERY_FIELD
  const namespace = info.namespace || undefined
  const selected = fieldExactMatch(fields, 'metadata.name')
  if (info.name !== '' && !fields.empty && selected !== info.name)
    throw badRequest("fieldSelector metadata.name doesn't match requested name")
  const name = info.name || selected
  return {
    namespace,
    name,
    everything: labels.empty && fields.empty && !name,
    key: `${info.namespace} ${info.name} ${options.labelSelector} ${options.fieldSelector}`,
    matches: matcher(scope, { namespace, name, labels, fields }),
  }
}

function fieldsOf(scope: Scope, text: string): FieldSelector {
  return parseFieldSelector(text, (field, value) => scope.selectable.convert(field, value))
}

interface Parts {
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly labels: LabelSelector
  readonly fields: FieldSelector
}

function matcher(scope: Scope, { namespace, name, labels, fields }: Parts): (entry: Entry) => boolean {
  return (entry) => {
    if (namespace !== undefined && entry.namespace !== namespace) return false
    if (name !== undefined && entry.name !== name) return false
    if (!labels.empty && !labels.matches(entry.labels())) return false
    return fields.empty || fields.matches(scope.selectable.read(entry.object()))
  }
}
