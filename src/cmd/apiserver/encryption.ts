// Encryption at rest as flags ask for it: the file, the engine above which it works, and the file looked at again.
// Follows k8s.io/apiserver/pkg/server/options (etcd.go) and encryptionconfig/controller. Loaded with the flag alone.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type GroupResource, qualifiedResource } from '../../machinery/gvk.ts'
import { releasedResources } from '../../schema/resources.ts'
import { parseYaml } from '../../schema/yaml/yaml.ts'
import type { HealthCheck } from '../../server/health.ts'
import { type Note, TransformationMeter } from '../../storage/encryption/meter.ts'
import { type Encryption, encryptionOf } from '../../storage/encryption/providers.ts'
import { EncryptedStorage } from '../../storage/encryption/storage.ts'
import type { Transformer } from '../../storage/encryption/transformer.ts'
import type { Storage } from '../../storage/interface.ts'
import type { Log } from '../log.ts'
import { type EncryptionChoice, StartError } from '../options.ts'
import { reloads } from './reloads.ts'

/** How often the file is looked at; as upstream. */
const RELOAD_INTERVAL_MS = 60_000
/** How long the old transformers stay for those who are using them, key services' calls included. */
const CLOSE_AFTER_MS = 10_000

export interface OpenEncryption {
  /** Closing it closes this as well. */
  over(engine: Storage): Storage
  readonly checks: readonly HealthCheck[]
  /** Takes the file as it is now, where it has changed; rejects where it cannot be used, and goes on with the old one. */
  reload(): Promise<boolean>
  /** What was turned, and how often the file was taken again, for Prometheus. */
  metrics(): string
  close(): void
}

/** Rejects with StartError for a file that cannot be used. */
export async function openEncryption(choice: EncryptionChoice, log: Log): Promise<OpenEncryption> {
  const { configFile, automaticReload: reload } = choice
  const meter = new TransformationMeter((key) => qualifiedResource(resourceAt(placeOf(key))))
  let { encryption, digest, text } = await load(configFile, reload, meter.note).catch((error: unknown) => {
    throw new StartError(messageOf(error), error)
  })
  reloads.encryption.begin(text)
  const transformers = new Map<string, Transformer>()
  const transformerFor = (key: string): Transformer => {
    const place = placeOf(key)
    let transformer = transformers.get(place)
    if (!transformer) transformers.set(place, (transformer = encryption.transformerOf(resourceAt(place))))
    return transformer
  }
  const take = async (): Promise<boolean> => {
    if (digestOf(readFileSync(configFile)) === digest) return false
    const next = await load(configFile, true, meter.note)
    const fault = await next.encryption.check()
    if (fault !== undefined) {
      next.encryption.close()
      throw new Error(`health check for new transformers failed: ${fault}`)
    }
    const before = encryption
    ;({ encryption, digest, text } = next)
    reloads.encryption.succeeded(text)
    transformers.clear()
    setTimeout(() => before.close(), CLOSE_AFTER_MS).unref()
    return true
  }
  const timer = reload ? keepLooking(take, configFile, log) : undefined
  const check: HealthCheck = {
    name: 'kms-providers',
    on: ['healthz', 'readyz'],
    check: () => encryption.check(),
  }
  const close = (): void => {
    clearInterval(timer)
    encryption.close()
  }
  return {
    over: (engine) => new EncryptedStorage(engine, transformerFor, close),
    checks: reload || encryption.usesKeyServices ? [check] : [],
    reload: take,
    metrics: () => meter.text(),
    close,
  }
}

function keepLooking(take: () => Promise<boolean>, file: string, log: Log): NodeJS.Timeout {
  return setInterval(() => {
    take().then(
      (taken) => taken && log.info({ file }, 'took the changed encryption configuration'),
      (error: unknown) => {
        reloads.encryption.failed()
        log.error({ file, error: messageOf(error) }, 'the changed encryption configuration cannot be used')
      },
    )
  }, RELOAD_INTERVAL_MS).unref()
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

interface Loaded {
  readonly encryption: Encryption
  readonly digest: string
  readonly text: string
}

async function load(path: string, reload: boolean, note: Note): Promise<Loaded> {
  const what = `encryption provider configuration file ${JSON.stringify(path)}`
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw new Error(
      `error while parsing file: error while loading file: error reading ${what}: ${messageOf(error)}`,
      {
        cause: error,
      },
    )
  }
  if (bytes.length === 0)
    throw new Error(`error while parsing file: error while loading file: ${what} is empty`)
  const digest = digestOf(bytes)
  // The parser's words may hold a part of the file, and with it of a key.
  const parsed = await parseYaml(bytes).catch(() => {
    throw new Error(`error while parsing file: error decoding ${what}: it is no YAML`)
  })
  try {
    return { encryption: await encryptionOf(parsed.value, reload, note), digest, text: bytes.toString() }
  } catch (error) {
    throw new Error(`error while parsing file: ${what}: ${messageOf(error)}`, { cause: error })
  }
}

const ROOT = '/registry/'

/** Which resource's values lie below each folder of the store: "secrets", "services/specs". */
let places: ReadonlyMap<string, GroupResource> | undefined

function builtinPlaces(): ReadonlyMap<string, GroupResource> {
  const stored = releasedResources()
    // Events lie there as those of the core group, whichever group they came by.
    .filter(({ storagePrefix, group, storage }) => storagePrefix !== '' && group === storage.group)
    .map(({ storagePrefix, group, name }) => [storagePrefix, { group, resource: name }] as const)
  // Which node ports are taken is written by the services' transformer.
  return new Map([...stored, ['ranges', { group: '', resource: 'services' }]])
}

/** The folder of a key, by which its resource is known. */
function placeOf(key: string): string {
  places ??= builtinPlaces()
  const [first = '', second = ''] = key.slice(ROOT.length).split('/', 2)
  return places.has(first) ? first : `${first}/${second}`
}

/** Built-in resources are known by their folder, all others lie below their group. */
function resourceAt(place: string): GroupResource {
  const [group = '', resource = ''] = place.split('/')
  return places?.get(place) ?? { group, resource }
}
