// Which types may stand for which: assignment, and what type parameters are bound to on the way.
// Follows cel-go checker/{types.go,mapping.go}.
import { DYN, sameType, type CelType } from './types.ts'

/** Bindings of type parameters. */
export class Mapping {
  #bound: Map<string, CelType>
  constructor(bound = new Map<string, CelType>()) {
    this.#bound = bound
  }
  copy(): Mapping {
    return new Mapping(new Map(this.#bound))
  }
  take(other: Mapping): void {
    this.#bound = other.#bound
  }

  /** The type with parameters replaced by what they are bound to; unbound ones by dyn, where `free` is false. */
  substitute(type: CelType, free = true): CelType {
    switch (type.kind) {
      case 'param': {
        const bound = this.#bound.get(type.name)
        if (bound) return this.substitute(bound, free)
        return free ? type : DYN
      }
      case 'list':
        return { ...type, item: this.substitute(type.item, free) }
      case 'map':
        return { kind: 'map', key: this.substitute(type.key, free), value: this.substitute(type.value, free) }
      case 'opaque':
        if (type.params.length === 0) return type
        return { ...type, params: type.params.map((param) => this.substitute(param, free)) }
      default:
        return type
    }
  }

  /** A value of type `from` may be given where `to` is asked for; binds parameters of both. */
  assign(from: CelType, to: CelType): boolean {
    if (to.kind === 'param') return this.#bind(to, from)
    if (from.kind === 'param') return this.#bind(from, to)
    if (from.kind === 'dyn' || to.kind === 'dyn') return true
    if (from.kind === 'null') return to.kind === 'null' || NULLABLE.has(to.kind)
    if (from.kind === 'list') return to.kind === 'list' && this.assign(from.item, to.item)
    if (from.kind === 'map') {
      return to.kind === 'map' && this.assign(from.key, to.key) && this.assign(from.value, to.value)
    }
    if (from.kind === 'opaque' && to.kind === 'opaque') {
      return (
        from.name === to.name &&
        from.params.length === to.params.length &&
        from.params.every((param, i) => this.assign(param, to.params[i] as CelType))
      )
    }
    return sameType(from, to)
  }

  #bind(param: CelType & { kind: 'param' }, other: CelType): boolean {
    const resolved = this.substitute(other)
    if (resolved.kind === 'param' && resolved.name === param.name) return true
    const bound = this.#bound.get(param.name)
    if (!bound) {
      if (!refers(resolved, param.name)) this.#bound.set(param.name, resolved)
      return !refers(resolved, param.name)
    }
    if (bound.kind === 'param') return this.assign(resolved, bound)
    if (!this.assign(bound, resolved) && !this.assign(resolved, bound)) return false
    this.#bound.set(param.name, general(this.substitute(bound), resolved))
    return true
  }
}

const NULLABLE: ReadonlySet<string> = new Set(['opaque', 'object', 'timestamp', 'duration'])

/** The wider of two types that fit each other. */
export function general(a: CelType, b: CelType): CelType {
  if (a.kind === 'dyn' || b.kind === 'param') return a
  if (b.kind === 'dyn' || a.kind === 'param' || a.kind === 'null') return b
  if (a.kind === 'list' && b.kind === 'list') return { ...a, item: general(a.item, b.item) }
  if (a.kind === 'map' && b.kind === 'map') {
    return { kind: 'map', key: general(a.key, b.key), value: general(a.value, b.value) }
  }
  return a
}

function refers(type: CelType, name: string): boolean {
  if (type.kind === 'param') return type.name === name
  if (type.kind === 'list') return refers(type.item, name)
  if (type.kind === 'map') return refers(type.key, name) || refers(type.value, name)
  return type.kind === 'opaque' && type.params.some((param) => refers(param, name))
}
