// The file of --authorization-config: who decides on requests, in order.
// Follows k8s.io/apiserver/pkg/apis/apiserver (v1), its defaults and its validation.
import { aggregate } from '../machinery/aggregate.ts'
import { ConfigReader, isOfKind } from '../machinery/configreader.ts'
import { formatDuration } from '../machinery/duration.ts'
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import { cause } from '../machinery/status.ts'
import { dns1123SubdomainErrors } from '../machinery/validation.ts'
import { AUTHORIZATION_MODES, type AuthorizationMode, isMode } from './chain.ts'
import type { MatchCondition } from './matchconditions.ts'

export interface WebhookSettings {
  /** 0: nothing is remembered. */
  readonly authorizedTtlMs: number
  readonly unauthorizedTtlMs: number
  readonly timeoutSeconds: number
  readonly version: 'v1' | 'v1beta1'
  readonly failurePolicy: 'NoOpinion' | 'Deny'
  readonly kubeConfigFile: string
  readonly conditions: readonly MatchCondition[]
}

export type AuthorizerChoice =
  | { readonly type: Exclude<AuthorizationMode, 'Webhook'>; readonly name: string }
  | { readonly type: 'Webhook'; readonly name: string; readonly webhook: WebhookSettings }

/** What reading asks of the machine. */
export interface Surroundings {
  /** Why a kubeconfig cannot be used; undefined where it is there. */
  fileFault(path: string): string | undefined
  /** Types that must be there: a reload takes none of them away. */
  readonly required?: ReadonlySet<AuthorizationMode>
}

const CONFIGURATION = {
  group: 'apiserver.config.k8s.io',
  versions: ['v1', 'v1beta1', 'v1alpha1'],
  kind: 'AuthorizationConfiguration',
}
const WEBHOOK_FIELDS = [
  'authorizedTTL',
  'cacheAuthorizedRequests',
  'unauthorizedTTL',
  'cacheUnauthorizedRequests',
  'timeout',
  'subjectAccessReviewVersion',
  'matchConditionSubjectAccessReviewVersion',
  'failurePolicy',
  'connectionInfo',
  'matchConditions',
]
const AUTHORIZED_TTL_MS = 300_000
const UNAUTHORIZED_TTL_MS = 30_000
const MAX_TIMEOUT_MS = 30_000
const MAX_CONDITIONS = 64
const NANOSECONDS_PER_MS = 1_000_000

/** Rejects with an Error, in one line, that names every fault. */
export async function readAuthorizationConfig(
  value: JsonObject,
  surroundings: Surroundings,
): Promise<readonly AuthorizerChoice[]> {
  const reader = new ConfigReader()
  if (!isOfKind(value, CONFIGURATION)) {
    throw new Error(
      `failed to load AuthorizationConfiguration from file: no kind "AuthorizationConfiguration" of ${CONFIGURATION.group}`,
    )
  }
  const root = reader.object(value, '', ['apiVersion', 'kind', 'authorizers'])
  const entries = reader.list(root, 'authorizers', '')
  if (entries.length === 0)
    reader.add(cause.required('authorizers', 'at least one authorization mode must be defined'))
  const reading: Reading = { reader, surroundings, types: new Set(), names: new Set() }
  const choices: AuthorizerChoice[] = []
  for (const [i, entry] of entries.entries()) {
    const choice = await authorizerOf(entry, `authorizers[${i}]`, reading)
    if (choice) choices.push(choice)
  }
  reader.throwAny()
  checkNames(choices, surroundings.required ?? new Set())
  return choices
}

interface Reading {
  readonly reader: ConfigReader
  readonly surroundings: Surroundings
  readonly types: Set<string>
  readonly names: Set<string>
}

async function authorizerOf(
  value: Json,
  path: string,
  reading: Reading,
): Promise<AuthorizerChoice | undefined> {
  const { reader, types } = reading
  const entry = reader.object(value, path, ['type', 'name', 'webhook'])
  const type = reader.text(entry, 'type', path)
  if (type === '') return void reader.add(cause.required(`${path}.type`))
  if (!isMode(type)) return void reader.add(cause.notSupported(`${path}.type`, type, AUTHORIZATION_MODES))
  if (types.has(type) && type !== 'Webhook') return void reader.add(cause.duplicate(`${path}.type`, type))
  types.add(type)
  const name = nameOf(entry, path, reading)
  const { webhook } = entry
  if (type !== 'Webhook') {
    if (isObject(webhook))
      reader.add(cause.invalid(`${path}.webhook`, 'non-null', 'may only be specified when type=Webhook'))
    return { type, name }
  }
  if (!isObject(webhook))
    return void reader.add(cause.required(`${path}.webhook`, 'required when type=Webhook'))
  return { type, name, webhook: await webhookOf(webhook, path, reading) }
}

function nameOf(entry: JsonObject, path: string, { reader, names }: Reading): string {
  const name = reader.text(entry, 'name', path)
  const faults = dns1123SubdomainErrors(name)
  if (name === '') reader.add(cause.required(`${path}.name`))
  else if (names.has(name)) reader.add(cause.duplicate(`${path}.name`, name))
  else if (faults.length > 0)
    reader.add(cause.invalid(`${path}.name`, name, `authorizer name is invalid: ${faults.join(', ')}`))
  names.add(name)
  return name
}

/** Upstream's paths leave `webhook` out. */
async function webhookOf(value: JsonObject, path: string, reading: Reading): Promise<WebhookSettings> {
  const { reader } = reading
  const webhook = reader.object(value, `${path}.webhook`, WEBHOOK_FIELDS)
  const timeoutMs = timeoutOf(webhook, path, reader)
  const ttl = (key: string, preset: number): number => ttlOf(webhook, { key, preset, path }, reader)
  const isKept = (key: string): boolean => reader.flag(webhook, key, path) !== false
  const [authorizedTtlMs, unauthorizedTtlMs] = [
    ttl('authorizedTTL', AUTHORIZED_TTL_MS),
    ttl('unauthorizedTTL', UNAUTHORIZED_TTL_MS),
  ]
  const version = choiceOf(webhook, { key: 'subjectAccessReviewVersion', path }, ['v1', 'v1beta1'], reader)
  const conditionSources = reader.list(webhook, 'matchConditions', `${path}.webhook`)
  checkConditionVersion(webhook, path, conditionSources.length > 0, reader)
  return {
    authorizedTtlMs: isKept('cacheAuthorizedRequests') ? authorizedTtlMs : 0,
    unauthorizedTtlMs: isKept('cacheUnauthorizedRequests') ? unauthorizedTtlMs : 0,
    timeoutSeconds: timeoutMs / 1000,
    version: version === 'v1' ? 'v1' : 'v1beta1',
    failurePolicy:
      choiceOf(webhook, { key: 'failurePolicy', path }, ['NoOpinion', 'Deny'], reader) === 'Deny'
        ? 'Deny'
        : 'NoOpinion',
    kubeConfigFile: connectionOf(webhook, `${path}.connectionInfo`, reading),
    conditions: await conditionsOf(conditionSources, `${path}.matchConditions`, reader),
  }
}

function timeoutOf(webhook: JsonObject, path: string, reader: ConfigReader): number {
  const timeoutMs = reader.milliseconds(webhook, 'timeout', path)
  if (timeoutMs === 0) reader.add(cause.required(`${path}.timeout`))
  else if (timeoutMs < 0 || timeoutMs > MAX_TIMEOUT_MS)
    reader.add(cause.invalid(`${path}.timeout`, shownDuration(timeoutMs), 'must be > 0s and <= 30s'))
  return timeoutMs
}

interface Field {
  readonly key: string
  readonly path: string
}

function ttlOf(
  webhook: JsonObject,
  { key, path, preset }: Field & { readonly preset: number },
  reader: ConfigReader,
): number {
  const ms = reader.milliseconds(webhook, key, path)
  if (ms < 0) reader.add(cause.invalid(`${path}.${key}`, shownDuration(ms), 'must be > 0s'))
  return ms === 0 ? preset : ms
}

const shownDuration = (ms: number): string => formatDuration(BigInt(Math.round(ms * NANOSECONDS_PER_MS)))

function choiceOf(
  webhook: JsonObject,
  { key, path }: Field,
  choices: readonly string[],
  reader: ConfigReader,
): string {
  const given = reader.text(webhook, key, path)
  if (given === '') reader.add(cause.required(`${path}.${key}`))
  else if (!choices.includes(given)) reader.add(cause.notSupported(`${path}.${key}`, given, choices))
  return given
}

function checkConditionVersion(
  webhook: JsonObject,
  path: string,
  hasConditions: boolean,
  reader: ConfigReader,
): void {
  const key = 'matchConditionSubjectAccessReviewVersion'
  const given = reader.text(webhook, key, path)
  if (given === '' && hasConditions)
    reader.add(cause.required(`${path}.${key}`, 'required if match conditions are specified'))
  if (given !== '' && given !== 'v1') reader.add(cause.notSupported(`${path}.${key}`, given, ['v1']))
}

const CONNECTIONS = ['InClusterConfig', 'KubeConfigFile']

/** The path of a kubeconfig; "" where there is none that can be used. */
function connectionOf(webhook: JsonObject, path: string, { reader, surroundings }: Reading): string {
  const connection = reader.object(webhook['connectionInfo'], path, ['type', 'kubeConfigFile'])
  const [type, file] = [
    reader.text(connection, 'type', path),
    reader.text(connection, 'kubeConfigFile', path),
  ]
  const field = `${path}.kubeConfigFile`
  if (type === '') reader.add(cause.required(`${path}.type`))
  else if (!CONNECTIONS.includes(type)) reader.add(cause.notSupported(`${path}.type`, type, CONNECTIONS))
  else if (type === 'InClusterConfig') {
    if (connection['kubeConfigFile'] !== undefined)
      reader.add(cause.invalid(field, file, 'can only be set when type=KubeConfigFile'))
    // DEVIATION: upstream takes it, and ends with a nil pointer when it builds the authorizer: no API server is its own.
    reader.add(cause.forbidden(`${path}.type`, 'InClusterConfig is not allowed for kube-apiserver'))
  } else if (file === '') reader.add(cause.required(field))
  else if (!file.startsWith('/')) reader.add(cause.invalid(field, file, 'must be an absolute path'))
  else {
    const fault = surroundings.fileFault(file)
    if (fault !== undefined) reader.add(cause.invalid(field, file, fault))
  }
  return file
}

async function conditionsOf(
  values: readonly Json[],
  path: string,
  reader: ConfigReader,
): Promise<MatchCondition[]> {
  if (values.length === 0) return []
  if (values.length > MAX_CONDITIONS) {
    reader.add(cause.tooMany(path, values.length, MAX_CONDITIONS))
    return []
  }
  const { compileCondition } = await import('./matchconditions.ts')
  const seen = new Set<string>()
  const conditions: MatchCondition[] = []
  for (const [i, value] of values.entries()) {
    const at = `${path}[${i}]`
    const source = reader.text(reader.object(value, at, ['expression']), 'expression', at)
    const field = `${at}.expression`
    if (source.trim() === '') reader.add(cause.required(field))
    else if (seen.has(source)) reader.add(cause.duplicate(field, source))
    else {
      const compiled = compileCondition(source, field)
      if ('program' in compiled) conditions.push(compiled as MatchCondition)
      else reader.add(compiled)
    }
    seen.add(source)
  }
  return conditions
}

/** Names of all but webhooks are their types' in lower case. */
function checkNames(choices: readonly AuthorizerChoice[], required: ReadonlySet<AuthorizationMode>): void {
  const faults = choices.flatMap(({ type, name }) => {
    const expected = type.toLowerCase()
    if (type === 'Webhook' || name === expected) return []
    return [`expected name ${expected} for authorizer ${type} instead of ${name}`]
  })
  const missing = [...required].filter((mode) => !choices.some(({ type }) => type === mode)).sort()
  if (missing.length > 0) faults.push(`missing required types: [${missing.join(' ')}]`)
  if (faults.length > 0) throw new Error(aggregate(faults))
}
