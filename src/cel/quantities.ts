// Quantities of resources: quantity("500m"). Follows k8s.io/apiserver/pkg/cel/library/quantity.go.
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  newQuantity,
  parseQuantity,
  QuantityError,
  quantityMilliValue,
  quantityValue,
  subtractQuantities,
  type Quantity,
} from '../machinery/quantity.ts'
import { CelError } from './fault.ts'
import type { Library } from './overload.ts'
import { walk } from './size.ts'
import { OpaqueValue, type Value } from './values.ts'

const TYPE = 'kubernetes.Quantity'

function parsed(text: string): Quantity | QuantityError {
  try {
    return parseQuantity(text)
  } catch (error) {
    if (error instanceof QuantityError) return error
    throw error
  }
}

const quantityOf = (value: Value | undefined): Quantity => (value as OpaqueValue).data as Quantity

/** Two are equal where they are as much, however they are written. */
function quantityValueOf(quantity: Quantity): OpaqueValue {
  const plain = addQuantities(newQuantity(0, 'DecimalSI'), quantity)
  return new OpaqueValue(TYPE, quantity, formatQuantity(plain))
}

const ZERO = (): Quantity => newQuantity(0, 'DecimalSI')
const isWhole = (quantity: Quantity): boolean =>
  compareQuantities(newQuantity(quantityValue(quantity), 'DecimalSI'), quantity) === 0

export const quantities: Library = (define) => {
  define(
    `quantity(string) ${TYPE}`,
    ([text]) => {
      const quantity = parsed(text as string)
      if (quantity instanceof QuantityError) throw new CelError(quantity.message)
      return quantityValueOf(quantity)
    },
    walk,
  )
  define('isQuantity(string) bool', ([text]) => !(parsed(text as string) instanceof QuantityError), walk)
  define(`sign(${TYPE}) int`, ([a]) => BigInt(Math.sign(compareQuantities(quantityOf(a), ZERO()))))
  define(
    `${TYPE}->isGreaterThan(${TYPE}) bool`,
    ([a, b]) => compareQuantities(quantityOf(a), quantityOf(b)) > 0,
  )
  define(`${TYPE}->isLessThan(${TYPE}) bool`, ([a, b]) => compareQuantities(quantityOf(a), quantityOf(b)) < 0)
  define(`${TYPE}->compareTo(${TYPE}) int`, ([a, b]) =>
    BigInt(Math.sign(compareQuantities(quantityOf(a), quantityOf(b)))),
  )
  define(`${TYPE}->asApproximateFloat() double`, ([a]) => quantityMilliValue(quantityOf(a)) / 1000)
  define(`${TYPE}->asInteger() int`, ([a]) => {
    if (!isWhole(quantityOf(a))) throw new CelError('cannot convert value to integer')
    return BigInt(quantityValue(quantityOf(a)))
  })
  define(`${TYPE}->isInteger() bool`, ([a]) => isWhole(quantityOf(a)))
  define(`${TYPE}->add(${TYPE}) ${TYPE}`, ([a, b]) =>
    quantityValueOf(addQuantities(quantityOf(a), quantityOf(b))),
  )
  define(`${TYPE}->add(int) ${TYPE}`, ([a, b]) =>
    quantityValueOf(addQuantities(quantityOf(a), newQuantity(b as bigint, 'DecimalSI'))),
  )
  define(`${TYPE}->sub(${TYPE}) ${TYPE}`, ([a, b]) =>
    quantityValueOf(subtractQuantities(quantityOf(a), quantityOf(b))),
  )
  define(`${TYPE}->sub(int) ${TYPE}`, ([a, b]) =>
    quantityValueOf(subtractQuantities(quantityOf(a), newQuantity(b as bigint, 'DecimalSI'))),
  )
}
