// Rules of containers on Windows: the account they run as, and those that are processes of the host.
// Follows pkg/apis/core/validation (validateWindowsSecurityContextOptions, validateWindowsHostProcessPod).
import type { JsonObject } from '../../machinery/json.ts'
import { nameIsDnsSubdomain } from '../../machinery/names.ts'
import { objectAt } from '../reading.ts'
import type { Spot } from './spot.ts'

const MAX_GMSA_KIB = 64
const MAX_DOMAIN = 256
const MAX_USER = 104
const CONTROL = /[\x00-\x1f\x7f]/
const NET_BIOS = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/
const DNS_DOMAIN = /^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*$/
const ONLY_DOTS = /^[. ]+$/
const BAD_IN_USER = /["/\\:;|=,+*?<>@[\]]/

function gmsa(spec: Spot): void {
  if (!spec.isSet) return
  if (!spec.text) spec.invalid('gmsaCredentialSpec cannot be an empty string')
  else if (Buffer.byteLength(spec.text) > MAX_GMSA_KIB * 1024) {
    spec.invalid(`gmsaCredentialSpec size must be under ${MAX_GMSA_KIB} KiB`)
  }
}

/** DOMAIN\user, or the user alone. */
function account(name: Spot): void {
  if (!name.isSet) return
  const parts = name.text.split('\\')
  if (!name.text) return name.invalid('runAsUserName cannot be an empty string')
  if (CONTROL.test(name.text)) return name.invalid('runAsUserName cannot contain control characters')
  if (parts.length > 2) return name.invalid('runAsUserName cannot contain more than one backslash')
  const user = parts.at(-1) ?? ''
  const domain = parts.length > 1 ? (parts[0] ?? '') : undefined
  if ((domain ?? '').length >= MAX_DOMAIN) {
    name.invalid(`runAsUserName's Domain length must be under ${MAX_DOMAIN} characters`)
  }
  if (domain !== undefined && !NET_BIOS.test(domain) && !DNS_DOMAIN.test(domain)) {
    name.invalid("runAsUserName's Domain doesn't match the NetBios nor the DNS format")
  }
  if (!user) name.invalid("runAsUserName's User cannot be empty")
  else if (user.length > MAX_USER) {
    name.invalid(`runAsUserName's User length must not be longer than ${MAX_USER} characters`)
  }
  if (ONLY_DOTS.test(user)) name.invalid("runAsUserName's User cannot contain only periods or spaces")
  if (BAD_IN_USER.test(user)) {
    name.invalid('runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]')
  }
}

/** securityContext.windowsOptions, of a pod or of a container. */
export function windowsOptions(options: Spot): void {
  if (!options.isSet) return
  options.at('gmsaCredentialSpecName').ifSet((text) => nameIsDnsSubdomain(text, false))
  gmsa(options.at('gmsaCredentialSpec'))
  account(options.at('runAsUserName'))
}

const isWindows = (holder: JsonObject): boolean =>
  objectAt(holder['securityContext'])['windowsOptions'] !== undefined

/** All containers are processes of the host, or none is; `containers` are those of every sort. */
export function hostProcesses(spec: Spot, containers: readonly Spot[]): void {
  if (!isWindows(spec.object) && !containers.some((container) => isWindows(container.object))) return
  const options = spec.at('securityContext').at('windowsOptions')
  let hosted = 0
  const whole = options.at('hostProcess').value
  for (const container of containers) {
    const own = container.at('securityContext').at('windowsOptions').at('hostProcess')
    if (options.at('hostProcess').isSet && own.isSet && own.value !== whole) {
      own.invalid(`pod hostProcess value must be identical if both are specified, was ${String(whole)}`)
    }
    if ((own.isSet ? own.value : whole) === true) hosted++
  }
  if (hosted === 0) return
  if (hosted !== containers.length) {
    spec.invalid(
      'If pod contains any hostProcess containers then all containers must be HostProcess containers',
      '',
    )
  }
  const network = spec.at('hostNetwork')
  if (network.value !== true) {
    network.invalid('hostNetwork must be true if pod contains any hostProcess containers', false)
  }
  if (!spec.policy.allowPrivileged) spec.forbidden('hostProcess containers are disallowed by cluster policy')
}
