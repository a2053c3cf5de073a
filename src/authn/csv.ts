// Comma-separated values as Go reads them: quotes double inside quotes, blank lines skipped, no lazy quotes.
// Follows encoding/csv.

/** A fault in the text; the message says where, as upstream's. Lines and columns count from 1. */
export class CsvError extends Error {
  constructor(line: number, column: number, why: string) {
    super(`parse error on line ${line}, column ${column}: ${why}`)
    this.name = 'CsvError'
  }
}

const BARE_QUOTE = 'bare " in non-quoted field'
const LOOSE_QUOTE = 'extraneous or missing " in quoted-field'

/** The records of a text, each with its fields. Throws CsvError. */
export function parseCsv(text: string): string[][] {
  const reader = new Reader(text.replaceAll('\r\n', '\n'))
  const records: string[][] = []
  for (let record = reader.record(); record !== undefined; record = reader.record()) records.push(record)
  return records
}

class Reader {
  readonly #text: string
  #at = 0
  #line = 1
  #lineStart = 0

  constructor(text: string) {
    this.#text = text
  }

  record(): string[] | undefined {
    while (this.#text[this.#at] === '\n') this.#newline()
    if (this.#at >= this.#text.length) return undefined
    const fields: string[] = []
    for (;;) {
      fields.push(this.#text[this.#at] === '"' ? this.#quoted() : this.#bare())
      if (this.#text[this.#at] === ',') {
        this.#at++
        continue
      }
      if (this.#text[this.#at] === '\n') this.#newline()
      return fields
    }
  }

  #bare(): string {
    const start = this.#at
    while (this.#at < this.#text.length && !',\n'.includes(this.#text[this.#at] as string)) {
      if (this.#text[this.#at] === '"') throw this.#error(BARE_QUOTE)
      this.#at++
    }
    return this.#text.slice(start, this.#at)
  }

  #quoted(): string {
    let field = ''
    this.#at++
    for (;;) {
      const character = this.#text[this.#at]
      if (character === undefined) throw this.#error(LOOSE_QUOTE)
      if (character !== '"') {
        if (character === '\n') this.#newline()
        else this.#at++
        field += character
      } else if (this.#text[this.#at + 1] === '"') {
        this.#at += 2
        field += '"'
      } else {
        return this.#closed(field)
      }
    }
  }

  #closed(field: string): string {
    const next = this.#text[this.#at + 1]
    if (next !== undefined && next !== ',' && next !== '\n') throw this.#error(LOOSE_QUOTE)
    this.#at++
    return field
  }

  #newline(): void {
    this.#at++
    this.#line++
    this.#lineStart = this.#at
  }

  #error(why: string): CsvError {
    return new CsvError(this.#line, this.#at - this.#lineStart + 1, why)
  }
}
