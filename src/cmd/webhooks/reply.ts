// Reads one HTTP/1.1 reply of a webhook, as it comes in, within bounds; what is wrong with it is said in Go's words.
// Follows ReadResponse and the transfer of bodies in Go's net/http.
import { isUtf8 } from 'node:buffer'
import { goQuote, goQuoteList } from '../../machinery/quote.ts'
import { ChunkReader } from './chunks.ts'
import { MAX_ANSWER_BYTES, type Reply } from './answer.ts'

/** No server says more than a few hundred bytes before its answer. */
const MAX_HEAD_BYTES = 1024 * 1024
const LINE_FEED = 0x0a

/** The reply is none. In the head of it, or in its body: clients are told with different words. */
export class ReplyFault extends Error {
  readonly inBody: boolean
  constructor(message: string, inBody: boolean) {
    super(message)
    this.name = 'ReplyFault'
    this.inBody = inBody
  }
}

const UNEXPECTED_END = 'unexpected EOF'
const EMPTY = Buffer.alloc(0)
const VERSION = /^HTTP\/(\d)\.(\d)$/
const STATUS = /^\d{3}$/
/** Names with spaces in them are taken. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z -]+$/
const NO_CONTENT = [204, 304]
/** Bytes that a header's value cannot have. */
const BAD_VALUE = /[\x00-\x08\x0a-\x1f\x7f]/

type State = 'status' | 'headers' | 'sized' | 'chunks' | 'rest' | 'done'

export class ReplyReader {
  /** Whether the connection can be asked again. */
  keeps = false
  /** Whether anything came. */
  begun = false
  #state: State = 'status'
  #pending: Buffer = EMPTY
  #head = 0
  #status = 0
  #headers = new Map<string, string[]>()
  #last: string[] | undefined
  #body: Buffer[] = []
  #size = 0
  #left = 0
  #chunks: ChunkReader | undefined

  /** Takes what came; true: the reply is whole. Throws ReplyFault, or an Error where there is too much of it. */
  take(chunk: Buffer): boolean {
    this.begun = true
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    if (this.#state === 'status' || this.#state === 'headers') this.#readHead()
    if (this.#state === 'sized' || this.#state === 'rest' || this.#state === 'chunks') this.#readBody()
    const isDone = this.#state === 'done'
    // What comes unasked belongs to nobody.
    if (isDone && this.#pending.length > 0) this.keeps = false
    return isDone
  }

  /** The other side has ended; true: that was the end of the reply. Throws ReplyFault. */
  end(): boolean {
    if (this.#state === 'done') return true
    if (this.#state === 'status' || this.#state === 'headers') throw new ReplyFault(UNEXPECTED_END, false)
    if (this.#state !== 'rest') throw new ReplyFault(UNEXPECTED_END, true)
    this.#state = 'done'
    return true
  }

  get inBody(): boolean {
    return this.#state !== 'status' && this.#state !== 'headers'
  }

  get reply(): Reply {
    return {
      status: this.#status,
      contentType: this.#header('content-type') ?? '',
      retryAfter: this.#header('retry-after'),
      location: this.#header('location'),
      body: this.#body.length === 1 ? (this.#body[0] as Buffer) : Buffer.concat(this.#body),
    }
  }

  #header(name: string): string | undefined {
    return this.#headers.get(name)?.[0]
  }

  #readHead(): void {
    for (;;) {
      const at = this.#pending.indexOf(LINE_FEED)
      this.#limitHead(at < 0 ? this.#pending.length : at)
      if (at < 0) return
      const line = this.#pending.toString('latin1', 0, at).replace(/\r$/, '')
      this.#pending = this.#pending.subarray(at + 1)
      this.#head += at
      if (this.#state === 'status') this.#readStatus(line)
      else if (line !== '') this.#readHeader(line)
      else if (this.#endHead()) return
    }
  }

  #limitHead(more: number): void {
    if (this.#head + more <= MAX_HEAD_BYTES) return
    const fault = `net/http: server response headers exceeded ${MAX_HEAD_BYTES} bytes; aborted`
    throw new ReplyFault(fault, false)
  }

  #readStatus(line: string): void {
    const space = line.indexOf(' ')
    if (space < 0) throw malformed('HTTP response', line)
    const [version, rest] = [line.slice(0, space), line.slice(space).replace(/^ +/, '')]
    const [code = ''] = rest.split(' ', 1)
    if (!STATUS.test(code)) throw malformed('HTTP status code', code)
    const [, major, minor] = VERSION.exec(version) ?? []
    if (major === undefined) throw malformed('HTTP version', version)
    this.#status = Number(code)
    this.keeps = major === '1' && minor !== '0'
    this.#headers.clear()
    this.#last = undefined
    this.#state = 'headers'
  }

  #readHeader(line: string): void {
    if (line.startsWith(' ') || line.startsWith('\t')) {
      if (!this.#last) throw malformed('MIME header initial line:', line)
      this.#last.push(`${this.#last.pop() ?? ''} ${line.trim()}`)
      return
    }
    const colon = line.indexOf(':')
    if (colon < 0) throw malformed('MIME header: missing colon:', line)
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1)]
    if (!NAME.test(name) || BAD_VALUE.test(value)) throw malformed('MIME header line:', line)
    const key = name.toLowerCase()
    let values = this.#headers.get(key)
    if (!values) this.#headers.set(key, (values = []))
    values.push(value.trim())
    this.#last = values
  }

  /** The headers are there; false: they were those of an interim answer. */
  #endHead(): boolean {
    const status = this.#status
    if (status >= 100 && status < 200 && status !== 101) {
      this.#state = 'status'
      return false
    }
    const connection = this.#headers.get('connection')?.join(',').toLowerCase() ?? ''
    if (status === 101 || /(^|[\s,])close($|[\s,])/.test(connection)) this.keeps = false
    const isChunked = this.#isChunked()
    const length = this.#length()
    if (status === 101 || NO_CONTENT.includes(status)) this.#state = 'done'
    else if (isChunked) {
      this.#chunks = new ChunkReader()
      this.#state = 'chunks'
    } else if (length === undefined) {
      this.keeps = false
      this.#state = 'rest'
    } else {
      this.#left = length
      this.#state = length === 0 ? 'done' : 'sized'
    }
    return true
  }

  #isChunked(): boolean {
    const encodings = this.#headers.get('transfer-encoding')
    if (!encodings) return false
    const [encoding = ''] = encodings
    if (encodings.length > 1) {
      throw new ReplyFault(`too many transfer encodings: ${goQuoteList(encodings)}`, false)
    }
    if (encoding.toLowerCase() === 'chunked') return true
    throw new ReplyFault(`unsupported transfer encoding: ${goQuote(encoding)}`, false)
  }

  #length(): number | undefined {
    const lengths = this.#headers.get('content-length')
    if (!lengths) return undefined
    const [length = ''] = lengths
    if (lengths.some((each) => each !== length)) {
      const all = goQuoteList(lengths)
      throw new ReplyFault(`http: message cannot contain multiple Content-Length headers; got ${all}`, false)
    }
    if (/^\d+$/.test(length) && Number.isSafeInteger(Number(length))) return Number(length)
    if (length === '') throw new ReplyFault('invalid empty Content-Length', false)
    throw new ReplyFault(`bad Content-Length ${goQuote(length)}`, false)
  }

  #readBody(): void {
    let pending = this.#pending
    this.#pending = EMPTY
    if (this.#chunks) {
      const { parts, rest } = chunksOf(this.#chunks, pending)
      for (const part of parts) this.#keep(part)
      this.#pending = rest
      if (this.#chunks.isDone) this.#state = 'done'
      return
    }
    if (this.#state === 'sized') {
      this.#pending = pending.subarray(this.#left)
      pending = pending.subarray(0, this.#left)
      this.#left -= pending.length
      if (this.#left === 0) this.#state = 'done'
    }
    if (pending.length > 0) this.#keep(pending)
  }

  #keep(part: Buffer): void {
    this.#size += part.length
    if (this.#size > MAX_ANSWER_BYTES) {
      throw new Error(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`)
    }
    this.#body.push(part)
  }
}

function chunksOf(reader: ChunkReader, pending: Buffer): { parts: Buffer[]; rest: Buffer } {
  try {
    return reader.take(pending)
  } catch (error) {
    throw new ReplyFault((error as Error).message, true)
  }
}

const malformed = (what: string, line: string): ReplyFault =>
  new ReplyFault(`malformed ${what} ${quotedLine(line)}`, false)

/** Go quotes what is no UTF-8 byte by byte. */
function quotedLine(line: string): string {
  const bytes = Buffer.from(line, 'latin1')
  return isUtf8(bytes) ? goQuote(bytes.toString()) : `"${line.replace(/./gs, quotedByte)}"`
}

const quotedByte = (byte: string): string =>
  byte > '~' ? `\\x${byte.charCodeAt(0).toString(16)}` : goQuote(byte).slice(1, -1)
