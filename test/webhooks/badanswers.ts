// Answers that are none, or lie: what a webhook of a test does instead of answering, byte by byte where it must.
import type { JsonObject } from '../../src/machinery/json.ts'
import { allow, answer, type Behave, deny, type Review } from './hookserver.ts'

/** Writes bytes of its own in place of a reply, and hangs up where it is told to. */
const wire =
  (text: string, { ends = true } = {}): Behave =>
  (_review, out) => {
    out.req.socket.write(Buffer.from(text, 'latin1'))
    if (ends) out.req.socket.end()
  }

const OK = 'HTTP/1.1 200 OK\r\n'
const reply =
  (body: (review: Review) => string, type = 'application/json', status = 200): Behave =>
  (review, out) => {
    out.statusCode = status
    out.setHeader('content-type', type)
    out.end(body(review))
  }
const says = (text: string): Behave => reply(() => text)
const allowed = ({ apiVersion, request: { uid } }: Review): string =>
  JSON.stringify({ apiVersion, kind: 'AdmissionReview', response: { uid, allowed: true } })

const dribble: Behave = (_review, out) => {
  out.writeHead(200, { 'content-type': 'application/json' })
  const timer = setInterval(() => out.write(' '), 50)
  out.on('close', () => clearInterval(timer))
}

const hints =
  (count: number): Behave =>
  (review, out) => {
    const body = allowed(review)
    const early = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(count)
    out.req.socket.write(`${early}${OK}Content-Length: ${body.length}\r\n\r\n${body}`)
  }

const chunked =
  (text: string): Behave =>
  (_review, out) =>
    out.req.socket.end(`${OK}Transfer-Encoding: chunked\r\n\r\n${text}`)

const inChunks: Behave = (review, out) => {
  const body = allowed(review)
  const parts = [...body].map((c) => `1;x=y\r\n${c}\r\n`).join('')
  out.req.socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n${parts}0\r\nA: b\r\n\r\n`)
}

const untilTheEnd: Behave = (review, out) => void out.req.socket.end(`HTTP/1.0 200 OK\n\n${allowed(review)}`)

/** On a validating webhook with a second to answer. */
export const LIES: readonly (readonly [what: string, behave: Behave])[] = [
  ['a line', wire('garbage\r\n\r\n')],
  ['bytes', wire('\0\x01\xff\xfe"\\\r\n\r\n')],
  ['a status that is no number', wire('HTTP/1.1 abc OK\r\n\r\n')],
  ['a status of four digits', wire('HTTP/1.1 2000 OK\r\n\r\n')],
  ['another protocol', wire('SSH-2.0 200 OK\r\n\r\n')],
  ['a header without a colon', wire(`${OK}header\r\n\r\n`)],
  ['a header that goes on first', wire(`${OK} a: b\r\n\r\n`)],
  ['a header with a bad name', wire(`${OK}a b: c\r\n\r\n`)],
  ['a length that is none', wire(`${OK}Content-Length: ten\r\n\r\n`)],
  ['a length below zero', wire(`${OK}Content-Length: -1\r\n\r\n`)],
  ['two lengths', wire(`${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`)],
  ['another coding', wire(`${OK}Transfer-Encoding: gzip\r\n\r\n`)],
  ['two codings', wire(`${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`)],
  ['half a head', wire(`${OK}Content-Type: applica`)],
  ['half a body', wire(`${OK}Content-Length: 100\r\n\r\n{"a":`)],
  ['nothing at all', wire('')],
  ['a body that stops', wire(`${OK}Content-Length: 100\r\n\r\n{"a":`, { ends: false })],
  ['a body without an end', dribble],
  ['a chunk that is none', chunked('zz\r\n')],
  ['a chunk without a length', chunked('\r\n')],
  ['a chunk that is longer than it says', chunked('1\r\nabc\r\n')],
  ['chunks that end early', chunked('5\r\nab')],
  ['a chunk of too many bytes', chunked('fffffffffffffffff\r\n')],
  ['lines without returns between chunks', chunked('1\n{\n')],
  ['many chunks', inChunks],
  ['an answer up to the end', untilTheEnd],
  ['hints before the answer', hints(3)],
  ['another protocol from here', wire('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n')],
  ['no content', wire('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n')],
  ['a page', reply(() => '<html>', 'text/html')],
  ['a type that is none', reply(allowed, 'a/b/c;;=')],
  ['an answer as text', reply(allowed, 'text/plain')],
  ['a list', says('[]')],
  ['a string', says('"a"')],
  ['a number', says('1')],
  ['null', says('null')],
  ['no JSON', says('a: b')],
  ['two answers', reply((review) => allowed(review) + allowed(review))],
  [
    'bytes that are no text',
    (_r, out) => void out.end(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])),
  ],
  ['another question’s answer', answer({ uid: 'other', allowed: true })],
  ['no uid', answer({ uid: '', allowed: true })],
  ['a response that is none', answer({}, { response: 'yes' })],
  ['warnings that are none', allow({ warnings: 'careful' })],
  ['a warning that is none', allow({ warnings: [1] })],
  ['annotations that are none', allow({ auditAnnotations: { a: 1 } })],
  ['a status that is none', answer({ allowed: false, status: 'no' })],
  ['a code that is none', deny({ code: 'x' })],
  ['a success that refuses', deny({ code: 200, message: 'no' })],
  ['a code below zero', deny({ code: -5, message: 'no' })],
  ['a teapot', deny({ code: 418, message: 'no', reason: 'Teapot' })],
  ['401', reply(() => 'who', 'text/plain', 401)],
  ['403', reply(() => 'no', 'text/plain', 403)],
  ['429', reply(() => 'later', 'text/plain', 429)],
  ['503', reply(() => 'down', 'text/plain', 503)],
  ['599', reply(() => 'down', 'application/json', 599)],
  ['a Status', reply(() => JSON.stringify(failure('words of its own')), 'application/json', 500)],
]

const failure = (message: string): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Status',
  status: 'Failure',
  message,
  reason: 'InternalError',
  code: 500,
})

const encoded = (text: string): string => Buffer.from(text).toString('base64')
const patches = (text: string, more: JsonObject = {}): Behave =>
  allow({ patchType: 'JSONPatch', patch: encoded(text), ...more })
const copies = (count: number): string =>
  JSON.stringify([
    { op: 'add', path: '/data/a', value: 'x'.repeat(1024) },
    { op: 'add', path: '/metadata/annotations', value: {} },
    ...Array.from({ length: count }, (_, i) => ({ op: 'copy', from: '/data', path: `/data/c${i}` })),
  ])

/** On a mutating webhook. */
export const BAD_PATCHES: readonly (readonly [what: string, behave: Behave])[] = [
  ['no patch', allow({ patchType: 'JSONPatch' })],
  ['a patch of no type', allow({ patch: encoded('[]') })],
  ['a patch of another type', patches('[]', { patchType: 'Merge' })],
  ['no base64', allow({ patchType: 'JSONPatch', patch: '***' })],
  ['no JSON', patches('[{')],
  ['an object', patches('{}')],
  ['null', patches('null')],
  ['an operation that is none', patches('[{"op":"sing","path":"/data"}]')],
  ['an operation without a path', patches('[{"op":"add","value":1}]')],
  ['a path that is not there', patches('[{"op":"remove","path":"/data/none"}]')],
  ['a test that fails', patches('[{"op":"test","path":"/data/a","value":"c"}]')],
  ['no object', patches('[{"op":"replace","path":"","value":1}]')],
  ['another name', patches('[{"op":"replace","path":"/metadata/name","value":"other"}]')],
  ['another namespace', patches('[{"op":"replace","path":"/metadata/namespace","value":"other"}]')],
  ['another kind', patches('[{"op":"replace","path":"/kind","value":"ServiceAccount"}]')],
  ['a field that is none', patches('[{"op":"add","path":"/spec","value":{}}]')],
  ['a value of another type', patches('[{"op":"add","path":"/data/b","value":1}]')],
  ['a prototype', patches('[{"op":"add","path":"/__proto__","value":{"x":1}}]')],
  ['copies of copies', patches(copies(24))],
]
