// YAML to JSON values as sigs.k8s.io/yaml does: tree.ts gives the nodes, with every scalar still a text; what these
// texts are, merge keys, aliases and their bounds follow go.yaml.in/yaml/v2.
import { isUtf8 } from 'node:buffer'
import type { Json, JsonObject } from '../../machinery/json.ts'
import { formatFloat, jsonInteger, jsonNumber, MAX_INT64 } from '../../machinery/numbers.ts'
import { MAX_DUPLICATES, type Parsed, type ParseOptions } from '../json/json.ts'
import { assign } from '../../machinery/jsonassign.ts'
import { MAX_DEPTH } from '../json/inspect.ts'
import { YamlError } from './errors.ts'
import { resolvePlain, type Resolved } from './resolve.ts'
import type { AliasNode, ListNode, MapNode, ScalarNode, YamlNode } from './tree.ts'
import { BAD_ANCHOR, TreeFault, treeOf } from './tree.ts'

/** See parseYaml in yaml.ts. */
export async function decodeYaml(bytes: Buffer, options: ParseOptions): Promise<Parsed> {
  const text = textOf(bytes)
  const root = await rootOf(text)
  if (root === undefined) return { value: null, duplicates: [] }
  const reader = new Reader(text)
  const value = reader.document(root)
  return { value, duplicates: options.findDuplicates ? reader.duplicates() : [] }
}

function textOf(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new YamlError('yaml: invalid leading UTF-8 octet')
  const text = bytes.toString('utf8')
  if (/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff]/.test(text)) {
    throw new YamlError('yaml: control characters are not allowed')
  }
  return text
}

/** A refusal is rare: only then the text is read once more, to say in upstream's words what is wrong. */
async function rootOf(text: string): Promise<YamlNode | undefined> {
  try {
    return treeOf(text, MAX_DEPTH)
  } catch (error) {
    if (!(error instanceof TreeFault)) throw error
    if (error.tooDeep) throw tooDeep()
    if (error.message === BAD_ANCHOR)
      throw new YamlError(`yaml: ${error.line > 1 ? `line ${error.line}: ` : ''}${BAD_ANCHOR}`)
    const { refusalOf } = await import('./refusal.ts')
    throw refusalOf(text, error)
  }
}

const tooDeep = (): YamlError => new YamlError(`yaml: exceeded max depth of ${MAX_DEPTH}`)

// From here on aliases may make up less and less of what is read: go-yaml's measure against texts that expand.
const RATIO_FROM = 400_000
const RATIO_TO = 4_000_000

function allowedAliasRatio(reads: number): number {
  if (reads <= RATIO_FROM) return 0.99
  if (reads >= RATIO_TO) return 0.1
  return 0.99 - 0.89 * ((reads - RATIO_FROM) / (RATIO_TO - RATIO_FROM))
}

const TAG = 'tag:yaml.org,2002:'
const MERGE = `${TAG}merge`

class Reader {
  private readonly text: string
  private readonly open = new Set<AliasNode>()
  private readonly repeated: string[] = []
  private reads = 0
  private aliasReads = 0
  private depth = 0
  /** The line that begins at `end`. */
  private counted = { line: 1, end: 0 }

  constructor(text: string) {
    this.text = text
  }

  document(root: YamlNode): Json {
    checkAliases(root)
    return this.read(root)
  }

  duplicates(): string[] {
    if (this.repeated.length === 0) return []
    return [`yaml: unmarshal errors:\n${this.repeated.map((text) => `  ${text}`).join('\n')}`]
  }

  private read(node: YamlNode): Json {
    this.count()
    if (node.kind === 'scalar') return jsonOf(resolveScalar(node))
    if (node.kind === 'alias') return this.readAlias(node)
    if (++this.depth > MAX_DEPTH) throw tooDeep()
    const value = node.kind === 'map' ? this.readMap(node, {}, new Set()) : this.readList(node)
    this.depth--
    return value
  }

  private count(): void {
    this.reads++
    if (this.open.size > 0) this.aliasReads++
    if (this.aliasReads <= 100 || this.reads <= 1000) return
    if (this.aliasReads / this.reads > allowedAliasRatio(this.reads)) {
      throw new YamlError('yaml: document contains excessive aliasing')
    }
  }

  private readAlias(alias: AliasNode): Json {
    if (this.open.has(alias)) throw new YamlError(`yaml: anchor '${alias.name}' value contains itself`)
    this.open.add(alias)
    const value = this.read(alias.target as YamlNode)
    this.open.delete(alias)
    return value
  }

  private readList(list: ListNode): Json[] {
    return list.items.map((item) => this.read(item))
  }

  /** `seen`: the keys so far, as go-yaml tells them apart: 1 and "1" are two. */
  private readMap(map: MapNode, object: JsonObject, seen: Set<string>): JsonObject {
    for (let i = 0; i < map.items.length; i += 2) {
      const [key, value] = [map.items[i], map.items[i + 1]] as [YamlNode, YamlNode]
      if (isMerge(key)) {
        this.merge(value, object, seen)
        continue
      }
      this.count()
      const resolved = resolveKey(key)
      const json = this.read(value)
      const shown = shownKey(resolved)
      const identity = resolved.kind === 'float' ? `${shown} (float)` : shown
      if (seen.has(identity) && this.repeated.length < MAX_DUPLICATES)
        this.repeated.push(`line ${this.lineOf(value.at < 0 ? key : value)}: key ${shown} already set in map`)
      seen.add(identity)
      assign(object, keyText(resolved, json), json)
    }
    return object
  }

  private merge(node: YamlNode, object: JsonObject, seen: Set<string>): void {
    // Of a list, what comes first wins, so it is read last.
    const sources = node.kind === 'list' ? [...node.items].reverse() : [node]
    for (const source of sources) {
      const map = source.kind === 'alias' ? source.target : source
      if (map?.kind !== 'map')
        throw new YamlError('yaml: map merge requires map or sequence of maps as the value')
      this.count()
      if (source.kind !== 'alias') this.readMap(map, object, seen)
      else {
        if (this.open.has(source)) throw new YamlError(`yaml: anchor '${source.name}' value contains itself`)
        this.open.add(source)
        this.count()
        this.readMap(map, object, seen)
        this.open.delete(source)
      }
    }
  }

  /** Asked of one duplicate after the other, nearly in their order: each goes on from the one before. */
  private lineOf({ at }: YamlNode): number {
    const { text } = this
    if (at < this.counted.end) this.counted = { line: 1, end: 0 }
    let { line, end } = this.counted
    for (let next = text.indexOf('\n', end); next >= 0 && next < at; next = text.indexOf('\n', end)) {
      line++
      end = next + 1
    }
    this.counted = { line, end }
    return line
  }
}

/** go-yaml looks for all of them before it reads anything. */
function checkAliases(node: YamlNode): void {
  if (node.kind === 'map' || node.kind === 'list') node.items.forEach(checkAliases)
  else if (node.kind === 'alias' && !node.target)
    throw new YamlError(`yaml: unknown anchor '${node.name}' referenced`)
}

function resolveKey(key: YamlNode): Resolved {
  const node = key.kind === 'alias' ? (key.target as YamlNode) : key
  if (node.kind === 'scalar') return resolveScalar(node)
  throw new YamlError(
    `yaml: invalid map key: ${node.kind === 'list' ? '[]interface {}' : 'map[interface {}]interface {}'}{}`,
  )
}

const isMerge = (key: YamlNode): boolean =>
  key.kind === 'scalar' && key.text === '<<' && ((key.plain && key.tag === undefined) || key.tag === MERGE)

/** A scalar by its tag, or by its looks where it is plain. */
function resolveScalar({ text, tag, plain }: ScalarNode): Resolved {
  if (tag === undefined) return plain ? resolvePlain(text) : { kind: 'str', value: text }
  if (tag === `${TAG}binary`) return { kind: 'str', value: binary(text) }
  const wanted = tag.startsWith(TAG) ? tag.slice(TAG.length) : ''
  if (!['bool', 'int', 'float', 'null', 'timestamp'].includes(wanted)) return { kind: 'str', value: text }
  const resolved = resolvePlain(text)
  if (resolved.kind === wanted) return resolved
  if (wanted === 'float' && resolved.kind === 'int') return { kind: 'float', value: Number(resolved.value) }
  throw new YamlError(`yaml: cannot decode !!${resolved.kind} \`${text}\` as a !!${wanted}`)
}

function binary(text: string): string {
  const base64 = text.replace(/[\r\n]/g, '')
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) {
    throw new YamlError('yaml: !!binary value contains invalid base64 data')
  }
  return Buffer.from(base64, 'base64').toString('utf8')
}

function jsonOf(resolved: Resolved): Json {
  switch (resolved.kind) {
    case 'null':
      return null
    case 'int':
      // What fits no int64 is a float64, as it is once its digits are JSON.
      return resolved.value <= MAX_INT64 ? jsonInteger(resolved.value) : Number(resolved.value)
    case 'float':
      // It becomes JSON before it is read: 1e18 is an integer then.
      if (Number.isFinite(resolved.value)) return jsonNumber(String(resolved.value))
      throw new YamlError(`json: unsupported value: ${shownFloat(resolved.value)}`)
    default:
      return resolved.value
  }
}

function shownFloat(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

/** A key as Go's %#v shows it. */
function shownKey(key: Resolved): string {
  if (key.kind === 'null') return 'interface {}(nil)'
  if (key.kind === 'str' || key.kind === 'timestamp') return JSON.stringify(key.value)
  return key.kind === 'float' ? formatFloat(key.value) : String(key.value)
}

/** The JSON key that stands for a key of another type. */
function keyText(key: Resolved, value: Json): string {
  switch (key.kind) {
    case 'null':
      throw new YamlError(
        `unsupported map key of type: %!s(<nil>), key: <nil>, value: ${typeof value === 'string' ? JSON.stringify(value) : String(value)}`,
      )
    case 'int':
    case 'bool':
      return String(key.value)
    case 'float':
      return formatFloat(Math.fround(key.value) === key.value ? key.value : Number(key.value.toPrecision(8)))
    default:
      return key.value
  }
}
