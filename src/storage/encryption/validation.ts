// What an EncryptionConfiguration may not say, in upstream's words.
// Follows k8s.io/apiserver/pkg/apis/apiserver/validation (validation_encryption.go).
import type { GroupResource } from '../../machinery/gvk.ts'
import { cause, type StatusCause } from '../../machinery/status.ts'
import type { KmsChoice, NamedKey, Provider, ResourceRule } from './configuration.ts'

const AES_KEY_SIZES = [16, 24, 32]
const SECRETBOX_KEY_SIZES = [32]

/** What stands for a value that holds keys. */
const REDACTED = 'REDACTED'

/** "deployments.apps": what is before the first dot, and what is after it. */
export function parseGroupResource(text: string): GroupResource {
  const dot = text.indexOf('.')
  return dot < 0
    ? { group: '', resource: text }
    : { group: text.slice(dot + 1), resource: text.slice(0, dot) }
}

/** Every fault; none: it is valid. `reload`: the file is looked at again and again. */
export function validateEncryption(rules: readonly ResourceRule[], reload: boolean): readonly StatusCause[] {
  if (rules.length === 0) return [cause.required('resources', 'at least one resources is required')]
  const names = new Set<string>()
  return rules.flatMap(({ resources, providers }, i) => {
    const [r, p] = [`resources[${i}].resources`, `resources[${i}].providers`]
    return [
      ...(resources.length === 0 ? [cause.required(r, `at least one ${r} is required`)] : []),
      ...overlaps(resources, r),
      ...resources.flatMap((resource, j) => resourceFault(resource, `${r}[${j}]`)),
      ...(providers.length === 0 ? [cause.required(p, `at least one ${p} is required`)] : []),
      ...providers.flatMap((provider, j) => providerFaults(provider, `${p}[${j}]`, { names, reload })),
    ]
  })
}

function overlaps(resources: readonly string[], path: string): StatusCause[] {
  const parsed = resources.map(parseGroupResource)
  const pairs = parsed.flatMap((a, i) => parsed.filter((_, j) => j !== i).map((b) => [a, b] as const))
  const same = ([a, b]: (typeof pairs)[number]): boolean => a.group === b.group && a.resource === b.resource
  const duplicate = pairs.some(same)
  // The first pair of the same counts as that alone.
  const first = pairs.findIndex(same)
  const masks = pairs.some(
    ([a, b], i) =>
      i !== first && (isEverything(a) || (a.group === b.group && (a.resource === '*' || b.resource === '*'))),
  )
  return [
    ...(duplicate
      ? [cause.invalid(path, resources, 'the same resource cannot be specified multiple times')]
      : []),
    ...(masks ? [cause.invalid(path, resources, OVERLAP)] : []),
  ]
}

const OVERLAP =
  "using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be masked"

const isEverything = ({ group, resource }: GroupResource): boolean => group === '*' && resource === '*'

/** Records of the store that are no objects of the API. */
const NO_RESOURCES = ['apiserveripinfo', 'serviceipallocations', 'servicenodeportallocations']

function resourceFault(text: string, path: string): StatusCause[] {
  const why = resourceFaultOf(text)
  return why === undefined ? [] : [cause.invalid(path, text, why)]
}

function resourceFaultOf(text: string): string | undefined {
  const { group, resource } = parseGroupResource(text)
  if (text.toLowerCase() !== text) return 'resource name should not contain capital letters'
  if (text === '*')
    return "use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources"
  if (NO_RESOURCES.includes(text)) return 'resources which do not have REST API/s cannot be encrypted'
  if (group === 'events.k8s.io')
    return "'*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use 'events' instead in the config file"
  if (group === 'extensions') return "'extensions' group has been removed and cannot be used for encryption"
  if (group === '*' && resource !== '*') return 'encrypting the same resource across groups is not supported'
  return undefined
}

interface Seen {
  readonly names: Set<string>
  readonly reload: boolean
}

function providerFaults(provider: Provider, path: string, seen: Seen): StatusCause[] {
  const { kms, aesgcm, aescbc, secretbox } = provider
  return [
    ...countFault(provider, path),
    ...(kms ? kmsFaults(kms, `${path}.kms`, seen) : []),
    // As upstream, the keys of one provider are looked at, also where several are named.
    ...(kms
      ? []
      : aesgcm
        ? keysFaults(aesgcm, `${path}.aesgcm.keys`, AES_KEY_SIZES)
        : aescbc
          ? keysFaults(aescbc, `${path}.aescbc.keys`, AES_KEY_SIZES)
          : secretbox
            ? keysFaults(secretbox, `${path}.secretbox.keys`, SECRETBOX_KEY_SIZES)
            : []),
  ]
}

/** DEVIATION: upstream shows the whole provider, keys and all, in these two messages. */
function countFault(provider: Provider, path: string): StatusCause[] {
  const count = Object.keys(provider).length
  if (count === 1) return []
  const why =
    count === 0
      ? 'provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity'
      : 'more than one provider specified in a single element, should split into different list elements'
  return [cause.invalid(path, REDACTED, why)]
}

function keysFaults(keys: readonly NamedKey[], path: string, sizes: readonly number[]): StatusCause[] {
  if (keys.length === 0) return [cause.required(path, 'at least one keys is required')]
  return keys.flatMap((key, i) => keyFaults(key, `${path}[${i}]`, sizes))
}

function keyFaults({ name, secret }: NamedKey, path: string, sizes: readonly number[]): StatusCause[] {
  const nameless = name === '' ? [cause.required(`${path}.name`, 'name is a mandatory field for a key')] : []
  const at = `${path}.secret`
  if (secret === '') return [...nameless, cause.required(at, 'secret is a mandatory field for a key')]
  const bytes = decodeSecret(secret)
  if (!bytes) return [...nameless, cause.invalid(at, REDACTED, 'secrets must be base64 encoded')]
  if (sizes.includes(bytes.length)) return nameless
  const why = `secret is not of the expected length, got ${bytes.length}, expected one of [${sizes.join(' ')}]`
  return [...nameless, cause.invalid(at, REDACTED, why)]
}

/** Base64 as Go reads it: padded, line ends anywhere. Undefined where it is none. */
export function decodeSecret(secret: string): Buffer | undefined {
  const text = secret.replace(/[\r\n]/g, '')
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return undefined
  return Buffer.from(text, 'base64')
}

function kmsFaults(kms: KmsChoice, path: string, { names, reload }: Seen): StatusCause[] {
  const faults = [
    ...kmsNameFaults(kms, `${path}.name`, { names, reload }),
    ...(kms.timeoutMs > 0
      ? []
      : [cause.invalid(`${path}.timeout`, `${kms.timeoutMs / 1000}s`, 'timeout should be a positive value')]),
    ...endpointFaults(kms.endpoint, `${path}.endpoint`),
    ...cacheSizeFaults(kms, `${path}.cachesize`),
    ...(['v1', 'v2'].includes(kms.apiVersion)
      ? []
      : [
          cause.invalid(
            `${path}.apiVersion`,
            kms.apiVersion,
            'unsupported apiVersion apiVersion for KMS provider, only v1 and v2 are supported',
          ),
        ]),
  ]
  names.add(kms.name)
  return faults
}

function kmsNameFaults(
  { name, apiVersion }: KmsChoice,
  path: string,
  { names, reload }: Seen,
): StatusCause[] {
  const faults: StatusCause[] = []
  if (name === '') faults.push(cause.required(path, 'name is a mandatory field for a provider'))
  if (apiVersion !== 'v1' && name.includes(':'))
    faults.push(cause.invalid(path, name, `invalid KMS provider name ${name}, must not contain ':'`))
  if ((reload || apiVersion !== 'v1') && names.has(name))
    faults.push(cause.invalid(path, name, `duplicate KMS provider name ${name}, names must be unique`))
  return faults
}

function endpointFaults(endpoint: string, path: string): StatusCause[] {
  if (endpoint === '') return [cause.invalid(path, '', 'endpoint is a mandatory field for a kms')]
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(endpoint)?.[1]?.toLowerCase() ?? ''
  if (scheme === 'unix') return []
  const why = `unsupported scheme ${JSON.stringify(scheme)} for KMS provider, only unix is supported`
  return [cause.invalid(path, endpoint, why)]
}

function cacheSizeFaults({ apiVersion, cacheSize }: KmsChoice, path: string): StatusCause[] {
  if (apiVersion !== 'v1' && cacheSize !== undefined)
    return [cause.invalid(path, cacheSize, 'cachesize is not supported in v2')]
  if (apiVersion === 'v1' && cacheSize === 0)
    return [cause.invalid(path, cacheSize, 'cachesize should be a positive value, or negative to disable')]
  return []
}
