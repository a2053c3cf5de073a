// Rules of persistent volume claims.
// Follows pkg/apis/core/validation.
import { nameIsDnsLabel, nameIsDnsSubdomain } from '../../machinery/names.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { compareQuantities, parseQuantity, quantityValue } from '../../machinery/quantity.ts'
import type { StatusCause } from '../../machinery/status.ts'
import type { WriteContext } from '../strategy.ts'
import { claimChange } from './claimupdates.ts'
import { amountAt, isAmountOf, isPositive } from './resources.ts'
import { Spot } from './spot.ts'

export const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
export const VOLUME_MODES = ['Block', 'Filesystem']
const ZERO = parseQuantity('0')

const isSubdomain = (text: string): string[] => nameIsDnsSubdomain(text, false)

/** Known access modes, the exclusive one alone. */
export function accessModes(modes: Spot): void {
  for (const mode of modes.items()) {
    if (!ACCESS_MODES.includes(mode.text)) modes.notSupported(ACCESS_MODES, mode.text)
  }
  const known = modes
    .items()
    .map((mode) => mode.text)
    .filter((mode) => ACCESS_MODES.includes(mode))
  if (known.includes('ReadWriteOncePod') && known.some((mode) => mode !== 'ReadWriteOncePod')) {
    modes.forbidden('may not use ReadWriteOncePod with other access modes')
  }
}

function dataSource(source: Spot, anyGroup: boolean): void {
  if (!source.isSet) return
  const [group, kind] = [source.at('apiGroup'), source.at('kind')]
  source.at('name').needed()
  kind.needed()
  if (group.isEmpty && kind.text !== 'PersistentVolumeClaim') {
    source.invalid("must be 'PersistentVolumeClaim' when referencing the default apiGroup", kind.text)
  }
  if (!anyGroup) group.ifSet(isSubdomain)
  source.at('namespace').ifSet((text) => nameIsDnsLabel(text, false))
}

function dataSources(spec: Spot, anyGroup: boolean): void {
  const [source, ref] = [spec.at('dataSource'), spec.at('dataSourceRef')]
  dataSource(source, anyGroup)
  dataSource(ref, anyGroup)
  if (!source.isSet || !ref.isSet) return
  const shown = {}
  if (ref.at('namespace').text)
    spec.invalid('may not be specified when dataSourceRef.namespace is specified', shown)
  else if (['apiGroup', 'kind', 'name'].some((name) => source.at(name).text !== ref.at(name).text)) {
    spec.invalid('must match dataSourceRef', shown)
  }
}

/** The spec of a claim, or of a template that claims are made from. `anyGroup`: of the sources as well. */
export function claimSpec(spec: Spot, anyGroup = false): void {
  spec.at('accessModes').needed('at least 1 access mode is required')
  spec.at('selector').isSelector()
  accessModes(spec.at('accessModes'))
  const storage = spec.at('resources').at('requests').key('storage')
  const shown = spec.at('resources').key('storage').with(storage.value)
  if (!storage.isSet) shown.required()
  else if (compareQuantities(amountAt(storage) ?? ZERO, ZERO) > 0) isAmountOf(shown, 'storage')
  else isPositive(shown)
  spec.at('storageClassName').ifSet(isSubdomain)
  spec.at('volumeMode').oneOfIfSet(VOLUME_MODES)
  dataSources(spec, anyGroup)
  spec.at('volumeAttributesClassName').ifSet(isSubdomain)
}

export function validateClaim(claim: KubeObject): StatusCause[] {
  const causes: StatusCause[] = []
  claimSpec(Spot.of(claim, causes).at('spec'))
  return causes
}

const RESIZES = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizePending',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
].sort()

const isNative = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/')

/** Of the names that are Kubernetes' own only `storage` may be resized. */
function isResizable(list: Spot, name: string): boolean {
  const spot = list.with(name)
  if (!spot.isQualifiedName()) return false
  if (!isNative(name) || name === 'storage') return true
  spot.notSupported(['storage'], name)
  return false
}

function isSound(spot: Spot): boolean {
  const amount = amountAt(spot)
  if (!amount || compareQuantities(amount, ZERO) >= 0) return true
  spot.invalid('must be a valid resource quantity', quantityValue(amount))
  return false
}

function claimStatus(status: Spot): void {
  const [capacity, resizes] = [status.at('capacity'), status.at('allocatedResourceStatuses')]
  const allocated = status.at('allocatedResources')
  for (const name of capacity.keys()) isSound(capacity.key(name))
  for (const name of resizes.keys()) {
    isResizable(resizes, name)
    if (!RESIZES.includes(resizes.key(name).text)) resizes.notSupported(RESIZES, name)
  }
  for (const name of allocated.keys()) {
    if (isResizable(allocated, name) && isSound(allocated.key(name)))
      isAmountOf(allocated.key(name), 'storage')
  }
}

export function validateClaimUpdate(
  claim: KubeObject,
  old: KubeObject,
  context: WriteContext,
): StatusCause[] {
  const causes: StatusCause[] = []
  const spot = Spot.of(claim, causes)
  if (context.subresource === 'status') {
    claimStatus(spot.at('status'))
    return causes
  }
  const spec = spot.at('spec')
  const before = Spot.of(old, causes).at('spec')
  claimSpec(
    spec,
    ['dataSource', 'dataSourceRef'].some((name) => before.at(name).at('apiGroup').isSet),
  )
  claimChange(spot, old)
  return causes
}
