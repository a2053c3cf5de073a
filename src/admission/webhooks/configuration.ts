// What --admission-control-config-file may tell the plugins that ask webhooks.
// Follows k8s.io/apiserver/pkg/admission/plugin/webhook/config.
import { isAbsolute } from 'node:path'
import { isObject, type JsonObject } from '../../machinery/json.ts'

const API_VERSION = 'apiserver.config.k8s.io/v1'
const KIND = 'WebhookAdmissionConfiguration'
const FIELDS: readonly string[] = ['apiVersion', 'kind', 'kubeConfigFile', 'staticManifestsDir']

/**
 * The kubeconfig that says who asks; "" for none. Throws an Error with one line of text for a configuration that is none.
 */
export function kubeConfigFileOf(configuration: JsonObject | undefined): string {
  if (!isObject(configuration)) return ''
  const { apiVersion, kind, kubeConfigFile = '', staticManifestsDir = '' } = configuration
  if (apiVersion !== API_VERSION || kind !== KIND)
    throw new Error(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`)
  const unknown = Object.keys(configuration).find((field) => !FIELDS.includes(field))
  if (unknown !== undefined)
    throw new Error(`strict decoding error: unknown field ${JSON.stringify(unknown)}`)
  if (typeof kubeConfigFile !== 'string' || (kubeConfigFile !== '' && !isAbsolute(kubeConfigFile)))
    throw new Error(
      `kubeConfigFile: Invalid value: ${JSON.stringify(kubeConfigFile)}: must be an absolute file path`,
    )
  if (staticManifestsDir !== '')
    throw new Error(`staticManifestsDir: Forbidden: ${MANIFESTS} feature gate to be enabled`)
  return kubeConfigFile
}

const MANIFESTS = 'staticManifestsDir requires the ManifestBasedAdmissionControlConfig'
