import { describe, expect, it } from 'vitest'
import { compile, typeFault, type Environment } from './compile.ts'
import { BOOL, DYN, INT, listOf, mapOf, objectOf, STRING } from './types.ts'
import { Duration, isKeyed, ListValue, Optional, Timestamp, Uint, type Value } from './values.ts'

const NONE: Environment = { variables: new Map() }
const SELF = objectOf('Self', {
  name: STRING,
  size: INT,
  tags: listOf(STRING),
  labels: mapOf(STRING, STRING),
})
const ENVIRONMENT: Environment = {
  variables: new Map([
    ['object', DYN],
    ['self', SELF],
    ['n', INT],
  ]),
}
const OBJECT = { metadata: { name: 'web', labels: { app: 'x' } }, spec: { replicas: 3, list: [1, 2, 2.5] } }

function plain(value: Value): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof ListValue) return value.values().map(plain)
  if (value instanceof Optional) return value.value === undefined ? 'none' : ['some', plain(value.value)]
  if (value instanceof Uint) return `${value.value}u`
  if (value instanceof Timestamp || value instanceof Duration) return Number(value.nanos)
  if (isKeyed(value))
    return Object.fromEntries(value.keys().map((key) => [String(plain(key)), plain(value.get(key) ?? null)]))
  return value
}

function evaluate(source: string, environment = ENVIRONMENT): unknown {
  const { program, errors } = compile(source, environment)
  if (!program) return errors
  const values: Record<string, unknown> = {
    object: OBJECT,
    self: { name: 'a', size: 2, tags: ['x', 'y'], labels: { k: 'v' } },
    n: 7,
  }
  try {
    return plain(program.run((name) => values[name]).value)
  } catch (error) {
    return `error: ${(error as Error).message}`
  }
}

describe('values', () => {
  it.each<[string, unknown]>([
    ['1 + 2 * 3', 7],
    ['-7 / 2', -3],
    ['7 % 0', 'error: modulus by zero'],
    ['9223372036854775807 + 1', 'error: integer overflow'],
    ['-9223372036854775808 < 0', true],
    ['1u + 2u', '3u'],
    ['1.5 + 2.0', 3.5],
    ['1 < 1.5', true],
    ['dyn(1) == 1.0', true],
    ['"a" + \'b\' + """c"""', 'abc'],
    ['r"\\d" == "\\\\d"', true],
    ['b"abc" == bytes("abc")', true],
    ['true ? 1 : 2', 1],
    ['false && 1/0 == 1', false],
    ['1/0 == 1 || true', true],
    ['1/0 == 1 || false', 'error: division by zero'],
    ['"x" in ["x"]', true],
    ['"a" in {"a": 1}', true],
    ['{"a": 1, ?"b": optional.none()}', { a: 1 }],
    ['[1, ?optional.of(2), ?optional.none()]', [1, 2]],
    ['[1, 2][5]', 'error: index out of bounds: 5'],
    ['{"a": 1}["b"]', 'error: no such key: b'],
    ['size("héé")', 3],
    ['duration("1h30m").getMinutes()', 90],
    ['timestamp("2024-01-02T03:04:05Z").getFullYear()', 2024],
    ['timestamp("2024-01-02T23:04:05Z").getHours("Asia/Tokyo")', 8],
    ['string(timestamp("2024-01-02T03:04:05.5Z"))', '2024-01-02T03:04:05.5Z'],
    ['string(duration("90m"))', '5400s'],
    ['type(1) == int', true],
    ['type(null) == null_type', true],
    ['int("12") + int(2.9)', 14],
    ['double("1e3")', 1000],
  ])('%s', (source, wanted) => expect(evaluate(source)).toEqual(wanted))
})

describe('objects', () => {
  it.each<[string, unknown]>([
    ['object.metadata.name', 'web'],
    ['object.spec.replicas + 1', 4],
    ['object.spec.missing', 'error: no such key: missing'],
    ['has(object.spec.missing)', false],
    ['has(object.metadata.labels.app)', true],
    ['object.?spec.?missing.orValue(4)', 4],
    ['object.spec.list.all(x, x > 0)', true],
    ['object.metadata.name.foo', 'error: no such key: foo'],
    ['dyn(null).foo', 'error: no such key: foo'],
    ['dyn(null)["foo"]', 'error: no such key: foo'],
    ['has(dyn(null).foo)', false],
    ['has(object.metadata.name.foo)', false],
    ['dyn(null).?foo.hasValue()', false],
    ['dyn(1)[?"foo"].hasValue()', false],
    ['dyn([1]).foo', "error: unsupported index type 'string' in list"],
    ['has(dyn([1]).foo)', "error: unsupported index type 'string' in list"],
    ['dyn([1])[1.5]', 'error: unsupported index value 1.5 in list'],
    ['dyn([1])[true]', "error: unsupported index type 'bool' in list"],
    ['self.tags.map(t, t + "!")', ['x!', 'y!']],
    ['self.labels.all(k, v, k != v)', true],
    ['self.labels[?"z"].hasValue()', false],
    ['has(object.constructor)', false],
  ])('%s', (source, wanted) => expect(evaluate(source)).toEqual(wanted))
})

describe('macros', () => {
  it.each<[string, unknown]>([
    ['[1, 2, 3].filter(x, x > 1)', [2, 3]],
    ['[1, 2, 3].map(x, x > 1, x * 2)', [4, 6]],
    ['[1, 2, 3].exists(x, x == 2)', true],
    ['[1, 2, 3].exists_one(x, x > 2)', true],
    ['[1, 0].all(x, 1 / x > 5)', false],
    ['[0, 1].exists(x, 1 / x == 1)', true],
    ['{"a": 1}.transformMap(k, v, v + 1)', { a: 2 }],
    ['[5, 6].transformList(i, v, i * v)', [0, 6]],
    ['[5, 6].exists(i, v, i == 1 && v == 6)', true],
    ['{"a": "b"}.transformMapEntry(k, v, {v: k})', { b: 'a' }],
    ['optional.of(2).optMap(x, x * 2)', ['some', 4]],
    ['optional.none().optFlatMap(x, optional.of(x))', 'none'],
    ['[[1], [2, 3]].map(l, l.map(x, x + 1))', [[2], [3, 4]]],
    ['["bb", "a"].sortBy(s, size(s))', ['a', 'bb']],
  ])('%s', (source, wanted) => expect(evaluate(source)).toEqual(wanted))
})

describe('libraries', () => {
  it.each<[string, unknown]>([
    ['[1, 3, 2].isSorted()', false],
    ['[1, 3, 2].max() + [1, 3, 2].min() + [1, 3, 2].sum()', 10],
    ['["a", "b"].indexOf("b")', 1],
    ['[1, 1, 2].distinct()', [1, 2]],
    ['[3, 1].sort()', [1, 3]],
    ['lists.range(3)', [0, 1, 2]],
    ['[[1], [2]].flatten()', [1, 2]],
    ['sets.contains([1, 2], [2])', true],
    ['sets.equivalent([1, 2], [2, 1, 1])', true],
    ['"a1b22".findAll("[0-9]+")', ['1', '22']],
    ['"abc".matches("^a.c$")', true],
    ['"a,b".split(",")', ['a', 'b']],
    ['["a", "b"].join("-")', 'a-b'],
    ['"hello".substring(1, 3).upperAscii()', 'EL'],
    ['"aaa".replace("a", "b", 2)', 'bba'],
    ['"%s has %d of %.2f".format(["x", dyn(3), dyn(1.5)])', 'x has 3 of 1.50'],
    ['strings.quote("a\\"b")', '"a\\"b"'],
    ['url("https://u@example.com:80/p?q=1").getHost()', 'example.com:80'],
    ['url("https://example.com:80/p/a?q=1").getEscapedPath()', '/p/a'],
    ['isURL("not a url")', false],
    ['url("https://example.com/?a=1&a=2").getQuery()', { a: ['1', '2'] }],
    ['ip("192.168.0.1").family()', 4],
    ['ip("::1").isLoopback()', true],
    ['string(ip("2001:DB8:0:0::1"))', '2001:db8::1'],
    ['ip.isCanonical("2001:DB8::1")', false],
    ['cidr("10.0.0.0/8").containsIP("10.1.2.3")', true],
    ['cidr("10.0.0.0/8").containsCIDR("10.1.0.0/16")', true],
    ['string(cidr("10.1.2.3/8").masked())', '10.0.0.0/8'],
    ['isCIDR("10.0.0.0/33")', false],
    ['quantity("1Gi").isGreaterThan(quantity("1G"))', true],
    ['quantity("500m").add(quantity("500m")) == quantity("1")', true],
    ['isQuantity("1x")', false],
    ['semver("1.2.3-rc.1").isLessThan(semver("1.2.3"))', true],
    ['semver("v1.2", true).minor()', 2],
    ['format.dns1123Label().validate("a").hasValue()', false],
    ['format.named("uuid").value().validate("x").hasValue()', true],
  ])('%s', (source, wanted) => expect(evaluate(source)).toEqual(wanted))
})

describe('what is wrong', () => {
  it.each<[string, string]>([
    [
      '1 + "x"',
      `ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'\n | 1 + "x"\n | ..^`,
    ],
    ['params.x', `ERROR: <input>:1:1: undeclared reference to 'params' (in container '')\n | params.x\n | ^`],
    ['self.nope', `ERROR: <input>:1:5: undefined field 'nope'\n | self.nope\n | ....^`],
    [
      'object.',
      `ERROR: <input>:1:8: Syntax error: no viable alternative at input '.'\n | object.\n | .......^`,
    ],
    [
      'self.name.startsWith(1)',
      `ERROR: <input>:1:21: found no matching overload for 'startsWith' applied to 'string.(int)'\n | self.name.startsWith(1)\n | ....................^`,
    ],
    ['foo(1)', `ERROR: <input>:1:4: undeclared reference to 'foo' (in container '')\n | foo(1)\n | ...^`],
    ['n.x', `ERROR: <input>:1:2: type 'int' does not support field selection\n | n.x\n | .^`],
    [
      'n.all(x, true)',
      `ERROR: <input>:1:1: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)\n | n.all(x, true)\n | ^`,
    ],
    ['[1, "a"]', `ERROR: <input>:1:5: expected type 'int' but found 'string'\n | [1, "a"]\n | ....^`],
    [
      'self.name.matches("(")',
      `ERROR: <input>:1:19: invalid matches argument\n | self.name.matches("(")\n | ..................^`,
    ],
  ])('%s', (source, wanted) => expect(evaluate(source)).toBe(wanted))

  it('says which type an expression must have', () => {
    const { program } = compile('1', NONE)
    expect(program && typeFault(program, BOOL)).toBe('must evaluate to bool but got int')
    expect(program && typeFault(program, INT)).toBeUndefined()
  })
})

describe('a text that stands for nothing of a type', () => {
  it.each([
    ['int("x") == 1', 'int'],
    ['int("99999999999999999999") == 1', 'int'],
    ['uint("-1") == 1u', 'uint'],
    ['double("1e400") == 1.0', 'double'],
    ['double("0x10") == 1.0', 'double'],
    ['bool("yes")', 'bool'],
    ['timestamp("x" + "y") < timestamp("2030-01-01T00:00:00Z")', 'google.protobuf.Timestamp'],
    ['duration("x" + "y") < duration("1h")', 'google.protobuf.Duration'],
  ])('%s', (source, type) => {
    expect(evaluate(source)).toContain(`type conversion error from 'string' to '${type}'`)
  })
})

describe('bounds', () => {
  const ROWS = Array.from({ length: 2000 }, (_, i) => i)
  const limited = (source: string): unknown => {
    const { program, errors } = compile(source, { variables: new Map([['l', listOf(INT)]]) })
    if (!program) return errors
    try {
      return plain(program.run(() => ROWS).value)
    } catch (error) {
      return (error as Error).message
    }
  }
  it('stops what costs too much', () => {
    expect(limited('l.all(a, l.all(b, l.all(c, a + b + c >= 0)))')).toBe(
      'operation cancelled: actual cost limit exceeded',
    )
  })
  it('stops errors from hiding the limit', () => {
    expect(limited('l.exists(a, l.exists(b, l.exists(c, a + b + c < 0))) || true')).toBe(
      'operation cancelled: actual cost limit exceeded',
    )
  })
  it('refuses deep expressions without running out of stack', () => {
    expect(evaluate('('.repeat(5000) + '1' + ')'.repeat(5000))).toContain('recursion limit exceeded')
    expect(evaluate(`${'-'.repeat(5001)}1`)).toBe(-1)
    expect(evaluate('a' + '.a'.repeat(5000))).toContain('recursion limit exceeded')
  })
  it('compiles chains of optional macros in linear time', () => {
    const begun = process.cpuUsage()
    evaluate(`optional.of(1)${'.optMap(x, x)'.repeat(60)}`)
    expect(process.cpuUsage(begun).user / 1000).toBeLessThan(5000)
  })
  it('matches patterns in linear time', () => {
    const begun = process.cpuUsage()
    expect(evaluate(`"${'a'.repeat(200)}!".matches("^(a+)+$")`)).toBe(false)
    expect(process.cpuUsage(begun).user / 1000).toBeLessThan(2000)
  })
})
