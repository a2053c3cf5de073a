// What the devices of a claim must have in common, or must not. Follows matchAttributeConstraint and
// distinctAttributeConstraint of k8s.io/dynamic-resource-allocation/structured/internal.
import type { DeviceConstraint } from '../../../client/kinds/resource.v1.gen.ts'
import type { PooledDevice } from './pools.ts'

export class Constraint {
  readonly #requests: readonly string[]
  readonly #attribute: string
  readonly #isDistinct: boolean
  /** Values of the devices that are chosen. */
  readonly #values: string[] = []

  constructor({ requests = [], matchAttribute, distinctAttribute }: DeviceConstraint) {
    this.#requests = requests
    this.#attribute = matchAttribute ?? distinctAttribute ?? ''
    this.#isDistinct = matchAttribute === undefined
  }

  /** Adds the device of this request; false: it does not go with the others, and is not added. */
  add(request: string, one: PooledDevice): boolean {
    if (!this.#concerns(request)) return true
    const value = valueOf(one, this.#attribute)
    if (value === undefined) return false
    const isFitting = this.#isDistinct
      ? !this.#values.includes(value)
      : this.#values.length === 0 || this.#values[0] === value
    if (isFitting) this.#values.push(value)
    return isFitting
  }

  /** Takes back the device that was added last for this request. */
  drop(request: string): void {
    if (this.#concerns(request)) this.#values.pop()
  }

  /** A request is meant by its own name, and each of its alternatives by both names. */
  #concerns(request: string): boolean {
    if (this.#requests.length === 0) return true
    return this.#requests.includes(request) || this.#requests.includes(request.split('/', 1)[0] ?? '')
  }
}

/** The attribute with its type; a name without a domain is of the driver's domain. */
function valueOf({ device, driver }: PooledDevice, attribute: string): string | undefined {
  const { attributes = {} } = device
  const at = (name: string) => (Object.hasOwn(attributes, name) ? attributes[name] : undefined)
  const prefix = `${driver}/`
  const found =
    at(attribute) ?? (attribute.startsWith(prefix) ? at(attribute.slice(prefix.length)) : undefined)
  return found === undefined ? undefined : JSON.stringify(found)
}
