// What go.yaml.in/yaml/v2 says of texts that the package `yaml` refuses, as near as the two parsers' views allow.
import type { LineCounter, YAMLParseError } from 'yaml'
import { JsonSyntaxError } from '../json/json.ts'

/** The text is no YAML, or none that JSON can hold; the message is what go-yaml or sigs.k8s.io/yaml say of it. */
export class YamlError extends JsonSyntaxError {
  constructor(message: string) {
    super(message)
    this.name = 'YamlError'
  }
}

const NO_MAPPING = 'mapping values are not allowed in this context'
const NO_TOKEN = 'found character that cannot start any token'
const NO_COLON = "could not find expected ':'"

interface Fault {
  readonly problem: string
  /** Go's scanner counts lines from one, its parser from zero; and the first line, as zero, is left out. */
  readonly by: 'scanner' | 'parser'
  /** Where go-yaml sees it: where the package does, at the next colon, on the next line, or at the end of the text. */
  readonly at?: 'colon' | 'nextLine' | 'end'
}

const scanner = (problem: string, at?: 'colon' | 'nextLine' | 'end'): Fault => ({
  problem,
  by: 'scanner',
  ...(at && { at }),
})
const parser = (problem: string): Fault => ({ problem, by: 'parser' })

const BY_CODE: Readonly<Record<string, Fault>> = {
  BLOCK_AS_IMPLICIT_KEY: scanner(NO_MAPPING, 'colon'),
  MULTILINE_IMPLICIT_KEY: scanner(NO_MAPPING, 'colon'),
  KEY_OVER_1024_CHARS: scanner(NO_COLON),
  TAB_AS_INDENT: scanner(NO_TOKEN),
  BAD_SCALAR_START: scanner(NO_TOKEN),
  BAD_DQ_ESCAPE: scanner('found unknown escape character'),
  BAD_DIRECTIVE: scanner('found unknown directive name'),
  BAD_ALIAS: scanner('did not find expected alphabetic or numeric character'),
  BAD_INDENT: parser('did not find expected key'),
}

/** One code of the package stands for several problems; its words tell which. */
const BY_WORDS: readonly (readonly [RegExp, Fault])[] = [
  [/^Missing closing/, scanner('found unexpected end of stream', 'end')],
  [/flow map/i, parser("did not find expected ',' or '}'")],
  [/flow sequence/i, parser("did not find expected ',' or ']'")],
  [/^Implicit map keys need/, scanner(NO_COLON, 'nextLine')],
  [/^Block scalar header/, scanner('did not find expected comment or line break')],
  [
    /block-seq-ind|^A block sequence may not/,
    scanner('block sequence entries are not allowed in this context'),
  ],
  [/explicit-key-ind/, scanner('mapping keys are not allowed in this context')],
  [/at node end$/, parser('did not find expected key')],
  [/^Sequence item without/, parser("did not find expected '-' indicator")],
]

/** The problem with its line in front: "line 2: mapping values are not allowed in this context". */
export function goMessage(error: YAMLParseError, lines: LineCounter, text: string): string {
  const fault = faultOf(error, text)
  const line = lineOf(error.pos[0], fault, lines, text)
  return line > (fault.by === 'scanner' ? 1 : 0) ? `line ${line}: ${fault.problem}` : fault.problem
}

function faultOf(error: YAMLParseError, text: string): Fault {
  if (error.code === 'MULTILINE_IMPLICIT_KEY' && followsKey(error.pos[0], text))
    return scanner(NO_COLON, 'colon')
  const fault = BY_WORDS.find(([words]) => words.test(error.message))?.[1] ?? BY_CODE[error.code]
  // A text that ends where an entry must begin lacks the entry, not the comma or the bracket after it.
  const entryMissing = fault?.by === 'parser' && OPEN_AT_END.test(text)
  return entryMissing || !fault ? parser('did not find expected node content') : fault
}

const OPEN_AT_END = /[[{,]\s*$/

/** Whether the line before that is indented no deeper is indented the same: then a key must stand here. */
function followsKey(offset: number, text: string): boolean {
  const lines = text.slice(0, offset).split('\n')
  const column = (lines.pop() as string).length
  const before = lines.reverse().find((line) => line.trim() !== '' && /^ */.exec(line)![0].length <= column)
  return before !== undefined && /^ */.exec(before)![0].length === column
}

function lineOf(offset: number, fault: Fault, lines: LineCounter, text: string): number {
  const last = text.trimEnd().length
  const { line } = lines.linePos(offset)
  // At the end go-yaml stands on a line of its own.
  if (fault.by === 'parser') return offset >= last ? lines.linePos(last).line : line - 1
  if (fault.at === 'end') return lines.linePos(text.length).line
  if (fault.at === 'nextLine') return line + 1
  if (fault.at !== 'colon') return line
  const colon = /:(?=\s|$)/g
  colon.lastIndex = offset
  return lines.linePos(colon.exec(text)?.index ?? offset).line
}
