// The parts that rows of the strategy tables share: which half of an object each kind of write leaves alone.
// Follows GetResetFields of pkg/registry/*/*/strategy.go.
import { emptiedAt, hasEmptied } from '../machinery/emptied.ts'
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { sameAt } from './equality.ts'
import type { Strategy, WriteContext } from './strategy.ts'

/** Writes of the object leave its status alone, writes of the status leave the spec. */
export const STATUS_APART = { '': ['status'], status: ['spec'] } as const
/** And the status write leaves metadata alone too. */
export const STATUS_ONLY = { '': ['status'], status: ['metadata', 'spec'] } as const

const empty = (): JsonObject => ({})

/** A kind with a spec that is counted and a status that begins empty. */
export const WITH_STATUS: Strategy = { resetFields: STATUS_APART, initialStatus: empty }
export const COUNTED: Strategy = { ...WITH_STATUS, hasGeneration: true }

/** The rules of a kind: of a new object, and of a change. */
export const held = (
  validateCreate: NonNullable<Strategy['validateCreate']>,
  validateUpdate: NonNullable<Strategy['validateUpdate']>,
): Strategy => ({ validateCreate, validateUpdate })

/** A generation that counts changes of other fields than the spec. */
export const changesOf =
  (...fields: readonly string[]) =>
  (object: KubeObject, old: KubeObject, { resource }: WriteContext): boolean =>
    fields.some((field) => !sameAt(resource, [field], [object, old]))

/** The same where upstream tells an empty list or map, which only what was just sent has, from none. */
export const changesExactly =
  (field: string) =>
  (object: KubeObject, old: KubeObject, context: WriteContext): boolean =>
    changesOf(field)(object, old, context) ||
    hasEmptied(object[field]) ||
    (object[field] === undefined && emptiedAt(object, field) !== undefined)
