// TypeScript types of the built-in kinds, out of the facts of api/openapi: what controllers read and write.
// Times and quantities are text, as they are on the wire. A field is optional where upstream's encoder may leave it out.
import type { FieldRow, PackageRow, StructRow, TypeRow } from '../../src/schema/types-rows.ts'

/** Packages whose kinds control loops, scheduler and nodes work with; those that they refer to come along. */
const PACKAGES = [
  'io.k8s.api.admissionregistration.v1',
  'io.k8s.api.apps.v1',
  'io.k8s.api.authentication.v1',
  'io.k8s.api.authorization.v1',
  'io.k8s.api.autoscaling.v1',
  'io.k8s.api.autoscaling.v2',
  'io.k8s.api.batch.v1',
  'io.k8s.api.certificates.v1',
  'io.k8s.api.coordination.v1',
  'io.k8s.api.core.v1',
  'io.k8s.api.discovery.v1',
  'io.k8s.api.events.v1',
  'io.k8s.api.networking.v1',
  'io.k8s.api.node.v1',
  'io.k8s.api.policy.v1',
  'io.k8s.api.rbac.v1',
  'io.k8s.api.resource.v1',
  'io.k8s.api.scheduling.v1',
  'io.k8s.api.storage.v1',
]

const SCALARS: Readonly<Record<string, string>> = {
  string: 'string',
  boolean: 'boolean',
  int32: 'number',
  int64: 'number',
  double: 'number',
  bytes: 'string',
  quantity: 'string',
  time: 'string',
  microtime: 'string',
  duration: 'string',
  intOrString: 'number | string',
}

/** "io.k8s.api.core.v1" is core.v1, "io.k8s.apimachinery.pkg.apis.meta.v1" meta.v1. */
const shortName = (name: string): string => name.replace(/^.*?([^.]+\.v[0-9a-z]+)$/, '$1')

/** The name of a package's file in src/client/kinds. */
export const fileOfPackage = (name: string): string => `${shortName(name)}.gen.ts`

/** Files by name, each the types of one package. */
export function kindFiles(packages: ReadonlyMap<string, PackageRow>): Map<string, string> {
  const files = new Map<string, string>()
  const waiting = [...PACKAGES]
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const row = packages.get(name)
    if (row === undefined) throw new Error(`the spec has no package ${name}`)
    if (files.has(fileOfPackage(name))) continue
    const writer = new PackageWriter(name, packages)
    files.set(fileOfPackage(name), writer.text(row))
    waiting.push(...writer.foreign.keys())
  }
  return files
}

class PackageWriter {
  readonly #name: string
  readonly #packages: ReadonlyMap<string, PackageRow>
  /** Types of other packages, by package. */
  readonly foreign = new Map<string, Set<string>>()
  #usesJson = false

  constructor(name: string, packages: ReadonlyMap<string, PackageRow>) {
    this.#name = name
    this.#packages = packages
  }

  text({ types }: PackageRow): string {
    const body = Object.entries(types).map(([name, row]) => this.#declaration(name, row))
    const imports = [...this.foreign]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(
        ([from, names]) => `import type { ${[...names].sort().join(', ')} } from './${fileOfPackage(from)}'`,
      )
    if (this.#usesJson) imports.unshift("import type { Json } from '../../machinery/json.ts'")
    const head = '// Made by `make generate` out of api/openapi; do not edit.'
    return [head, ...imports, '', ...body].join('\n')
  }

  #declaration(name: string, row: StructRow): string {
    const fields = Object.entries(row.fields).map(([field, one]) => `  ${this.#field(field, one, row)}`)
    return `export type ${name} = {\n${fields.join('\n')}\n}\n`
  }

  #field(name: string, field: FieldRow, { kind }: StructRow): string {
    const isStruct = this.#isStruct(field.type)
    // omitempty has no effect on Go's structs, which are always there, unless behind a pointer.
    const isThere =
      field.required === true || (isStruct ? !field.pointer && !field.omitZero : !field.omitEmpty)
    const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name)
    const isTypeMeta = kind === true && (name === 'kind' || name === 'apiVersion')
    const type = this.#type(field.type)
    return isThere && !isTypeMeta ? `${key}: ${type}` : `${key}?: ${type} | undefined`
  }

  #isStruct(row: TypeRow): boolean {
    if (typeof row === 'string') return row.includes('.')
    return 'struct' in row
  }

  #type(row: TypeRow): string {
    if (typeof row !== 'string') {
      if ('list' in row) return this.#listOf(this.#type(row.list))
      if ('map' in row) return `Record<string, ${this.#type(row.map)}>`
      return this.#type(row.struct)
    }
    const scalar = SCALARS[row]
    if (scalar !== undefined) return scalar
    return row.startsWith('any:') ? this.#json() : this.#reference(row)
  }

  #json(): string {
    this.#usesJson = true
    return 'Json'
  }

  #listOf(item: string): string {
    return item.includes(' ') ? `(${item})[]` : `${item}[]`
  }

  #reference(row: string): string {
    const at = row.lastIndexOf('.')
    const name = row.slice(at + 1)
    const home = row.slice(0, at) || this.#name
    // A few types are no wire format of their own: a Table's columns.
    if (this.#packages.get(home)?.types[name] === undefined) return this.#json()
    if (home === this.#name) return name
    const names = this.foreign.get(home) ?? new Set()
    this.foreign.set(home, names.add(name))
    return name
  }
}
