// Webhooks are told of in kubeconfig files: the server, what it is trusted by, and what it is shown.
// Follows LoadKubeconfig in k8s.io/apiserver/pkg/util/webhook, and k8s.io/client-go/tools/clientcmd.
import { dirname, resolve } from 'node:path'
import { parseYaml } from '../../schema/yaml/yaml.ts'
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { fileBytes, fileText } from '../files.ts'
import type { Reply } from '../webhooks/answer.ts'
import type { HookClient } from '../webhooks/caller.ts'
import { StartError } from '../options.ts'

/** A webhook that a kubeconfig names. */
export interface Webhook {
  /** POSTs JSON; resolves with any reply. Rejects with a HookFailure where nobody answers. */
  post(body: Buffer): Promise<Reply>
  /** POSTs JSON; resolves with the object that is answered. Rejects with an Error in upstream's words. */
  call(body: Buffer): Promise<JsonObject>
  /** Ends the connections that are kept. */
  close(): void
}

/** Of a question, from its first byte to the last of its answer. */
const TIMEOUT_SECONDS = 30

/** Rejects with StartError for a file that cannot be read, or that leads nowhere. */
export async function webhookOf(path: string, timeoutSeconds = TIMEOUT_SECONDS): Promise<Webhook> {
  const { cluster, user } = currentOf(path, await yamlFile(path))
  const url = textOf(cluster['server'])
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw new StartError(`${path}: its cluster has no server`)
  const { HttpsHookCaller } = await import('../webhooks/caller.ts')
  const nowhere = (): Promise<never> => Promise.reject(new Error('it is no service'))
  const client = { ...clientOf(cluster, user, dirname(path)), isBounded: true }
  const caller = new HttpsHookCaller(nowhere, () => client)
  return {
    post: (body) => caller.post({ url }, body, timeoutSeconds),
    call: (body) => caller.call({ url }, body, timeoutSeconds),
    close: () => caller.close(),
  }
}

/** The user of a kubeconfig in this folder. Throws StartError for files that cannot be read. */
export const clientOf = (cluster: JsonObject, user: JsonObject, folder: string): HookClient => ({
  tls: tlsOf(cluster, user, folder),
  headers: credentials(user, folder),
})

function tlsOf(cluster: JsonObject, user: JsonObject, folder: string): HookClient['tls'] {
  const read = (from: JsonObject, key: string): string | undefined => pemOf(from, key, folder)
  const [ca, cert, key] = [
    read(cluster, 'certificate-authority'),
    read(user, 'client-certificate'),
    read(user, 'client-key'),
  ]
  const servername = textOf(cluster['tls-server-name'])
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(servername === '' ? {} : { servername }),
    ...(cluster['insecure-skip-tls-verify'] === true ? { rejectUnauthorized: false } : {}),
  }
}

function currentOf(path: string, config: JsonObject): { cluster: JsonObject; user: JsonObject } {
  const context = named(config['contexts'], config['current-context'], 'context')
  const cluster = context && named(config['clusters'], context['cluster'], 'cluster')
  if (!cluster) throw new StartError(`${path}: its current-context leads to no cluster`)
  return { cluster, user: named(config['users'], context['user'], 'user') ?? {} }
}

/** The object that a file of YAML or JSON holds; rejects with StartError where it holds none. */
export const yamlFile = async (path: string): Promise<JsonObject> => yamlObject(path, fileBytes(path))

/** The same, of what was read from the file before. */
export async function yamlObject(path: string, bytes: Buffer): Promise<JsonObject> {
  const { value } = await parseYaml(bytes).catch((error: unknown) => {
    throw new StartError(`${path}: ${error instanceof Error ? error.message : String(error)}`, error)
  })
  if (!isObject(value)) throw new StartError(`${path} holds no object`)
  return value
}

export function named(
  list: Json | undefined,
  name: Json | undefined,
  member: string,
): JsonObject | undefined {
  if (!Array.isArray(list)) return undefined
  const entry = list.find((item) => isObject(item) && item['name'] === name)
  const value = isObject(entry) ? entry[member] : undefined
  return isObject(value) ? value : undefined
}

/** Of "key-data", in base64, or of the file that "key" names. */
function pemOf(from: JsonObject, key: string, folder: string): string | undefined {
  const data = textOf(from[`${key}-data`])
  if (data !== '') return Buffer.from(data, 'base64').toString()
  const file = textOf(from[key])
  return file === '' ? undefined : fileText(resolve(folder, file))
}

function credentials(user: JsonObject, folder: string): HookClient['headers'] {
  const file = textOf(user['tokenFile'])
  const token = textOf(user['token'])
  if (token !== '') return bearing(() => token)
  if (file !== '') return bearing(tokenIn(resolve(folder, file)))
  const [name, password] = [textOf(user['username']), textOf(user['password'])]
  if (name === '' && password === '') return () => ({})
  const shown = { Authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` }
  return () => shown
}

const bearing =
  (token: () => string): HookClient['headers'] =>
  () => ({ Authorization: `Bearer ${token()}` })

/** How long client-go goes by what it has read of a token's file. */
const TOKEN_FILE_MS = 60_000

/** Throws StartError where there is no file now; later the last token that could be read counts. */
function tokenIn(path: string): () => string {
  let readAt = performance.now()
  let token = fileText(path).trim()
  return () => {
    if (performance.now() - readAt < TOKEN_FILE_MS) return token
    readAt = performance.now()
    try {
      token = fileText(path).trim()
    } catch (error) {
      if (!(error instanceof StartError)) throw error
    }
    return token
  }
}

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
