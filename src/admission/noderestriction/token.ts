// Tokens that a kubelet asks for: of a pod that runs on it, for audiences that the pod's volumes name.
// Follows plugin/pkg/admission/noderestriction (admitServiceAccount).
import type { Authorizer } from '../../machinery/attributes.ts'
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import type { Lister } from '../../machinery/lister.ts'
import { aggregate } from '../../machinery/aggregate.ts'
import { goQuote } from '../../machinery/quote.ts'
import { notFound } from '../../machinery/status.ts'
import { forbid } from '../forbid.ts'
import type { AdmissionAttributes } from '../plugin.ts'
import { CLAIMS, type Pod, PODS } from '../shapes.ts'

export const CSI_DRIVERS = { group: 'storage.k8s.io', resource: 'csidrivers' }
export const VOLUMES = { group: '', resource: 'persistentvolumes' }
const VERB = 'request-serviceaccounts-token-audience'

interface Asked {
  readonly node: string
  readonly attributes: AdmissionAttributes
  readonly lister: Lister
  readonly authorizer: Authorizer
}

const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})
const listOf = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : [])

/** Rejects with 403, or with 404 for a pod that is not there. */
export async function requireToken(asked: Asked): Promise<void> {
  const { attributes, node, lister } = asked
  const spec = objectOf(attributes.object?.['spec'])
  const { apiVersion, kind, name = '', uid = '' } = objectOf(spec['boundObjectRef'])
  if (apiVersion !== 'v1' || kind !== 'Pod' || name === '') {
    throw forbid(attributes, 'node requested token not bound to a pod')
  }
  if (uid === '') throw forbid(attributes, 'node requested token with a pod binding without a uid')
  const pod = lister.get(PODS, attributes.namespace, String(name)) as Pod | undefined
  if (!pod) throw notFound({ group: '', resource: 'pod' }, String(name))
  if (uid !== pod.metadata.uid) {
    const what = `the UID in the bound object reference (${String(uid)}) does not match the UID in record`
    throw forbid(attributes, `${what}. The object might have been deleted and then recreated`)
  }
  if (pod.spec.nodeName !== node) {
    throw forbid(attributes, 'node requested token bound to a pod scheduled on a different node')
  }
  const audiences = listOf(spec['audiences'])
  if (audiences.length > 1) throw forbid(attributes, 'node may only request 0 or 1 audiences')
  const fault = await audienceFault(asked, pod, String(audiences[0] ?? ''))
  if (fault !== undefined) throw forbid(attributes, fault)
}

async function audienceFault(asked: Asked, pod: Pod, audience: string): Promise<string | undefined> {
  const { attributes, lister, authorizer } = asked
  const faults: string[] = []
  for (const volume of pod.spec.volumes ?? []) {
    if (projects(volume as JsonObject, audience)) return undefined
    const found = driverOf(volume as JsonObject, pod, lister)
    const driver = found.name === undefined ? undefined : lister.get(CSI_DRIVERS, '', found.name)
    if (found.fault !== undefined) faults.push(found.fault)
    if (found.name === undefined) continue
    if (!driver) faults.push(absent('csidriver.storage.k8s.io', found.name))
    else if (offers(driver['spec'], audience)) return undefined
  }
  if (faults.length > 0) return `error validating audience ${goQuote(audience)}: ${aggregate(faults)}`
  const { user, namespace, name } = attributes
  const { decision, error } = await authorizer.authorize({
    user,
    verb: VERB,
    namespace,
    group: '',
    version: 'v1',
    resource: audience,
    subresource: '',
    name,
    isResourceRequest: true,
    path: '',
  })
  if (decision === 'allow') return undefined
  const missing = `audience ${goQuote(audience)} not found in pod spec volume`
  if (error === undefined)
    return `${missing}, ${user.name} is not authorized to request tokens for this audience`
  return `${missing}, error authorizing ${user.name} to request tokens for this audience: ${error}`
}

const absent = (what: string, name: string): string => `${what} ${goQuote(name)} not found`

const projects = (volume: JsonObject, audience: string): boolean =>
  listOf(objectOf(volume['projected'])['sources']).some((source) => {
    const token = objectOf(source)['serviceAccountToken']
    return isObject(token) && (token['audience'] ?? '') === audience
  })

const offers = (spec: Json | undefined, audience: string): boolean =>
  listOf(objectOf(spec)['tokenRequests']).some((one) => (objectOf(one)['audience'] ?? '') === audience)

interface Driver {
  readonly name?: string
  readonly fault?: string
}

/** Drivers that took over volumes of these types. */
const TAKEN_OVER: readonly (readonly [type: string, driver: string])[] = [
  ['awsElasticBlockStore', 'ebs.csi.aws.com'],
  ['azureDisk', 'disk.csi.azure.com'],
  ['azureFile', 'file.csi.azure.com'],
  ['cinder', 'cinder.csi.openstack.org'],
  ['gcePersistentDisk', 'pd.csi.storage.gke.io'],
  ['portworxVolume', 'pxd.portworx.com'],
  ['vsphereVolume', 'csi.vsphere.vmware.com'],
]

/** The driver of a volume as it stands in a pod or by itself. */
function driverIn(source: JsonObject): Driver {
  const own = objectOf(source['csi'])['driver']
  if (typeof own === 'string') return { name: own }
  const name = TAKEN_OVER.find(([type]) => isObject(source[type]))?.[1]
  return name === undefined ? {} : { name }
}

function driverOf(volume: JsonObject, pod: Pod, lister: Lister): Driver {
  const claim = isObject(volume['ephemeral'])
    ? `${pod.metadata.name ?? ''}-${String(volume['name'])}`
    : objectOf(volume['persistentVolumeClaim'])['claimName']
  if (typeof claim !== 'string') return driverIn(volume)
  const found = lister.get(CLAIMS, pod.metadata.namespace ?? '', claim)
  if (!found) return { fault: absent('persistentvolumeclaim', claim) }
  const name = String(objectOf(found['spec'])['volumeName'] ?? '')
  const bound = lister.get(VOLUMES, '', name)
  return bound ? driverIn(objectOf(bound['spec'])) : { fault: absent('persistentvolume', name) }
}
