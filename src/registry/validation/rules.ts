// How a file of rules becomes the validation functions of a strategy.
// Used by every file of this folder that needs no more than its spot.
import type { KubeObject } from '../../machinery/object.ts'
import type { StatusCause } from '../../machinery/status.ts'
import type { WriteContext } from '../strategy.ts'
import { Spot } from './spot.ts'

export type CreateRules = (object: KubeObject, context: WriteContext) => StatusCause[]
export type UpdateRules = (object: KubeObject, old: KubeObject, context: WriteContext) => StatusCause[]

/** Rules of a new object. */
export const onCreate =
  (rules: (object: Spot) => void): CreateRules =>
  (object, context) => {
    const causes: StatusCause[] = []
    rules(Spot.of(object, causes, context.settings))
    return causes
  }

/** Rules of a change; a status write has rules of its own, or none. */
export const onUpdate =
  (
    rules: (object: Spot, old: KubeObject) => void,
    status?: (object: Spot, old: KubeObject) => void,
  ): UpdateRules =>
  (object, old, context) => {
    const causes: StatusCause[] = []
    const spot = Spot.of(object, causes, context.settings)
    if (context.subresource !== 'status') rules(spot, old)
    else status?.(spot, old)
    return causes
  }
