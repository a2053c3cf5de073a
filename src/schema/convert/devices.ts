// resource.k8s.io/v1beta1, where requests and devices nest otherwise than in v1 and v1beta2.
// Follows kubernetes/pkg/apis/resource/v1beta1/conversion.go.
import type { JsonObject } from '../../machinery/json.ts'
import { changed, changedEach, type Shape } from './shape.ts'

/** What v1 keeps below `exactly`, and v1beta1 beside the request's name. */
const EXACT_FIELDS = [
  'deviceClassName',
  'selectors',
  'allocationMode',
  'count',
  'adminAccess',
  'tolerations',
  'capacity',
]

const isSet = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== '' && value !== 0

function nestRequest(request: JsonObject): JsonObject {
  const outer: JsonObject = {}
  const exactly: JsonObject = {}
  for (const key of Object.keys(request)) (EXACT_FIELDS.includes(key) ? exactly : outer)[key] = request[key]
  return EXACT_FIELDS.some((key) => isSet(exactly[key])) ? { ...outer, exactly } : outer
}

function flattenRequest(request: JsonObject): JsonObject {
  const { exactly, ...outer } = request
  return { ...outer, ...(exactly as JsonObject | undefined) }
}

const requests = (claimSpec: JsonObject, change: (request: JsonObject) => JsonObject): JsonObject =>
  changed(claimSpec, 'devices', (devices) => changedEach(devices, 'requests', change))

export const claimV1beta1: Shape = {
  toHub: (object) => changed(object, 'spec', (spec) => requests(spec, nestRequest)),
  fromHub: (object) => changed(object, 'spec', (spec) => requests(spec, flattenRequest)),
}

export const claimTemplateV1beta1: Shape = {
  toHub: (object) =>
    changed(object, 'spec', (spec) => changed(spec, 'spec', (inner) => requests(inner, nestRequest))),
  fromHub: (object) =>
    changed(object, 'spec', (spec) => changed(spec, 'spec', (inner) => requests(inner, flattenRequest))),
}

function flattenDevice(device: JsonObject): JsonObject {
  const { basic, ...outer } = device
  return { ...outer, ...(basic as JsonObject | undefined) }
}

function nestDevice(device: JsonObject): JsonObject {
  const { name, ...basic } = device
  return { ...(name === undefined ? {} : { name }), basic }
}

export const sliceV1beta1: Shape = {
  toHub: (object) => changed(object, 'spec', (spec) => changedEach(spec, 'devices', flattenDevice)),
  fromHub: (object) => changed(object, 'spec', (spec) => changedEach(spec, 'devices', nestDevice)),
}
