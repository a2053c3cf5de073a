// What is wrong with a text that js-yaml refuses, in go-yaml's words: the package `yaml` looks at it again, since it tells
// faults apart. Loaded when the first such text comes.
import { Composer, isMap, isSeq, LineCounter, Parser } from 'yaml'
import type { Document, YAMLParseError } from 'yaml'
import { MAX_DEPTH } from '../json/inspect.ts'
import { goMessage, YamlError } from './errors.ts'
import type { TreeFault } from './tree.ts'

/** The package takes some 2 µs for a byte, and nothing else is served meanwhile: longer texts are refused in fewer words. */
const MAX_BYTES = 64 * 1024

/** What to say of the text; `fault` is what js-yaml says. */
export function refusalOf(text: string, fault: TreeFault): YamlError {
  const general = new YamlError(`yaml: line ${fault.line}: did not find expected node content`)
  if (text.length > MAX_BYTES) return general
  try {
    firstDocument(text, new LineCounter())
    return general
  } catch (error) {
    if (error instanceof YamlError) return error
    throw error
  }
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
