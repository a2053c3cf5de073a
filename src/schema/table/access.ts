// Rows of rbac.authorization.k8s.io, certificates.k8s.io, admissionregistration.k8s.io and apiextensions.k8s.io.
// Follows kubernetes/pkg/printers/internalversion/printers.go.
import { humanDuration } from '../../machinery/duration.ts'
import type { Json, JsonObject } from '../../machinery/json.ts'
import { isNumeric } from '../../machinery/numbers.ts'
import type { KubeObject } from '../../machinery/object.ts'
import {
  age,
  NAME_AND_CREATED,
  nameOf,
  part,
  parts,
  type Printer,
  type Printers,
  size,
  text,
  texts,
} from './cells.ts'

function bindingCells(object: KubeObject, now: number): Json[] {
  const role = part(object, 'roleRef')
  const subjects = parts(object, 'subjects')
  const names = (kind: string, show: (subject: JsonObject) => string): string =>
    subjects
      .filter((subject) => subject.kind === kind)
      .map(show)
      .join(', ')
  return [
    nameOf(object),
    `${text(role, 'kind')}/${text(role, 'name')}`,
    age(object, now),
    names('User', (s) => text(s, 'name')),
    names('Group', (s) => text(s, 'name')),
    names('ServiceAccount', (s) => `${text(s, 'namespace')}/${text(s, 'name')}`),
  ]
}

export const rbac: Printers = {
  clusterrolebindings: { cells: bindingCells },
  clusterroles: NAME_AND_CREATED,
  rolebindings: { cells: bindingCells },
  roles: NAME_AND_CREATED,
}

function requestStatus(object: KubeObject): string {
  const status = part(object, 'status')
  const types = new Set(parts(status, 'conditions').map((condition) => condition.type))
  const decided = types.has('Denied') ? 'Denied' : types.has('Approved') ? 'Approved' : 'Pending'
  const failed = types.has('Failed') ? ',Failed' : ''
  return decided + failed + (text(status, 'certificate') === '' ? '' : ',Issued')
}

function requestCells(object: KubeObject, now: number): Json[] {
  const spec = part(object, 'spec')
  const seconds = spec.expirationSeconds
  return [
    nameOf(object),
    age(object, now),
    text(spec, 'signerName', '<none>'),
    text(spec, 'username'),
    isNumeric(seconds) ? humanDuration(Number(seconds) * 1000) : '<none>',
    requestStatus(object),
  ]
}

export const certificates: Printers = {
  certificatesigningrequests: { cells: requestCells },
}

const webhooks: Printer = { cells: (o, now) => [nameOf(o), size(o, 'webhooks'), age(o, now)] }

/** A policy: how many rules it has under `rules`, and the kind of its parameters. */
const policy = (rules: string): Printer => ({
  cells: (object, now) => {
    const spec = part(object, 'spec')
    const kind = part(spec, 'paramKind')
    const absent = spec.paramKind === undefined || spec.paramKind === null
    const shown = absent ? '<unset>' : `${text(kind, 'apiVersion')}/${text(kind, 'kind')}`
    return [nameOf(object), size(spec, rules), shown, age(object, now)]
  },
})

/** Go's print of a LabelSelector. */
function selectorDump(selector: JsonObject): string {
  const labels = part(selector, 'matchLabels')
  const map = Object.keys(labels).sort()
  const expressions = parts(selector, 'matchExpressions').map(
    (e) =>
      `LabelSelectorRequirement{Key:${text(e, 'key')},Operator:${text(e, 'operator')},Values:[${texts(e, 'values').join(' ')}],},`,
  )
  const pairs = map.map((key) => `${key}: ${String(labels[key])},`)
  return `&LabelSelector{MatchLabels:map[string]string{${pairs.join('')}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join('')}},}`
}

function parameterText(spec: JsonObject): string {
  const parameter = part(spec, 'paramRef')
  const name = text(parameter, 'name')
  if (name !== '') return `${text(parameter, 'namespace', '*')}/${name}`
  const selector = parameter.selector
  return selector === undefined || selector === null ? '<unset>' : selectorDump(part(parameter, 'selector'))
}

const policyBinding: Printer = {
  cells: (object, now) => {
    const spec = part(object, 'spec')
    return [nameOf(object), text(spec, 'policyName'), parameterText(spec), age(object, now)]
  },
}

export const admissionregistration: Printers = {
  mutatingadmissionpolicies: policy('mutations'),
  mutatingadmissionpolicybindings: policyBinding,
  mutatingwebhookconfigurations: webhooks,
  validatingadmissionpolicies: policy('validations'),
  validatingadmissionpolicybindings: policyBinding,
  validatingwebhookconfigurations: webhooks,
}

export const apiextensions: Printers = { customresourcedefinitions: NAME_AND_CREATED }
