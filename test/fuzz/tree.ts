// JSON texts as trees that can hold what JSON.parse would lose: keys given twice, keys named __proto__, numbers of any
// size. Made of objects, mutated, and written again.
import type { Json } from '../../src/machinery/json.ts'
import type { Random } from './random.ts'

export type Tree =
  | { readonly kind: 'leaf'; text: string }
  | { readonly kind: 'list'; items: Tree[] }
  | { readonly kind: 'map'; members: [string, Tree][] }

export function treeOf(value: Json): Tree {
  if (Array.isArray(value)) return { kind: 'list', items: value.map(treeOf) }
  if (typeof value !== 'object' || value === null) return leaf(JSON.stringify(value))
  return { kind: 'map', members: Object.entries(value).map(([key, member]) => [key, treeOf(member as Json)]) }
}

export function textOf(tree: Tree): string {
  if (tree.kind === 'leaf') return tree.text
  if (tree.kind === 'list') return `[${tree.items.map(textOf).join(',')}]`
  return `{${tree.members.map(([key, member]) => `${JSON.stringify(key)}:${textOf(member)}`).join(',')}}`
}

const leaf = (text: string): Tree => ({ kind: 'leaf', text })

const ODD_KEYS = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'prototype',
  'valueOf',
  'toJSON',
  '',
  ' ',
  '$patch',
  '$retainKeys',
  '$setElementOrder/containers',
  '$deleteFromPrimitiveList/finalizers',
  '.',
  'a/b',
  'a.b',
  '~1',
  'k:{"name":"x"}',
  'kind',
  'apiVersion',
  'metadata',
  'name',
  '\u0000',
  '\ud83d\ude00',
  'x'.repeat(5000),
]

const ODD_LEAVES = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '-1',
  '1.5',
  '1e3',
  '1e400',
  '-1e400',
  '1e-400',
  '2147483647',
  '2147483648',
  '-2147483649',
  '9007199254740993',
  '9223372036854775807',
  '9223372036854775808',
  '18446744073709551616',
  '9'.repeat(400),
  '""',
  '" "',
  '"\\u0000"',
  '"\\ud800"',
  '"\\udc00x"',
  '"__proto__"',
  '"constructor"',
  '"NaN"',
  '"-1"',
  '"9223372036854775807"',
  '"1e1000000000"',
  '"1Ei9"',
  '"100m"',
  '"0.0000000000000000000001"',
  '"99999999999999999999999999999999999Ei"',
  '"2006-01-02T15:04:05Z"',
  '"9999-99-99T99:99:99Z"',
  '"0000-01-01T00:00:00Z"',
  '"300000-01-01T00:00:00Z"',
  '"2006-01-02T15:04:05.999999999999+25:99"',
  '"1h"',
  '"9999999999999999h"',
  '"::1"',
  '"10.96.0.1"',
  '"256.256.256.256/99"',
  '"../../etc/passwd"',
  '"=x"',
  '"(((((((((((((((((((((((((("',
  '"{\\"f:metadata\\":{\\"__proto__\\":{}}}"',
  '"Always"',
  '"*"',
  '[]',
  '{}',
  '[[]]',
  '[null]',
  '{"":""}',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
]

export function oddLeaf(random: Random): Tree {
  if (random.chance(0.05)) return leaf(JSON.stringify('x'.repeat(random.pick([64, 254, 300, 5000, 70_000]))))
  if (random.chance(0.05)) return leaf(nested(random))
  if (random.chance(0.05)) return leaf(String(random.next()))
  return leaf(random.pick(ODD_LEAVES))
}

/** Lists or maps within each other, deeper than readers recurse. */
function nested(random: Random): string {
  const depth = random.pick([10, 100, 1000, 9_999, 10_001, 100_000])
  return random.chance(0.5)
    ? '['.repeat(depth) + ']'.repeat(depth)
    : '{"a":'.repeat(depth) + '1' + '}'.repeat(depth)
}

/** Changes one place of the tree, in it; returns the new root. */
export function mutateTree(root: Tree, random: Random): Tree {
  const places: { holder: Tree; index: number }[] = []
  collect(root, places)
  if (places.length === 0 || random.chance(0.02)) return oddLeaf(random)
  const { holder, index } = random.pick(places)
  const copies = Math.min(MAX_COPIES, Math.floor(MAX_COPIED_NODES / places.length))
  if (holder.kind === 'list') mutateItem(holder.items, { index, copies }, random)
  else if (holder.kind === 'map') mutateMember(holder.members, index, random)
  return root
}

function collect(tree: Tree, places: { holder: Tree; index: number }[]): void {
  if (tree.kind === 'leaf') return
  const children = tree.kind === 'list' ? tree.items : tree.members.map(([, member]) => member)
  children.forEach((child, index) => {
    places.push({ holder: tree, index })
    collect(child, places)
  })
}

/** Copies of one item in a list, and the nodes that these may add: copies of copies would fill the memory. */
const MAX_COPIES = 300
const MAX_COPIED_NODES = 20_000

interface Item {
  readonly index: number
  /** How many may be made at most. */
  readonly copies: number
}

function mutateItem(items: Tree[], { index, copies }: Item, random: Random): void {
  const item = items[index] as Tree
  switch (random.int(5)) {
    case 0:
      items.splice(index, 1)
      break
    case 1:
      items.push(item)
      break
    case 2:
      for (let n = random.int(copies); n > 0; n--) items.push(item)
      break
    case 3:
      items[index] = { kind: 'list', items: [item] }
      break
    default:
      items[index] = oddLeaf(random)
  }
}

function mutateMember(members: [string, Tree][], index: number, random: Random): void {
  const [key, value] = members[index] as [string, Tree]
  switch (random.int(8)) {
    case 0:
      members.splice(index, 1)
      break
    case 1:
      members.push([key, value])
      break
    case 2:
      members.push([key, oddLeaf(random)])
      break
    case 3:
      members[index] = [random.pick(ODD_KEYS), value]
      break
    case 4:
      members.push([random.pick(ODD_KEYS), random.chance(0.5) ? value : oddLeaf(random)])
      break
    case 5:
      members[index] = [key.toUpperCase(), value]
      break
    default:
      members[index] = [key, oddLeaf(random)]
  }
}
