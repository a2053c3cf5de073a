// DenyServiceExternalIPs: no service takes an address that it has not had before.
// Follows plugin/pkg/admission/network/denyserviceexternalips.
import { isObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { forbid } from '../forbid.ts'
import { type AdmissionAttributes, type AdmissionPlugin, type AdmissionTarget, isFor } from '../plugin.ts'

const SERVICES = { group: '', resource: 'services' }

export class DenyServiceExternalIPs implements AdmissionPlugin {
  readonly name = 'DenyServiceExternalIPs'

  handles(target: AdmissionTarget): boolean {
    return (target.operation === 'CREATE' || target.operation === 'UPDATE') && isFor(target, SERVICES)
  }

  validate(attributes: AdmissionAttributes): void {
    const before = new Set(addressesOf(attributes.old))
    if (addressesOf(attributes.object).every((address) => before.has(address))) return
    throw forbid(attributes, 'Use of external IPs is denied by admission control')
  }
}

function addressesOf(service: KubeObject | undefined): readonly unknown[] {
  const spec = service?.['spec']
  const addresses = isObject(spec) ? spec['externalIPs'] : undefined
  return Array.isArray(addresses) ? addresses : []
}
