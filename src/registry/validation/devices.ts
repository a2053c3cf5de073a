// The rules of resource.k8s.io: claims and their templates, classes of devices, and slices of them. What is asked for
// does not change.
// Follows pkg/apis/resource/validation and pkg/registry/resource.
import type { Json } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { cause, type StatusCause } from '../../machinery/status.ts'
import { semanticEqual } from '../equality.ts'
import { objectAt, objectsAt } from '../reading.ts'
import type { WriteContext } from '../strategy.ts'
import { claimSpec, claimStatus } from './deviceclaims.ts'
import { deviceConfiguration, listOf, selectors } from './devicenames.ts'
import { sliceRules } from './deviceslices.ts'
import { isExtended } from './resources.ts'
import { onCreate, onUpdate, type CreateRules, type UpdateRules } from './rules.ts'
import type { Spot } from './spot.ts'
import { templateMetadata } from './templates.ts'

const MAX_CONFIGS = 32
export const NAMESPACES = { group: '', resource: 'namespaces' }
/** The label of namespaces whose claims may use devices that others have. */
const ADMIN_LABEL = 'resource.kubernetes.io/admin-access'
const NO_ADMIN = `admin access to devices requires the \`${ADMIN_LABEL}: true\` label on the containing namespace`

// ---- access to devices that are in use

function isAdminNamespace({ lister, namespace }: WriteContext): boolean {
  const labels = lister.get(NAMESPACES, '', namespace)?.metadata.labels ?? {}
  return Object.hasOwn(labels, ADMIN_LABEL) && labels[ADMIN_LABEL] === 'true'
}

/** The cause, where one of the items wants admin access and the namespace gives none. */
function adminCauses(asks: readonly Json[], path: string, context: WriteContext): StatusCause[] {
  const first = asks.findIndex((item) => objectAt(item)['adminAccess'] === true)
  if (first < 0 || isAdminNamespace(context)) return []
  return [cause.forbidden(`${path}[${first}].adminAccess`, NO_ADMIN)]
}

// Upstream names the field of a template as if it were a claim's.
const requestsPath = 'spec.devices.requests'
const resultsPath = 'status.allocation.devices.results'

const exactRequests = (spec: Json | undefined): Json[] =>
  objectsAt(objectAt(objectAt(spec)['devices'])['requests']).map(({ exactly }) => objectAt(exactly))

const results = (claim: KubeObject): readonly Json[] => {
  const { devices } = objectAt(objectAt(claim['status'])['allocation'])
  return objectsAt(objectAt(devices)['results'])
}

// ---- the kinds

export const claimAdminCauses: CreateRules = (claim, context) =>
  adminCauses(exactRequests(claim['spec']), requestsPath, context)
export const validateResourceClaim = onCreate((claim) => claimSpec(claim.at('spec')))

const changedClaim = onUpdate(
  (claim, old) => void claim.at('spec').unchangedStruct('resource.ResourceClaimSpec', old['spec']),
  claimStatus,
)
export const validateResourceClaimUpdate: UpdateRules = (claim, old, context) => {
  const isGranted = results(old).some((result) => objectAt(result)['adminAccess'] === true)
  const isStatus = context.subresource === 'status' && !isGranted
  const causes = isStatus ? adminCauses(results(claim), resultsPath, context) : []
  return [...causes, ...changedClaim(claim, old, context)]
}

function claimTemplate(template: Spot): void {
  const spec = template.at('spec')
  templateMetadata(spec.at('metadata'))
  claimSpec(spec.at('spec'))
}
export const templateAdminCauses: CreateRules = (template, context) =>
  adminCauses(exactRequests(objectAt(template['spec'])['spec']), requestsPath, context)
export const validateClaimTemplate = onCreate(claimTemplate)
// Access that was given before stays.
export const validateClaimTemplateUpdate = onUpdate((template, old) => {
  template.at('spec').unchangedStruct('resource.ResourceClaimTemplateSpec', old['spec'])
})

/** What was there before its limits were stays. */
function deviceClass(object: Spot, old?: KubeObject): void {
  const spec = object.at('spec')
  const [config, name] = [spec.at('config'), spec.at('extendedResourceName')]
  selectors(spec.at('selectors'))
  const isStored = old !== undefined && semanticEqual(config.value, objectAt(old['spec'])['config'])
  listOf(config, MAX_CONFIGS, (item) => deviceConfiguration(item, isStored))
  if (name.isSet && !isExtended(name.text)) name.invalid('must be a valid extended resource name')
}
export const validateDeviceClass = onCreate((object) => deviceClass(object))
export const validateDeviceClassUpdate = onUpdate(deviceClass)

export const validateSlice = onCreate((slice) => sliceRules(slice))
export const validateSliceUpdate = onUpdate(sliceRules)
