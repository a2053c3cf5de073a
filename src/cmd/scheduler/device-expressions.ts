// Whether an expression selects a device: `device.driver`, `device.attributes["domain"].name`, `device.capacity[…]`.
// Follows k8s.io/dynamic-resource-allocation/cel/compile.go.
import { compile, type Environment, type Program } from '../../cel/compile.ts'
import { BOOL, DYN, mapOf, objectOf, opaque, STRING } from '../../cel/types.ts'
import { MapValue, ObjectValue, type Value } from '../../cel/values.ts'
import type { Device, DeviceAttribute } from '../../client/kinds/resource.v1.gen.ts'

/** Expressions that are kept compiled; there are as many as classes and claims differ. */
const MAX_PROGRAMS = 1000

const DEVICE = objectOf('kubernetes.DRADevice', {
  driver: STRING,
  allowMultipleAllocations: BOOL,
  // The value of an attribute is of a type that only the device knows.
  attributes: mapOf(STRING, mapOf(STRING, DYN)),
  capacity: mapOf(STRING, mapOf(STRING, opaque('kubernetes.Quantity'))),
})
const ENVIRONMENT: Environment = { variables: new Map([['device', DEVICE]]) }
const programs = new Map<string, Program>()

/** Throws Error where the expression cannot be compiled, or evaluated for this device. */
export function selectsDevice(expression: string, driver: string, device: Device): boolean {
  let program = programs.get(expression)
  if (!program) {
    const compiled = compile(expression, ENVIRONMENT)
    if (!compiled.program) throw new Error(`CEL compile error: compilation failed: ${compiled.errors}`)
    program = compiled.program
    if (programs.size >= MAX_PROGRAMS) programs.clear()
    programs.set(expression, program)
  }
  const { value } = program.run((name) => (name === 'device' ? deviceValue(driver, device) : undefined))
  if (typeof value !== 'boolean') throw new Error('CEL runtime error: the result is no bool')
  return value
}

const NONE = new MapValue()

/** A domain of which the device says nothing is empty. */
class Domains extends MapValue {
  override get(key: Value): Value | undefined {
    return super.get(key) ?? NONE
  }
}

const deviceValue = (
  driver: string,
  { attributes = {}, capacity = {}, allowMultipleAllocations }: Device,
): ObjectValue =>
  new ObjectValue(
    {
      driver,
      allowMultipleAllocations: allowMultipleAllocations === true,
      attributes: domainsOf(attributes, driver, attributeValue),
      capacity: domainsOf(capacity, driver, ({ value }) => quantity(value)),
    },
    DEVICE,
    true,
  )

function domainsOf<T>(named: Readonly<Record<string, T>>, driver: string, read: (one: T) => Value): Domains {
  const domains = new Domains()
  const maps = new Map<string, MapValue>()
  for (const [name, one] of Object.entries(named)) {
    const at = name.indexOf('/')
    // A name without a domain is of the driver's.
    const domain = at < 0 ? driver : name.slice(0, at)
    const map = maps.get(domain) ?? new MapValue()
    maps.set(domain, map)
    domains.set(domain, map)
    map.set(name.slice(at + 1), read(one))
  }
  return domains
}

function attributeValue({ version, int, bool, string }: DeviceAttribute): Value {
  if (version !== undefined) return semver(version)
  if (int !== undefined) return BigInt(int)
  const plain = bool ?? string
  if (plain === undefined) throw new Error('unsupported attribute value')
  return plain
}

/** What CEL's own function makes of a text. */
function valueBy(call: string): (text: string) => Value {
  const { program } = compile(call, { variables: new Map([['text', STRING]]) })
  return (text) => (program as Program).run(() => text).value
}
const semver = valueBy('semver(text)')
const quantity = valueBy('quantity(text)')
