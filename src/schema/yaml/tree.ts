// A YAML text as a tree of nodes whose scalars are still texts: by the events of js-yaml, which are quick to come by.
// Below decode.ts, which says what the texts are. What js-yaml refuses is looked at again by refusal.ts.
import {
  type DocumentDirective,
  EVENT_ID,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE,
  YAMLException,
} from 'js-yaml'
import type { Event, ScalarEvent } from 'js-yaml'

export interface ScalarNode {
  readonly kind: 'scalar'
  readonly text: string
  readonly plain: boolean
  /** In full ("tag:yaml.org,2002:str"); undefined where there is none. */
  readonly tag: string | undefined
  /** Where it begins. */
  readonly at: number
}

export interface MapNode {
  readonly kind: 'map'
  /** Keys and values in turn. */
  readonly items: YamlNode[]
  readonly at: number
}

export interface ListNode {
  readonly kind: 'list'
  readonly items: YamlNode[]
  readonly at: number
}

export interface AliasNode {
  readonly kind: 'alias'
  readonly name: string
  /** The nearest anchor of its name before it; undefined: there is none. */
  readonly target: YamlNode | undefined
  readonly at: number
}

export type YamlNode = ScalarNode | MapNode | ListNode | AliasNode

/** The text is no YAML to js-yaml; `line` counts from one. */
export class TreeFault extends Error {
  readonly line: number
  readonly tooDeep: boolean

  constructor(reason: string, mark?: { readonly line: number }) {
    super(reason)
    this.name = 'TreeFault'
    this.line = (mark?.line ?? 0) + 1
    this.tooDeep = reason.startsWith('nesting exceeded')
  }
}

/** The root of the first document; undefined where it is empty. Reads no further than its end. @throws TreeFault */
export function treeOf(text: string, maxDepth: number): YamlNode | undefined {
  return rootOf(text.slice(0, endOfFirstDocument(text)), maxDepth)
}

function rootOf(source: string, maxDepth: number): YamlNode | undefined {
  try {
    return new Builder(source).build(parseEvents(source, { maxDepth }))
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    // go-yaml reads no further than the end of a collection or text in brackets or quotes that is a whole document.
    const end = error.mark?.position ?? 0
    if (
      error.reason.startsWith('end of the stream') &&
      end < source.length &&
      CLOSED.test(source.slice(0, end))
    )
      return rootOf(source.slice(0, end), maxDepth)
    throw new TreeFault(error.reason, error.mark)
  }
}

const CLOSED = /[\]}"']\s*$/

/** go-yaml's names of anchors. */
const ANCHOR = /^[0-9A-Za-z_-]+$/
export const BAD_ANCHOR = 'did not find expected alphabetic or numeric character'

const LINE = /[^\n]*(?:\n|$)/y
/** Comments and directives, which stand before a document. */
const BEFORE = /^(?:[ \t\ufeff]*(?:#.*)?|%.*)\r?\n?$/
const BEGIN = /^---(?=\s|$)/
const BOUNDARY = /^(?:---|\.\.\.)(?=\s|$)/gm

function endOfFirstDocument(text: string): number {
  let position = 0
  for (;;) {
    LINE.lastIndex = position
    const [line = ''] = LINE.exec(text) ?? []
    if (line === '' || !BEFORE.test(line)) {
      BOUNDARY.lastIndex = BEGIN.test(line) ? position + 3 : position
      break
    }
    position += line.length
  }
  const boundary = BOUNDARY.exec(text)
  if (!boundary) return text.length
  // An explicit end belongs to the document.
  return boundary[0] === '...' ? boundary.index + 3 : boundary.index
}

const TAGS: Readonly<Record<string, string>> = { '!': '!', '!!': 'tag:yaml.org,2002:' }

class Builder {
  readonly #source: string
  readonly #anchors = new Map<string, YamlNode>()
  readonly #open: (MapNode | ListNode | undefined)[] = []
  #handles = TAGS
  #root: YamlNode | undefined

  constructor(source: string) {
    this.#source = source
  }

  build(events: readonly Event[]): YamlNode | undefined {
    for (const event of events) this.#take(event)
    return this.#root
  }

  #take(event: Event): void {
    switch (event.type) {
      case EVENT_ID.DOCUMENT:
        this.#handles = withDirectives(event.directives)
        this.#open.push(undefined)
        return
      case EVENT_ID.POP:
        this.#open.pop()
        return
      case EVENT_ID.ALIAS: {
        const name = this.#anchor(event.anchorStart, event.anchorEnd)
        const at = event.anchorStart
        return this.#add({ kind: 'alias', name, target: this.#anchors.get(name), at }, -1, -1)
      }
      case EVENT_ID.SCALAR:
        return this.#add(this.#scalar(event), event.anchorStart, event.anchorEnd)
      default: {
        const kind = event.type === EVENT_ID.MAPPING ? 'map' : 'list'
        const node: MapNode | ListNode = { kind, items: [], at: event.start }
        this.#add(node, event.anchorStart, event.anchorEnd)
        this.#open.push(node)
      }
    }
  }

  #scalar(event: ScalarEvent): ScalarNode {
    const isBlock = event.style === SCALAR_STYLE.LITERAL_BLOCK || event.style === SCALAR_STYLE.FOLDED_BLOCK
    const value = getScalarValue(this.#source, event)
    // Where a block ends the text without a line end, go-yaml adds none.
    const open = isBlock && event.valueEnd >= this.#source.length && !this.#source.endsWith('\n')
    return {
      kind: 'scalar',
      text: open ? value.replace(/\n$/, '') : value,
      plain: event.style === SCALAR_STYLE.PLAIN,
      tag: event.tagStart < 0 ? undefined : this.#tag(event.tagStart, event.tagEnd),
      // A block begins on the line of its header.
      at: isBlock ? event.valueStart - 1 : event.valueStart,
    }
  }

  #tag(start: number, end: number): string {
    const raw = this.#source.slice(start, end)
    if (raw.startsWith('!<')) return raw.slice(2, -1)
    const handle = raw.slice(0, raw.indexOf('!', 1) + 1) || '!'
    return (this.#handles[handle] ?? handle) + raw.slice(handle.length)
  }

  #anchor(start: number, end: number): string {
    const name = this.#source.slice(start, end)
    if (ANCHOR.test(name)) return name
    throw new TreeFault(BAD_ANCHOR, { line: this.#source.slice(0, start).split('\n').length - 1 })
  }

  #add(node: YamlNode, anchorStart: number, anchorEnd: number): void {
    if (anchorStart >= 0) this.#anchors.set(this.#anchor(anchorStart, anchorEnd), node)
    const parent = this.#open[this.#open.length - 1]
    if (parent) parent.items.push(node)
    else this.#root ??= node
  }
}

function withDirectives(directives: readonly DocumentDirective[]): Readonly<Record<string, string>> {
  const own = directives.flatMap((one) => (one.kind === 'tag' ? [[one.handle, one.prefix] as const] : []))
  return own.length === 0 ? TAGS : { ...TAGS, ...Object.fromEntries(own) }
}
