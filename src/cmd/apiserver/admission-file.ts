// The file of --admission-control-config-file: what each admission plugin is told.
// Follows k8s.io/apiserver/pkg/admission/config.go.
import { dirname, resolve } from 'node:path'
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { StartError } from '../options.ts'
import { yamlFile } from '../access/webhookfile.ts'

/** The first version had a group of its own. */
const VERSIONS: readonly unknown[] = [
  'apiserver.config.k8s.io/v1',
  'apiserver.config.k8s.io/v1alpha1',
  'apiserver.k8s.io/v1alpha1',
]

/** By plugin; what stands in another file is read from there. Rejects with StartError for what cannot be read. */
export async function admissionConfiguration(path: string): Promise<ReadonlyMap<string, JsonObject>> {
  const file = await yamlFile(path)
  if (file['kind'] !== 'AdmissionConfiguration' || !VERSIONS.includes(file['apiVersion'])) {
    throw new StartError(`${path} holds no AdmissionConfiguration of apiserver.config.k8s.io/v1`)
  }
  const plugins = file['plugins']
  const configurations = new Map<string, JsonObject>()
  for (const plugin of Array.isArray(plugins) ? plugins.filter(isObject) : []) {
    const configuration = await configurationOf(plugin, path)
    if (configuration) configurations.set(String(plugin['name'] ?? ''), configuration)
  }
  return configurations
}

async function configurationOf(plugin: JsonObject, path: string): Promise<JsonObject | undefined> {
  const given: Json | undefined = plugin['configuration']
  if (isObject(given)) return given
  const elsewhere = plugin['path']
  if (typeof elsewhere !== 'string' || elsewhere === '') return undefined
  return yamlFile(resolve(dirname(path), elsewhere))
}
