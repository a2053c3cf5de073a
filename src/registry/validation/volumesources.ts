// Rules of where a volume's data comes from, one row a type, for volumes of pods and for persistent volumes.
// Follows pkg/apis/core/validation.
import { compareQuantities, parseQuantity } from '../../machinery/quantity.ts'
import { nameIsDnsSubdomain } from '../../machinery/names.ts'
import { dns1123LabelErrors } from '../../machinery/validation.ts'
import { fieldReference, resourceReference } from './containers.ts'
import { isDescending, isFreeDescending, isMode, staysInside } from './paths.ts'
import { claimSpec } from './claims.ts'
import { amountAt } from './resources.ts'
import type { Spot } from './spot.ts'
import { templateMetadata } from './templates.ts'

type Rule = (source: Spot, persistent: boolean) => void

const NOTHING = parseQuantity('0')
const MULTIPLE = 'may not specify more than 1 volume type'
const BLOB = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd'
const MANAGED =
  '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}'
const HOST_PATHS = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
]
const ISCSI_NAME =
  /^(iqn\.\d{4}-\d{2}\.[A-Za-z0-9\-.]+(:[^,;*&$|\s]+)$|eui.[A-Za-z0-9]{16}$|naa.[A-Za-z0-9]{32}$)/

const needs =
  (...fields: readonly string[]): Rule =>
  (source) => {
    for (const field of fields) source.at(field).needed()
  }

function keysToPaths(items: Spot): void {
  for (const item of items.items()) {
    item.at('key').needed()
    item.at('path').needed()
    isFreeDescending(item.at('path'))
    isMode(item.at('mode'))
  }
}

const filesOf =
  (name: string): Rule =>
  (source) => {
    source.at(name).needed()
    isMode(source.at('defaultMode'))
    keysToPaths(source.at('items'))
  }

function secretReference(source: Spot, persistent: boolean): void {
  const ref = source.at('secretRef')
  if (!ref.isSet) return
  ref.at('name').needed()
  if (persistent) ref.at('namespace').needed()
}

function disk(name: string): Rule {
  return (source) => {
    source.at(name).needed()
    const partition = source.at('partition')
    if (partition.number < 0 || partition.number > 255) {
      partition.invalid('must be between 1 and 255, inclusive', partition.exact)
    }
  }
}

function iscsiName(name: Spot, persistent: boolean): void {
  if (ISCSI_NAME.test(name.text)) return
  const begins = persistent || ['iqn', 'eui', 'naa'].some((prefix) => name.text.startsWith(prefix))
  name.invalid(begins ? 'must be valid format' : 'must be valid format starting with iqn, eui, or naa')
}

function iscsi(source: Spot, persistent: boolean): void {
  source.at('targetPortal').needed()
  const iqn = source.at('iqn')
  if (iqn.needed()) iscsiName(iqn, persistent)
  source.at('lun').between(0, 255)
  const initiator = source.at('initiatorName')
  if (initiator.isSet) iscsiName(initiator.named('initiatorname'), persistent)
  const chap = source.at('chapAuthDiscovery').value === true || source.at('chapAuthSession').value === true
  const secret = source.at('secretRef')
  if (chap && !secret.isSet) secret.required()
  if (persistent && secret.isSet) secret.at('name').needed()
}

/** Options are the driver's own: none has a name of the cluster's. */
function flexVolume(source: Spot): void {
  source.at('driver').needed()
  const options = source.at('options')
  for (const name of options.keys()) {
    const [domain = ''] = name.split('/', 1)
    if (!/(^|\.)(kubernetes|k8s)\.io$/i.test(domain)) continue
    options.key(name).invalid('kubernetes.io and k8s.io namespaces are reserved', name)
  }
}

function fibreChannel(source: Spot): void {
  const [wwns, wwids, lun] = [source.at('targetWWNs'), source.at('wwids'), source.at('lun')]
  if (wwns.isEmpty && wwids.isEmpty) wwns.required('must specify either targetWWNs or wwids, but not both')
  if (!wwns.isEmpty && !wwids.isEmpty)
    wwns.invalid('targetWWNs and wwids can not be specified simultaneously')
  if (wwns.isEmpty) return
  if (lun.isSet) lun.between(0, 255)
  else lun.required('lun is required if targetWWNs is specified')
}

function azureDisk(source: Spot): void {
  const [uri, kind] = [source.at('diskURI'), source.at('kind')]
  source.at('diskName').needed()
  uri.needed()
  source.at('cachingMode').oneOfIfSet(['None', 'ReadOnly', 'ReadWrite'])
  kind.oneOfIfSet(['Dedicated', 'Managed', 'Shared'])
  if (!kind.isSet) return
  const managed = kind.text === 'Managed'
  if (managed && !uri.text.startsWith('/subscriptions/')) uri.notSupported([MANAGED], uri.text)
  if (!managed && !uri.text.startsWith('https://')) uri.notSupported([BLOB], uri.text)
}

function downwardItems(items: Spot, at: Spot): void {
  for (const item of items.items()) {
    const spot = at.with(item.value)
    spot.at('path').needed()
    isFreeDescending(spot.at('path'))
    const [field, resource] = [spot.at('fieldRef'), spot.at('resourceFieldRef')]
    if (field.isSet) {
      fieldReference(field, [
        'metadata.name',
        'metadata.namespace',
        'metadata.labels',
        'metadata.annotations',
        'metadata.uid',
      ])
      if (resource.isSet)
        at.invalid('fieldRef and resourceFieldRef can not be specified simultaneously', 'resource')
    } else if (resource.isSet) resourceReference(resource, true)
    else at.required('one of fieldRef and resourceFieldRef is required')
    isMode(spot.at('mode'))
  }
}

function token(projection: Spot): void {
  const seconds = projection.at('expirationSeconds')
  if (seconds.number < 600) seconds.invalid('may not specify a duration less than 10 minutes', seconds.exact)
  if (seconds.number > 2 ** 32)
    seconds.invalid('may not specify a duration larger than 2^32 seconds', seconds.exact)
  projection.at('path').needed()
}

function bundle(projection: Spot): void {
  const [name, signer] = [projection.at('name'), projection.at('signerName')]
  if (name.isSet && signer.isSet) projection.invalid('only one of name and signerName may be used')
  else if (name.isSet) name.needed('must be a valid object name')
  else if (signer.isSet) signer.needed('must be a valid signer name')
  else projection.required('either name or signerName must be specified')
  projection.at('path').needed()
  isFreeDescending(projection.at('path'))
}

const PROJECTIONS: Readonly<Record<string, (projection: Spot) => void>> = {
  secret(projection) {
    projection.at('name').needed()
    keysToPaths(projection.at('items'))
  },
  configMap(projection) {
    projection.at('name').needed()
    keysToPaths(projection.at('items'))
  },
  downwardAPI: (projection) => downwardItems(projection.at('items'), projection),
  serviceAccountToken: token,
  clusterTrustBundle: bundle,
  podCertificate: (projection) => void projection.at('signerName').needed(),
}

function projected(source: Spot): void {
  isMode(source.at('defaultMode'))
  for (const entry of source.itemsOf('sources')) {
    const types = Object.keys(PROJECTIONS).filter((type) => entry.at(type).isSet)
    for (const type of types) PROJECTIONS[type]?.(entry.at(type))
    if (types.length > 1) entry.forbidden('may not specify more than 1 volume type per source')
  }
}

const CSI_SECRETS = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
]
const MAX_DRIVER_NAME = 63

/** The name of a CSI driver, in letters of any case. */
export function isDriverName(name: Spot): void {
  if (!name.needed()) return
  if (Buffer.byteLength(name.text) > MAX_DRIVER_NAME) name.tooLong(MAX_DRIVER_NAME)
  for (const fault of nameIsDnsSubdomain(name.text.toLowerCase(), false)) name.invalid(fault, name.text)
}

function csi(source: Spot, persistent: boolean): void {
  isDriverName(source.at('driver'))
  if (persistent) {
    source.at('volumeHandle').needed()
    for (const name of CSI_SECRETS) {
      const ref = source.at(name)
      if (!ref.isSet) continue
      ref.at('name').neededAs((text) => nameIsDnsSubdomain(text, false))
      ref.at('namespace').neededAs(dns1123LabelErrors)
    }
  } else {
    const ref = source.at('nodePublishSecretRef')
    // What is wrong with the name is told of a field that there is not.
    if (ref.isSet && ref.at('name').needed()) source.at('name').with(ref.at('name').text).isSubdomain()
  }
}

function hostPath(source: Spot): void {
  if (!source.at('path').needed()) return
  staysInside(source.at('path'))
  if (source.at('type').isSet && !HOST_PATHS.includes(source.at('type').text)) {
    source.at('type').notSupported(HOST_PATHS)
  }
}

const HOST_PORTS = 'must be a host:port pair or multiple pairs separated by commas'
/** A UUID is shorter. */
const MAX_TENANT = 64

function quobyteRegistry(source: Spot): void {
  const registry = source.at('registry')
  if (!registry.needed(HOST_PORTS)) return
  if (Buffer.byteLength(source.at('tenant').text) > MAX_TENANT) {
    source.at('tenant').required(`must be a UUID and may not exceed a length of ${MAX_TENANT} characters`)
    return
  }
  for (const pair of registry.text.split(',')) {
    if (!/^(\[[^[\]]*\]|[^:[\]]*):[^:[\]]*$/.test(pair)) registry.invalid(HOST_PORTS)
  }
}

/** In the order in which upstream looks at them: of several, the first one counts. */
const SOURCES: Readonly<Record<string, Rule>> = {
  emptyDir(source) {
    const limit = source.at('sizeLimit')
    const amount = amountAt(limit)
    if (amount && compareQuantities(amount, NOTHING) < 0) {
      limit.forbidden('SizeLimit field must be a valid resource quantity')
    }
  },
  hostPath,
  gitRepo(source) {
    source.at('repository').needed()
    isDescending(source.at('directory'))
  },
  gcePersistentDisk: disk('pdName'),
  awsElasticBlockStore: disk('volumeID'),
  secret: filesOf('secretName'),
  nfs(source) {
    source.at('server').needed()
    source.at('path').needed()
    const path = source.at('path')
    if (!path.text.startsWith('/')) path.invalid('must be an absolute path', path.text)
  },
  iscsi,
  glusterfs(source, persistent) {
    source.at('endpoints').needed()
    source.at('path').needed()
    const namespace = source.at('endpointsNamespace')
    if (!persistent || !namespace.isSet) return
    if (namespace.text) namespace.matches(dns1123LabelErrors)
    else namespace.invalid('if the endpointnamespace is set, it must be a valid namespace name')
  },
  flocker(source) {
    if (source.at('datasetName').isEmpty && source.at('datasetUUID').isEmpty) {
      source.required('one of datasetName and datasetUUID is required')
    }
    if (!source.at('datasetName').isEmpty && !source.at('datasetUUID').isEmpty) {
      source.invalid('datasetName and datasetUUID can not be specified simultaneously', 'resource')
    }
    if (source.at('datasetName').text.includes('/')) source.at('datasetName').invalid("must not contain '/'")
  },
  persistentVolumeClaim: needs('claimName'),
  rbd: needs('monitors', 'image'),
  cinder(source, persistent) {
    source.at('volumeID').needed()
    secretReference(source, persistent)
  },
  cephfs: needs('monitors'),
  quobyte(source) {
    quobyteRegistry(source)
    source.at('volume').needed()
  },
  downwardAPI(source) {
    isMode(source.at('defaultMode'))
    downwardItems(source.at('items'), source)
  },
  fc: fibreChannel,
  flexVolume,
  configMap: filesOf('name'),
  azureFile(source, persistent) {
    for (const field of ['secretName', 'shareName']) source.at(field).needed()
    const namespace = source.at('secretNamespace')
    if (persistent && namespace.isSet) namespace.needed()
  },
  vsphereVolume: needs('volumePath'),
  photonPersistentDisk: needs('pdID'),
  portworxVolume: needs('volumeID'),
  azureDisk,
  storageos(source) {
    source.at('volumeName').neededAs(dns1123LabelErrors)
    source.at('volumeNamespace').ifSet(dns1123LabelErrors)
  },
  projected,
  scaleIO: needs('gateway', 'system', 'volumeName'),
  local(source) {
    if (source.at('path').needed()) staysInside(source.at('path'))
  },
  csi,
  ephemeral(source) {
    const template = source.at('volumeClaimTemplate')
    if (!template.isSet) return template.required()
    templateMetadata(template.at('metadata'))
    claimSpec(template.at('spec'))
  },
  image(source) {
    source.at('pullPolicy').oneOfIfSet(['Always', 'IfNotPresent', 'Never'])
  },
}

/** Names that upstream's causes use for a field. */
const SHOWN: Readonly<Record<string, string>> = { gcePersistentDisk: 'persistentDisk' }
const REPEATED: Readonly<Record<string, string>> = { cephfs: 'cephFS', downwardAPI: 'downwarAPI' }
/** Only volumes of a cluster, or only volumes of a pod, have these. */
const ONLY_PERSISTENT: ReadonlySet<string> = new Set(['local'])

/** The fields that say where a volume's data is. */
export const SOURCE_NAMES: readonly string[] = Object.keys(SOURCES)
/** The order in which upstream looks at the sources of persistent volumes. */
const PERSISTENT_ORDER: readonly string[] = [
  ...[
    'hostPath',
    'gcePersistentDisk',
    'awsElasticBlockStore',
    'glusterfs',
    'flocker',
    'nfs',
    'rbd',
    'quobyte',
  ],
  ...['cephfs', 'iscsi', 'cinder', 'fc', 'flexVolume', 'azureFile', 'vsphereVolume', 'photonPersistentDisk'],
  ...['portworxVolume', 'azureDisk', 'scaleIO', 'local', 'storageos', 'csi'],
]

/** Exactly one source. Answers its name, or undefined where there is none. */
export function volumeSource(volume: Spot, persistent: boolean, afterLocal?: () => void): string | undefined {
  let found: string | undefined
  for (const type of persistent ? PERSISTENT_ORDER : SOURCE_NAMES) {
    if (!persistent && ONLY_PERSISTENT.has(type)) continue
    const check = SOURCES[type] as Rule
    const source = volume.at(type)
    if (!source.isSet) continue
    if (found !== undefined) {
      // Upstream lets a persistent volume have one of these besides another, and has a name of its own for some.
      if (persistent && type === 'flexVolume') check(source, persistent)
      else source.named(REPEATED[type] ?? type).forbidden(MULTIPLE)
    } else {
      found = type
      check(source.named(SHOWN[type] ?? type), persistent)
      if (type === 'local') afterLocal?.()
    }
  }
  if (found === undefined) volume.required('must specify a volume type')
  return found
}

/** The volumes of a pod, by name. */
export function podVolumes(list: Spot): Map<string, Spot> {
  const volumes = new Map<string, Spot>()
  for (const volume of list.items()) {
    const name = volume.at('name')
    const before = volume.causes.length
    volumeSource(volume, false)
    name.neededAs(dns1123LabelErrors)
    if (volumes.has(name.text)) name.duplicate()
    else if (volume.causes.length === before) volumes.set(name.text, volume)
  }
  return volumes
}
