// The configuration of PodSecurity: what namespaces without labels ask for, and who is exempt.
// Follows k8s.io/pod-security-admission/admission/api (v1, load, validation).
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { cause, type StatusCause } from '../../machinery/status.ts'
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../../machinery/validation.ts'
import type { Exemptions, PodSecuritySettings } from './podsecurity.ts'
import {
  LEVEL_FAULT,
  type LevelVersion,
  type Mode,
  parseLevel,
  parseVersion,
  VERSION_FAULT,
} from './policy.ts'

const GROUP = 'pod-security.admission.config.k8s.io'
const VERSIONS: readonly unknown[] = ['v1', 'v1beta1', 'v1alpha1'].map((version) => `${GROUP}/${version}`)

/** Of a PodSecurityConfiguration. Throws an Error with one line for what it cannot be. */
export function podSecuritySettings(configuration: JsonObject): PodSecuritySettings {
  if (
    !VERSIONS.includes(configuration['apiVersion']) ||
    configuration['kind'] !== 'PodSecurityConfiguration'
  ) {
    throw new Error(`PodSecurity: no PodSecurityConfiguration of ${GROUP}/v1`)
  }
  const faults: StatusCause[] = []
  const defaults = objectOf(configuration['defaults'])
  const read = (mode: Mode): LevelVersion => readMode(defaults, mode, faults)
  const settings = {
    defaults: { enforce: read('enforce'), warn: read('warn'), audit: read('audit') },
    exemptions: readExemptions(objectOf(configuration['exemptions']), faults),
  }
  if (faults.length > 0) {
    throw new Error(`PodSecurity: ${faults.map(({ field, message }) => `${field}: ${message}`).join('; ')}`)
  }
  return settings
}

const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})

function readMode(defaults: JsonObject, mode: Mode, faults: StatusCause[]): LevelVersion {
  const text = (key: string, otherwise: string): string => {
    const value = defaults[key] ?? ''
    return value === '' ? otherwise : String(value)
  }
  const [levelText, versionText] = [text(mode, 'privileged'), text(`${mode}-version`, 'latest')]
  const level = parseLevel(levelText)
  const minor = parseVersion(versionText)
  if (level === undefined) faults.push(cause.invalid(`defaults.${mode}`, levelText, LEVEL_FAULT))
  if (minor === undefined) faults.push(cause.invalid(`defaults.${mode}-version`, versionText, VERSION_FAULT))
  return { level: level ?? 'restricted', minor: minor ?? 0 }
}

function readExemptions(given: JsonObject, faults: StatusCause[]): Exemptions {
  const read = (key: keyof Exemptions, faultsOf: (name: string) => readonly string[]): Set<string> => {
    const names = new Set<string>()
    const list = given[key]
    for (const [i, item] of (Array.isArray(list) ? list : []).entries()) {
      const name = String(item)
      const wrong = faultsOf(name)
      const field = `exemptions.${key}[${i}]`
      if (wrong.length > 0) faults.push(cause.invalid(field, name, wrong.join(', ')))
      else if (names.has(name)) faults.push(cause.duplicate(field, name))
      names.add(name)
    }
    return names
  }
  return {
    namespaces: read('namespaces', dns1123LabelErrors),
    runtimeClasses: read('runtimeClasses', (name) => dns1123SubdomainErrors(name)),
    usernames: read('usernames', (name) => (name === '' ? ['username must not be empty'] : [])),
  }
}
