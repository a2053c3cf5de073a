// Webhooks are told of in kubeconfig files: the server, what it is trusted by, and what it is shown.
// Follows LoadKubeconfig in k8s.io/apiserver/pkg/util/webhook, and k8s.io/client-go/tools/clientcmd.
import { dirname, resolve } from 'node:path'
import { parseYaml } from '../schema/yaml.ts'
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import { fileBytes, fileText } from './files.ts'
import { type ClientTls, httpsClient, type HttpsReply } from './https.ts'
import { StartError } from './options.ts'

/** POSTs JSON to the webhook; rejects where nobody answers. */
export type PostJson = (body: Buffer) => Promise<HttpsReply>

/** Rejects with StartError for a file that cannot be read, or that leads nowhere. */
export async function webhookOf(path: string): Promise<PostJson> {
  const { cluster, user } = currentOf(path, await yamlFile(path))
  const url = textOf(cluster['server'])
  if (!/^https?:\/\//.test(url)) throw new StartError(`${path}: its cluster has no server`)
  const read = (from: JsonObject, key: string): string | undefined => pemOf(from, key, dirname(path))
  const [ca, cert, key] = [
    read(cluster, 'certificate-authority'),
    read(user, 'client-certificate'),
    read(user, 'client-key'),
  ]
  const servername = textOf(cluster['tls-server-name'])
  const tls: ClientTls = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(servername === '' ? {} : { servername }),
    ...(cluster['insecure-skip-tls-verify'] === true ? { rejectUnauthorized: false } : {}),
  }
  const client = httpsClient(tls)
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json',
    ...credentials(user, dirname(path)),
  }
  return (body) => client({ method: 'POST', url, headers, body })
}

function currentOf(path: string, config: JsonObject): { cluster: JsonObject; user: JsonObject } {
  const context = named(config['contexts'], config['current-context'], 'context')
  const cluster = context && named(config['clusters'], context['cluster'], 'cluster')
  if (!cluster) throw new StartError(`${path}: its current-context leads to no cluster`)
  return { cluster, user: named(config['users'], context['user'], 'user') ?? {} }
}

/** The object that a file of YAML or JSON holds; rejects with StartError where it holds none. */
export async function yamlFile(path: string): Promise<JsonObject> {
  const bytes = fileBytes(path)
  const { value } = await parseYaml(bytes).catch((error: unknown) => {
    throw new StartError(`${path}: ${error instanceof Error ? error.message : String(error)}`, error)
  })
  if (!isObject(value)) throw new StartError(`${path} holds no object`)
  return value
}

function named(list: Json | undefined, name: Json | undefined, member: string): JsonObject | undefined {
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

function credentials(user: JsonObject, folder: string): { authorization?: string } {
  const file = textOf(user['tokenFile'])
  const token = file === '' ? textOf(user['token']) : fileText(resolve(folder, file)).trim()
  if (token !== '') return { authorization: `Bearer ${token}` }
  const [name, password] = [textOf(user['username']), textOf(user['password'])]
  if (name === '' && password === '') return {}
  return { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` }
}

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
