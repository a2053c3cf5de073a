// A kubeconfig as a client's options: where the server is, what it is trusted by, who asks. YAML is read by the caller.
// Follows k8s.io/client-go/tools/clientcmd (client_config.go, loader.go) and transport/token_source.go.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import type { Http2Options } from './http2.ts'

/** Token files are read again after this long, as upstream reads them. */
const TOKEN_FILE_MS = 60_000

/** A kubeconfig that leads to no server; the message says why. */
export class KubeconfigFault extends Error {}

/**
 * What the current context says; file names are relative to `folder`. Throws KubeconfigFault, or node's error for a
 * file that cannot be read.
 */
export function clientOptions(config: JsonObject, folder: string): Http2Options {
  const context = entry(config, 'contexts', config['current-context'], 'context')
  const cluster = entry(config, 'clusters', context['cluster'], 'cluster')
  const user = context['user'] === undefined ? {} : entry(config, 'users', context['user'], 'user')
  const server = textOf(cluster['server'])
  if (!/^https?:\/\/./.test(server)) throw new KubeconfigFault('its cluster has no server')
  for (const way of ['exec', 'auth-provider'])
    if (user[way] !== undefined) throw new KubeconfigFault(`its user asks for ${way}, which is not supported`)
  return {
    server,
    ...pem('ca', cluster, 'certificate-authority', folder),
    ...pem('cert', user, 'client-certificate', folder),
    ...pem('key', user, 'client-key', folder),
    ...tokenOf(user, folder),
    ...(cluster['insecure-skip-tls-verify'] === true ? { insecureSkipTlsVerify: true } : {}),
    ...(textOf(cluster['tls-server-name']) === ''
      ? {}
      : { tlsServerName: textOf(cluster['tls-server-name']) }),
  }
}

function entry(config: JsonObject, list: string, name: Json | undefined, member: string): JsonObject {
  const items = config[list]
  const item = Array.isArray(items) ? items.find((one) => isObject(one) && one['name'] === name) : undefined
  const found = isObject(item) ? item[member] : undefined
  if (!isObject(found)) throw new KubeconfigFault(`it has no ${member} ${JSON.stringify(name ?? '')}`)
  return found
}

/** Of "name-data", in base64, or of the file that "name" says. */
function pem<K extends string>(as: K, from: JsonObject, name: string, folder: string): { [P in K]?: string } {
  const data = textOf(from[`${name}-data`])
  const file = textOf(from[name])
  if (data === '' && file === '') return {}
  const text =
    data === '' ? readFileSync(resolve(folder, file), 'utf8') : Buffer.from(data, 'base64').toString()
  return { [as]: text } as { [P in K]?: string }
}

function tokenOf(user: JsonObject, folder: string): { token?: () => string | undefined } {
  const file = textOf(user['tokenFile'])
  if (file !== '') return { token: tokenFile(resolve(folder, file)) }
  const token = textOf(user['token'])
  return token === '' ? {} : { token: () => token }
}

/** The token in the file, read again from time to time; a file that is gone for a while leaves the last token in use. */
function tokenFile(path: string): () => string {
  let token = readFileSync(path, 'utf8').trim()
  let readAt = Date.now()
  return () => {
    if (Date.now() - readAt < TOKEN_FILE_MS) return token
    readAt = Date.now()
    try {
      token = readFileSync(path, 'utf8').trim()
    } catch {
      // The kubelet that renews it may be in the middle of that.
    }
    return token
  }
}

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
