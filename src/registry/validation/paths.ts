// Rules of paths in a container's file system, and of the modes of files there.
// Follows pkg/apis/core/validation.
import type { Spot } from './spot.ts'

const MODE = 'must be a number between 0 and 0777 (octal), both inclusive'

/** No part of it leads upwards. */
export function staysInside(spot: Spot): void {
  if (spot.text.split('/').includes('..')) spot.invalid("must not contain '..'", spot.text)
}

/** Relative, and not upwards. */
export function isDescending(spot: Spot): void {
  if (spot.text.startsWith('/')) spot.invalid('must be a relative path', spot.text)
  staysInside(spot)
}

/** Descending, and not one of the names that the kubelet keeps for itself. */
export function isFreeDescending(spot: Spot): void {
  isDescending(spot)
  if (spot.text.startsWith('..') && !spot.text.startsWith('../')) {
    spot.invalid("must not start with '..'", spot.text)
  }
}

/** Permission bits, if given. */
export function isMode(spot: Spot): void {
  if (spot.isSet && (spot.number < 0 || spot.number > 0o777)) spot.invalid(MODE, spot.exact)
}
