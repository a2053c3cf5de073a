// The fields that lists and watches of each built-in kind may be selected by, and how they are read from an object.
// Follows the field label conversions in kubernetes/pkg/apis/*/*/conversion.go and the attributes in
// pkg/registry/*/*/strategy.go.
import { apiVersionOf } from '../machinery/gvk.ts'
import { isObject, type JsonObject } from '../machinery/json.ts'
import { isNumeric } from '../machinery/numbers.ts'
import type { KubeObject } from '../machinery/object.ts'
import { badRequest } from '../machinery/status.ts'

export interface SelectableFields {
  /** The labels that a request may name. */
  readonly supported: readonly string[]
  /** The fields of an object (as it is stored) that requirements are matched with; absent ones count as "". */
  read(object: KubeObject): Record<string, string>
  /** What the client is told of a label that is not supported. */
  unsupportedError(label: string): string
  /**
   * The field behind a label, for `parseFieldSelector`, which also hands in the value that is asked for.
   * Throws a 400 StatusError for a label that is not supported.
   */
  convert(label: string, value: string): string
}

type Read = (object: KubeObject, fields: Record<string, string>) => void

interface Row {
  /** Label → field of `read` that it stands for. */
  readonly labels: Readonly<Record<string, string>>
  readonly read: Read
  readonly error?: (label: string, apiVersion: string) => string
}

const NO_OBJECT: JsonObject = Object.freeze({})
const part = (object: JsonObject, key: string): JsonObject => {
  const value = object[key]
  return isObject(value) ? value : NO_OBJECT
}
const text = (object: JsonObject, key: string): string => {
  const value = object[key]
  return typeof value === 'string' ? value : ''
}
const flag = (object: JsonObject, key: string): string => String(object[key] === true)
const count = (object: JsonObject, key: string): string => {
  const value = object[key]
  return isNumeric(value) ? String(value) : '0'
}

const same = (...labels: string[]): Record<string, string> =>
  Object.fromEntries(labels.map((label) => [label, label]))

const NAME = 'metadata.name'
const NAMESPACE = 'metadata.namespace'

/** Reads "a.b" paths as texts; most kinds need no more. */
const paths =
  (...list: string[]): Read =>
  (object, fields) => {
    for (const path of list) {
      const dot = path.indexOf('.')
      fields[path] =
        dot === -1 ? text(object, path) : text(part(object, path.slice(0, dot)), path.slice(dot + 1))
    }
  }

const pod: Read = (object, fields) => {
  const spec = part(object, 'spec')
  const status = part(object, 'status')
  fields['spec.nodeName'] = text(spec, 'nodeName')
  fields['spec.restartPolicy'] = text(spec, 'restartPolicy')
  fields['spec.schedulerName'] = text(spec, 'schedulerName')
  fields['spec.serviceAccountName'] = text(spec, 'serviceAccountName')
  fields['spec.hostNetwork'] = flag(spec, 'hostNetwork')
  fields['status.phase'] = text(status, 'phase')
  const first = Array.isArray(status.podIPs) ? status.podIPs[0] : undefined
  fields['status.podIP'] = text(status, 'podIP') || (isObject(first) ? text(first, 'ip') : '')
  fields['status.nominatedNodeName'] = text(status, 'nominatedNodeName')
}

const OBJECT_FIELDS = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath']

/** Events of both groups are read, whichever of them the object is in. */
const event: Read = (object, fields) => {
  const about = isObject(object.involvedObject) ? object.involvedObject : part(object, 'regarding')
  for (const key of OBJECT_FIELDS) fields[`involvedObject.${key}`] = text(about, key)
  const source = isObject(object.source) ? object.source : part(object, 'deprecatedSource')
  const reporting = text(object, 'reportingComponent') || text(object, 'reportingController')
  fields.reason = text(object, 'reason')
  fields.reportingComponent = reporting
  fields.source = text(source, 'component') || reporting
  fields.type = text(object, 'type')
}

const regarding = (prefix: string): Record<string, string> =>
  Object.fromEntries(OBJECT_FIELDS.map((key) => [`${prefix}.${key}`, `involvedObject.${key}`]))

const counted =
  (field: string, key: string): Read =>
  (object, fields) => {
    fields[field] = count(part(object, 'status'), key)
  }

const plain = (labels: readonly string[]): Row => ({
  labels: same(...labels),
  read: paths(...labels.filter((label) => !label.startsWith('metadata.'))),
})

/** By "resource.group"; kinds that are not here have their name and namespace only. */
const ROWS: Readonly<Record<string, Row>> = {
  pods: {
    labels: {
      ...same(NAME, NAMESPACE, 'spec.nodeName', 'spec.restartPolicy', 'spec.schedulerName'),
      ...same('spec.serviceAccountName', 'spec.hostNetwork', 'status.phase', 'status.podIP'),
      ...same('status.podIPs', 'status.nominatedNodeName'),
      'spec.host': 'spec.nodeName',
    },
    read: pod,
  },
  nodes: {
    labels: same(NAME, 'spec.unschedulable'),
    read: (object, fields) => {
      fields['spec.unschedulable'] = flag(part(object, 'spec'), 'unschedulable')
    },
  },
  replicationcontrollers: {
    labels: same(NAME, NAMESPACE, 'status.replicas'),
    read: counted('status.replicas', 'replicas'),
  },
  namespaces: plain([NAME, 'status.phase']),
  secrets: plain([NAME, NAMESPACE, 'type']),
  services: plain([NAME, NAMESPACE, 'spec.clusterIP', 'spec.type']),
  events: {
    labels: {
      ...same(NAME, NAMESPACE, 'reason', 'reportingComponent', 'source', 'type'),
      ...regarding('involvedObject'),
    },
    read: event,
  },
  'events.events.k8s.io': {
    labels: {
      ...same(NAME, NAMESPACE, 'reason', 'type'),
      ...regarding('regarding'),
      reportingController: 'reportingComponent',
    },
    read: event,
  },
  'jobs.batch': {
    labels: same(NAME, NAMESPACE, 'status.successful'),
    read: counted('status.successful', 'succeeded'),
    error: (label) => `field label ${JSON.stringify(label)} not supported for Job`,
  },
  'certificatesigningrequests.certificates.k8s.io': plain([NAME, 'spec.signerName']),
  'clustertrustbundles.certificates.k8s.io': plain([NAME, 'spec.signerName']),
  'podcertificaterequests.certificates.k8s.io': plain([
    NAME,
    'spec.signerName',
    'spec.podName',
    'spec.nodeName',
  ]),
  'resourceslices.resource.k8s.io': {
    ...plain([NAME, 'spec.nodeName', 'spec.driver']),
    error: (label, apiVersion) => `field label not supported for ${apiVersion}, Kind=ResourceSlice: ${label}`,
  },
}

const METADATA: Row = {
  labels: same(NAME, NAMESPACE),
  read: () => {},
  error: (label) =>
    `${JSON.stringify(label)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
}

/**
 * The selectable fields of a built-in resource ("" is the core group). `version` is only named in one kind's error.
 */
export function selectableFields(group: string, resource: string, version = 'v1'): SelectableFields {
  const key = group === '' ? resource : `${resource}.${group}`
  const row = Object.hasOwn(ROWS, key) ? (ROWS[key] as Row) : METADATA
  const unsupportedError = (label: string): string =>
    row.error?.(label, apiVersionOf({ group, version })) ?? `field label not supported: ${label}`
  return {
    supported: Object.keys(row.labels),
    unsupportedError,
    convert(label) {
      if (!Object.hasOwn(row.labels, label)) throw badRequest(unsupportedError(label))
      return row.labels[label] as string
    },
    read(object) {
      const { name, namespace } = object.metadata
      const fields: Record<string, string> = { [NAME]: name ?? '', [NAMESPACE]: namespace ?? '' }
      row.read(object, fields)
      return fields
    },
  }
}
