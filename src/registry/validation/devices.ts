// Rules of resource claims and of their templates: what was asked for does not change, and what is not allocated is
// reserved for nobody. The rules of single requests, devices and pools are not there yet (docs/compatibility.md).
// Follows pkg/apis/resource/validation.
import { onUpdate } from './rules.ts'
import type { Spot } from './spot.ts'

function claimStatus(claim: Spot): void {
  const status = claim.at('status')
  if (status.at('reservedFor').isEmpty || status.at('allocation').isSet) return
  status.at('reservedFor').forbidden('may not be specified when `allocated` is not set')
}

export const validateResourceClaimUpdate = onUpdate(
  (claim, old) => void claim.at('spec').unchanged(old['spec']),
  claimStatus,
)
export const validateClaimTemplateUpdate = onUpdate(
  (template, old) => void template.at('spec').unchanged(old['spec']),
)
