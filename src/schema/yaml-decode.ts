// YAML to JSON values as sigs.k8s.io/yaml does: the package `yaml` gives the tree of nodes, with every scalar still a
// text; what these texts are, merge keys, aliases and their bounds follow go.yaml.in/yaml/v2.
import { isUtf8 } from 'node:buffer'
import { Composer, isAlias, isMap, isScalar, isSeq, LineCounter, Parser } from 'yaml'
import type { Alias, Document, Node, Pair, Scalar, YAMLMap, YAMLParseError, YAMLSeq } from 'yaml'
import type { Json, JsonObject } from '../machinery/json.ts'
import { JsonSyntaxError, type Parsed, type ParseOptions } from './json.ts'
import { assign } from './json-assign.ts'
import { MAX_DEPTH } from './json-inspect.ts'
import { goMessage } from './yaml-errors.ts'
import { formatFloat, resolvePlain, type Resolved } from './yaml-resolve.ts'

/** The text is no YAML, or none that JSON can hold; the message is what go-yaml or sigs.k8s.io/yaml say of it. */
export class YamlError extends JsonSyntaxError {
  constructor(message: string) {
    super(message)
    this.name = 'YamlError'
  }
}

/**
 * DEVIATION: upstream reads 3 MiB. The package takes some 2 µs for a byte, and nothing else is served meanwhile. Clients
 * send objects of this size as JSON, which is read as such under either name.
 */
export const MAX_YAML_BYTES = 512 * 1024

/** See parseYaml in yaml.ts. */
export function decodeYaml(bytes: Buffer, options: ParseOptions): Parsed {
  if (bytes.length > MAX_YAML_BYTES)
    throw new YamlError(`yaml: document is longer than ${MAX_YAML_BYTES} bytes`)
  const text = textOf(bytes)
  const lines = new LineCounter()
  const document = firstDocument(text, lines)
  const reader = new Reader(lines, text)
  const value = document?.contents ? reader.document(document.contents) : null
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

/** Upstream reads no further than the end of the first document, so nor do we. */
function firstDocument(text: string, lines: LineCounter): Document.Parsed | undefined {
  checkIndicators(text)
  // Every scalar stays a text, and no key is special: resolving is ours.
  const composer = new Composer({ version: '1.1', schema: 'failsafe', uniqueKeys: false, logLevel: 'silent' })
  try {
    for (const token of new Parser(lines.addNewLine).parse(text)) {
      for (const document of composer.next(token)) return checked(document, lines, text)
    }
    for (const document of composer.end()) return checked(document, lines, text)
  } catch (error) {
    // The composer calls itself for every level.
    if (error instanceof RangeError) throw tooDeep()
    throw error
  }
  return undefined
}

function checked(document: Document.Parsed, lines: LineCounter, text: string): Document.Parsed {
  const [first] = document.errors
    .filter((error) => !isBehind(error, document))
    .sort((a, b) => a.pos[0] - b.pos[0])
  if (first) throw new YamlError(`yaml: ${goMessage(first, lines, text)}`)
  return document
}

/** Errors in what go-yaml never reads: the next document, and what follows a flow collection that is a whole document. */
function isBehind({ code, message, pos }: YAMLParseError, { contents }: Document.Parsed): boolean {
  if (code !== 'UNEXPECTED_TOKEN' || !contents || pos[0] < contents.range[1]) return false
  if (message.includes('in YAML document')) return true
  return (isMap(contents) || isSeq(contents)) && contents.flow === true && message.includes('in YAML stream')
}

const tooDeep = (): YamlError => new YamlError(`yaml: exceeded max depth of ${MAX_DEPTH}`)

/** Indicators in a row nest without end: such texts are refused before the parser spends time on them. */
function checkIndicators(text: string): void {
  let run = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === OPEN_BRACKET || c === OPEN_BRACE || (isIndicator(c) && isBlank(text.charCodeAt(i + 1)))) run++
    else if (!isBlank(c)) run = 0
    if (run > MAX_DEPTH) throw tooDeep()
  }
}

const OPEN_BRACKET = 0x5b
const OPEN_BRACE = 0x7b
/** - ? : */
const isIndicator = (c: number): boolean => c === 0x2d || c === 0x3f || c === 0x3a
/** Blank, tab, line end. */
const isBlank = (c: number): boolean => c === 0x20 || c === 0x09 || c === 0x0a || c === 0x0d

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
  private readonly lines: LineCounter
  private readonly openEnd: number
  private readonly targets = new Map<Alias, Node>()
  private readonly open = new Set<Alias>()
  private readonly repeated: string[] = []
  private reads = 0
  private aliasReads = 0
  private depth = 0

  constructor(lines: LineCounter, text: string) {
    this.lines = lines
    // Where a block scalar ends the text without a line end, go-yaml adds none.
    this.openEnd = text.endsWith('\n') ? Infinity : text.length
  }

  document(root: Node): Json {
    this.bindAliases(root, new Map(), 0)
    return this.read(root)
  }

  duplicates(): string[] {
    if (this.repeated.length === 0) return []
    return [`yaml: unmarshal errors:\n${this.repeated.map((text) => `  ${text}`).join('\n')}`]
  }

  /** An alias means the nearest anchor of its name before it. */
  private bindAliases(node: Node | null, anchors: Map<string, Node>, depth: number): void {
    if (depth > MAX_DEPTH) throw tooDeep()
    if (isAlias(node)) {
      const target = anchors.get(node.source)
      if (!target) throw new YamlError(`yaml: unknown anchor '${node.source}' referenced`)
      this.targets.set(node, target)
      return
    }
    if (node?.anchor) anchors.set(node.anchor, node)
    if (isMap(node)) {
      for (const { key, value } of node.items as Pair<Node | null, Node | null>[]) {
        this.bindAliases(key, anchors, depth + 1)
        this.bindAliases(value, anchors, depth + 1)
      }
    } else if (isSeq(node)) {
      for (const item of node.items as (Node | null)[]) this.bindAliases(item, anchors, depth + 1)
    }
  }

  private read(node: Node | null): Json {
    this.count()
    if (isAlias(node)) return this.readAlias(node)
    if (isScalar(node)) return jsonOf(resolveScalar(this.cut(node)))
    if (!isMap(node) && !isSeq(node)) return null
    if (++this.depth > MAX_DEPTH) throw tooDeep()
    const value = isMap(node) ? this.readMap(node, {}, new Set()) : this.readList(node)
    this.depth--
    return value
  }

  private cut(node: Scalar): Scalar {
    const { type, value, range } = node
    if ((range?.[1] ?? 0) >= this.openEnd && type?.startsWith('BLOCK') && typeof value === 'string') {
      node.value = value.replace(/\n$/, '')
    }
    return node
  }

  private count(): void {
    this.reads++
    if (this.open.size > 0) this.aliasReads++
    if (this.aliasReads <= 100 || this.reads <= 1000) return
    if (this.aliasReads / this.reads > allowedAliasRatio(this.reads)) {
      throw new YamlError('yaml: document contains excessive aliasing')
    }
  }

  private readAlias(alias: Alias): Json {
    if (this.open.has(alias)) throw new YamlError(`yaml: anchor '${alias.source}' value contains itself`)
    this.open.add(alias)
    const value = this.read(this.targets.get(alias) as Node)
    this.open.delete(alias)
    return value
  }

  private readList(list: YAMLSeq): Json[] {
    return (list.items as (Node | null)[]).map((item) => this.read(item))
  }

  /** `seen`: the keys so far, as go-yaml tells them apart: 1 and "1" are two. */
  private readMap(map: YAMLMap, object: JsonObject, seen: Set<string>): JsonObject {
    for (const { key, value } of map.items as Pair<Node | null, Node | null>[]) {
      if (isMerge(key)) {
        this.merge(value, object, seen)
        continue
      }
      this.count()
      const resolved = this.resolveKey(key)
      const json = this.read(value)
      const shown = shownKey(resolved)
      const identity = resolved.kind === 'float' ? `${shown} (float)` : shown
      if (seen.has(identity))
        this.repeated.push(`line ${this.lineOf(value ?? key)}: key ${shown} already set in map`)
      seen.add(identity)
      assign(object, keyText(resolved, json), json)
    }
    return object
  }

  private resolveKey(key: Node | null): Resolved {
    const node = isAlias(key) ? this.targets.get(key) : key
    if (isScalar(node)) return resolveScalar(node)
    if (!node) return { kind: 'null' }
    throw new YamlError(
      `yaml: invalid map key: ${isSeq(node) ? '[]interface {}' : 'map[interface {}]interface {}'}{}`,
    )
  }

  private merge(node: Node | null, object: JsonObject, seen: Set<string>): void {
    // Of a list, what comes first wins, so it is read last.
    const sources = isSeq(node) ? [...(node.items as (Node | null)[])].reverse() : [node]
    for (const source of sources) {
      const map = isAlias(source) ? this.targets.get(source) : source
      if (!isMap(map)) throw new YamlError('yaml: map merge requires map or sequence of maps as the value')
      this.count()
      if (!isAlias(source)) this.readMap(map, object, seen)
      else {
        if (this.open.has(source))
          throw new YamlError(`yaml: anchor '${source.source}' value contains itself`)
        this.open.add(source)
        this.count()
        this.readMap(map, object, seen)
        this.open.delete(source)
      }
    }
  }

  private lineOf(node: Node | null): number {
    return this.lines.linePos(node?.range?.[0] ?? 0).line
  }
}

function isMerge(key: Node | null): boolean {
  return isScalar(key) && key.value === '<<' && ((key.type === 'PLAIN' && !key.tag) || key.tag === MERGE)
}

/** A scalar by its tag, or by its looks where it is plain. */
function resolveScalar(node: Scalar): Resolved {
  const text = typeof node.value === 'string' ? node.value : ''
  const tag = node.tag
  if (tag === undefined) return node.type === 'PLAIN' ? resolvePlain(text) : { kind: 'str', value: text }
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

const MAX_INT64 = 9223372036854775807n

function jsonOf(resolved: Resolved): Json {
  switch (resolved.kind) {
    case 'null':
      return null
    case 'int':
      return integer(resolved.value)
    case 'float':
      if (Number.isFinite(resolved.value)) return resolved.value
      throw new YamlError(`json: unsupported value: ${shownFloat(resolved.value)}`)
    default:
      return resolved.value
  }
}

/** DEVIATION: as in JSON bodies, an integer of int64 whose digits a number cannot keep is refused. */
function integer(value: bigint): number {
  const number = Number(value)
  if (value <= MAX_INT64 && String(number) !== String(value)) {
    throw new YamlError(`json: integer ${value} is beyond 2^53`)
  }
  return number
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
