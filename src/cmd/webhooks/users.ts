// Who asks the webhooks of admission: users of the kubeconfig that an admission plugin is told of, named after the hosts
// that they are for. Follows k8s.io/apiserver/pkg/util/webhook/authentication.go.
import { dirname } from 'node:path'
import { isObject, type JsonObject } from '../../machinery/json.ts'
import { StartError } from '../options.ts'
import type { HookClient, HookClients } from './caller.ts'
import { clientOf, named, yamlFile } from '../access/webhookfile.ts'

/** Rejects with StartError for a file that cannot be read, or whose users cannot be. */
export async function hookUsers(path: string): Promise<HookClients> {
  const config = await yamlFile(path)
  const users = new Map<string, HookClient>()
  const given = config['users']
  for (const entry of Array.isArray(given) ? given.filter(isObject) : []) {
    const user = isObject(entry['user']) ? entry['user'] : {}
    users.set(String(entry['name'] ?? ''), userOf(path, user))
  }
  const context = named(config['contexts'], config['current-context'], 'context')
  const preset = users.get('*') ?? users.get(String(context?.['user'] ?? '')) ?? userOf(path, {})
  return (host) => userFor(users, host) ?? preset
}

function userOf(path: string, user: JsonObject): HookClient {
  for (const helper of ['exec', 'auth-provider'])
    if (user[helper] !== undefined) throw new StartError(`${path}: users with ${helper} are not supported`)
  return clientOf({}, user, dirname(path))
}

const DEFAULT_PORT = ':443'

/** Of `name.namespace.svc:443`: that name, `*.namespace.svc:443` and so on; then the same without the port. */
function userFor(users: ReadonlyMap<string, HookClient>, host: string): HookClient | undefined {
  const found = namedAfter(users, host)
  if (found || !host.endsWith(DEFAULT_PORT)) return found
  return namedAfter(users, host.slice(0, -DEFAULT_PORT.length))
}

function namedAfter(users: ReadonlyMap<string, HookClient>, host: string): HookClient | undefined {
  const steps = host.split('.')
  const names = [host, ...steps.slice(1).map((_, i) => `*.${steps.slice(i + 1).join('.')}`)]
  return names.map((name) => users.get(name)).find((user) => user !== undefined)
}
