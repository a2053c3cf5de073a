// Rules of lists of metav1.Condition in a status.
// Used by the kinds whose conditions are of that type. Follows apimachinery/pkg/apis/meta/v1/validation.
import { regexError } from '../../machinery/validation.ts'
import type { Spot } from './spot.ts'

const STATUSES = ['False', 'True', 'Unknown']
const REASON = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?'
const REASON_WORDS =
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'"
const MAX_REASON_BYTES = 1024
const MAX_MESSAGE_BYTES = 32_768
const isReason = new RegExp(`^${REASON}$`)

const isLongerThan = (spot: Spot, bytes: number): boolean => Buffer.byteLength(spot.text) > bytes

function condition(spot: Spot): void {
  spot.at('type').isQualifiedName()
  spot.at('status').oneOf(STATUSES)
  spot.at('observedGeneration').atLeast(0, 'must be greater than or equal to zero')
  spot.at('lastTransitionTime').needed()
  const [reason, message] = [spot.at('reason'), spot.at('message')]
  if (reason.needed()) {
    if (!isReason.test(reason.text)) {
      reason.invalid(
        regexError(
          REASON_WORDS,
          REASON,
          'my_name',
          'MY_NAME',
          'MyName',
          'ReasonA,ReasonB',
          'ReasonA:ReasonB',
        ),
      )
    }
    if (isLongerThan(reason, MAX_REASON_BYTES)) reason.tooLong(MAX_REASON_BYTES)
  }
  if (isLongerThan(message, MAX_MESSAGE_BYTES)) message.tooLong(MAX_MESSAGE_BYTES)
}

/** Each type once, and each condition whole. */
export function conditions(list: Spot): void {
  const seen = new Set<string>()
  for (const item of list.items()) {
    const type = item.at('type')
    if (seen.has(type.text)) type.duplicate()
    seen.add(type.text)
    condition(item)
  }
}
