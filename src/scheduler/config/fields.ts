// Reads one object of a configuration file, field by field: what is of another type than it should be, and what nobody
// asked for, is a fault, and all faults are told of at once.
// Follows the strict decoding of k8s.io/kubernetes/cmd/kube-scheduler/app/options/configfile.go.
import { parseDuration } from '../../machinery/duration.ts'
import { cause, type StatusCause } from '../../machinery/status.ts'

const NANOSECONDS_PER_MS = 1_000_000

export class Fields {
  readonly #object: Readonly<Record<string, unknown>>
  readonly #path: string
  readonly #faults: StatusCause[]
  readonly #left: Set<string>

  /** `path` is '' for the whole file. What is no object counts as an empty one, and is a fault. */
  constructor(value: unknown, path: string, faults: StatusCause[]) {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    if (!isObject && value !== undefined && value !== null)
      faults.push(cause.invalid(path, value, 'must be an object'))
    this.#object = isObject ? (value as Record<string, unknown>) : {}
    this.#path = path
    this.#faults = faults
    this.#left = new Set(Object.keys(this.#object))
  }

  /** Where a field stands: "profiles[0].schedulerName". */
  pathOf(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`
  }

  has(name: string): boolean {
    const value = Object.hasOwn(this.#object, name) ? this.#object[name] : undefined
    return value !== undefined && value !== null
  }

  text(name: string, otherwise = ''): string {
    return this.#take(name, otherwise, 'a string', (value) => typeof value === 'string')
  }

  boolean(name: string, otherwise = false): boolean {
    return this.#take(name, otherwise, 'a boolean', (value) => typeof value === 'boolean')
  }

  integer(name: string, otherwise: number): number {
    return this.#take(name, otherwise, 'an integer', Number.isSafeInteger)
  }

  number(name: string, otherwise: number): number {
    return this.#take(name, otherwise, 'a number', (value) => typeof value === 'number')
  }

  /** A Go duration, in ms. */
  duration(name: string, otherwise: number): number {
    const text = this.#take<string | undefined>(name, undefined, 'a duration', isDuration)
    return text === undefined ? otherwise : Number(parseDuration(text)) / NANOSECONDS_PER_MS
  }

  list<T>(name: string, read: (item: unknown, path: string) => T): T[] {
    const items = this.#take<unknown[]>(name, [], 'a list', Array.isArray)
    return items.map((item, i) => read(item, `${this.pathOf(name)}[${i}]`))
  }

  texts(name: string): string[] {
    return this.list(name, (item, path) => {
      if (typeof item === 'string') return item
      this.#faults.push(cause.invalid(path, item, 'must be a string'))
      return ''
    })
  }

  /** An object within; an empty one where there is none. */
  fields(name: string): Fields {
    this.#left.delete(name)
    return new Fields(this.has(name) ? this.#object[name] : undefined, this.pathOf(name), this.#faults)
  }

  /** Anything, to be read by somebody else. */
  any(name: string): unknown {
    this.#left.delete(name)
    return this.has(name) ? this.#object[name] : undefined
  }

  /** To be called last: whatever was not asked for is unknown. */
  done(): void {
    for (const name of this.#left) {
      const shown = JSON.stringify(this.pathOf(name))
      this.#faults.push({
        reason: 'FieldValueInvalid',
        message: `strict decoding error: unknown field ${shown}`,
      })
    }
  }

  #take<T>(name: string, otherwise: T, what: string, isOne: (value: unknown) => boolean): T {
    this.#left.delete(name)
    if (!this.has(name)) return otherwise
    const value = this.#object[name]
    if (isOne(value)) return value as T
    this.#faults.push(cause.invalid(this.pathOf(name), value, `must be ${what}`))
    return otherwise
  }
}

function isDuration(value: unknown): boolean {
  if (typeof value !== 'string') return false
  try {
    parseDuration(value)
    return true
  } catch {
    return false
  }
}
