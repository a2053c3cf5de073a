// Warnings of volumes, in pods and on their own, of claims and of what makes volumes. Strategies give these functions as
// `warnings`. Follows pkg/api/{pod,persistentvolume,persistentvolumeclaim,storage}.
import type { KubeObject } from '../../machinery/object.ts'
import { goQuote } from '../../machinery/quote.ts'
import { parseQuantity, quantityMilliValue } from '../../machinery/quantity.ts'
import { semanticEqual } from '../equality.ts'
import { objectAt } from '../reading.ts'
import { Spot } from '../validation/spot.ts'
import { deprecatedLabel, labelSelectorWarnings, termWarnings } from './nodelabels.ts'

const GONE_VOLUMES: readonly (readonly [string, string])[] = [
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
]
/** What a PersistentVolume is warned of, in upstream's order. */
const GONE_SOURCES = ['cephfs', 'photonPersistentDisk', 'scaleIO', 'storageos', 'glusterfs', 'rbd']
/** Fields whose name in warnings is that of upstream's code. */
const SHOWN_AS: Readonly<Record<string, string>> = { storageos: 'storageOS' }

const STORAGE_CLASS = 'volume.beta.kubernetes.io/storage-class'
const OLD_CLASS = 'deprecated since v1.8; use "storageClassName" attribute instead'
const MOUNT_OPTIONS = 'volume.beta.kubernetes.io/mount-options'
const OLD_OPTIONS = 'deprecated since v1.31; use "mountOptions" attribute instead'
const RECYCLE =
  'The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.'
const TOKENS_OPEN =
  'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes'
/** Amounts are counted in thousandths in 64 bits: what does not fit there counts as fractional too. */
const MOST_THOUSANDTHS = 2 ** 63

const read = (object: KubeObject): Spot => Spot.of(object, [])

function* gone(volume: Spot, name: string, fate: string): Generator<string> {
  if (volume.object[name] !== undefined)
    yield `${volume.at(name).named(SHOWN_AS[name] ?? name).path}: ${fate}`
}

/** Amounts of these names that are no whole bytes. */
export function* fractional(amounts: Spot, ...names: readonly string[]): Generator<string> {
  for (const name of names) {
    const amount = amounts.key(name)
    if (!amount.isSet) continue
    const thousandths = Number(quantityMilliValue(parseQuantity(String(amount.value))))
    if (thousandths % 1000 === 0 && thousandths < MOST_THOUSANDTHS) continue
    yield `${amount.path}: fractional byte value ${JSON.stringify(amount.value)} is invalid, must be an integer`
  }
}

/** Of a claim's spec, at the path of `spec`. */
export function* claimSpecWarnings(spec: Spot): Generator<string> {
  const resources = spec.at('resources')
  yield* fractional(resources.at('requests'), 'storage')
  yield* fractional(resources.at('limits'), 'storage')
}

/** A path in a volume, and what brings it there. */
interface Placed {
  readonly path: string
  readonly source: string
}

const described = ({ path, source }: Placed): string =>
  source ? `${goQuote(path)} (${source})` : JSON.stringify(path)

/** Each path that is another's, or lies below or above it: told of with the one before it. */
function* overlaps(volume: Spot, what: string, paths: readonly Placed[]): Generator<string> {
  const before: Placed[] = []
  for (const { path: written, source } of paths) {
    const placed = { path: written.replace(/\/+$/, ''), source }
    const [own, name] = [`${placed.path}/`, goQuote(volume.at('name').text)]
    for (const other of placed.path === '' ? [] : before) {
      const theirs = `${other.path}/`
      if (other.path === '' || (!theirs.startsWith(own) && !own.startsWith(theirs))) continue
      yield `volume ${name} (${what}): overlapping paths: ${described(placed)} with ${described(other)}`
    }
    before.push(placed)
  }
}

const itemPaths = (holder: Spot, source = ''): Placed[] =>
  holder.itemsOf('items').map((item) => ({ path: item.at('path').text, source }))

const quoted = (kind: string, name: Spot): string => `${kind} ${goQuote(name.text)}`

/** What one source of a projected volume places there. */
function projectedPaths(source: Spot): Placed[] {
  const [map, secret, pod] = [source.at('configMap'), source.at('secret'), source.at('downwardAPI')]
  if (map.itemsOf('items').length) return itemPaths(map, quoted('ConfigMap', map.at('name')))
  if (secret.itemsOf('items').length) return itemPaths(secret, quoted('Secret', secret.at('name')))
  if (pod.itemsOf('items').length) return itemPaths(pod, 'DownwardAPI')
  const [token, bundle, certificate] = [
    source.at('serviceAccountToken'),
    source.at('clusterTrustBundle'),
    source.at('podCertificate'),
  ]
  if (token.isSet) return [{ path: token.at('path').text, source: 'ServiceAccountToken' }]
  if (bundle.isSet) {
    const name = bundle.at('name').isSet ? bundle.at('name') : bundle.at('signerName')
    return [{ path: bundle.at('path').text, source: quoted('ClusterTrustBundle', name) }]
  }
  return [
    { path: certificate.at('certificateChainPath').text, source: 'PodCertificate chain' },
    { path: certificate.at('keyPath').text, source: 'PodCertificate key' },
    { path: certificate.at('credentialBundlePath').text, source: 'PodCertificate credential bundle' },
  ].filter(({ path }) => path !== '')
}

function* placedTwice(volume: Spot): Generator<string> {
  const [map, secret, pod] = [volume.at('configMap'), volume.at('secret'), volume.at('downwardAPI')]
  if (map.isSet) yield* overlaps(volume, quoted('ConfigMap', map.at('name')), itemPaths(map))
  if (secret.isSet) yield* overlaps(volume, quoted('Secret', secret.at('secretName')), itemPaths(secret))
  if (pod.isSet) yield* overlaps(volume, 'DownwardAPI', itemPaths(pod))
  if (!volume.at('projected').isSet) return
  const paths: Placed[] = []
  for (const source of volume.at('projected').itemsOf('sources')) {
    if (source.isEmpty) yield `volume ${goQuote(volume.at('name').text)} (Projected) has no sources provided`
    else paths.push(...projectedPaths(source))
  }
  yield* overlaps(volume, 'Projected', paths)
}

/** Of a pod's volumes. */
export function* volumeWarnings(volumes: readonly Spot[]): Generator<string> {
  for (const volume of volumes) {
    for (const [name, fate] of GONE_VOLUMES) {
      yield* gone(volume, name, fate)
      // In upstream's order: the claim of an ephemeral volume stands in the middle.
      if (name === 'glusterfs' && volume.object['ephemeral'] !== undefined) {
        yield* claimSpecWarnings(volume.at('ephemeral').at('volumeClaimTemplate').at('spec'))
      }
    }
  }
  for (const volume of volumes) yield* placedTwice(volume)
}

/** Of a template of claims in a stateful set: upstream's path has another name in it when the set changes. */
export function* claimTemplateWarnings(set: Spot, changing: boolean): Generator<string> {
  for (const claim of set.at('spec').itemsOf('volumeClaimTemplates')) {
    const { path } = claim.at('spec')
    for (const text of claimSpecWarnings(claim.at('spec')))
      yield `${claim.path}${changing ? '.Spec' : ''}${text.slice(path.length)}`
  }
}

export function* claimWarnings(claim: KubeObject): Generator<string> {
  const old = read(claim).at('metadata').at('annotations').key(STORAGE_CLASS)
  if (old.isSet) yield `${old.path}: ${OLD_CLASS}`
  yield* claimSpecWarnings(read(claim).at('spec'))
}

export function* persistentVolumeWarnings(volume: KubeObject): Generator<string> {
  const annotations = read(volume).at('metadata').at('annotations')
  const spec = read(volume).at('spec')
  if (annotations.key(STORAGE_CLASS).isSet) yield `${annotations.key(STORAGE_CLASS).path}: ${OLD_CLASS}`
  if (annotations.key(MOUNT_OPTIONS).isSet) yield `${annotations.key(MOUNT_OPTIONS).path}: ${OLD_OPTIONS}`
  const policy = spec.at('persistentVolumeReclaimPolicy')
  if (policy.text === 'Recycle') yield `${policy.path}: ${RECYCLE}`
  const terms = spec.at('nodeAffinity').at('required').itemsOf('nodeSelectorTerms')
  for (const term of terms) yield* termWarnings(term, false)
  const fates = new Map(GONE_VOLUMES)
  for (const name of GONE_SOURCES) yield* gone(spec, name, fates.get(name) ?? '')
}

export function* storageClassWarnings(object: KubeObject): Generator<string> {
  for (const topology of read(object).itemsOf('allowedTopologies')) {
    for (const expression of topology.itemsOf('matchLabelExpressions')) {
      const key = expression.at('key')
      const message = deprecatedLabel(key.text)
      if (message !== undefined) yield `${key.path}: ${message}`
    }
  }
}

export const storageCapacityWarnings = (object: KubeObject): Iterable<string> =>
  labelSelectorWarnings(read(object).at('nodeTopology'))

export function* csiDriverWarnings(driver: KubeObject, old: KubeObject | undefined): Generator<string> {
  const spec = read(driver).at('spec')
  const tokens = spec.at('tokenRequests')
  if (tokens.isEmpty || spec.at('serviceAccountTokenInSecrets').isSet) return
  if (!old || !semanticEqual(tokens.value, objectAt(old['spec'])['tokenRequests'])) yield TOKENS_OPEN
}
