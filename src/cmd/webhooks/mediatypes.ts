// Whether the type that a webhook names for its answer can be read. Follows ParseMediaType of Go's mime.

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const TYPE = new RegExp(`^(${TOKEN})?(/)?(${TOKEN})?(.*)$`, 's')
const PARAMETER = new RegExp(`^\\s*;\\s*(${TOKEN})\\s*=\\s*(${TOKEN}|"(?:[^"\\\\\\r\\n]|\\\\.)*")`)

/** Throws an Error with upstream's words. Without a type, it is that of the question. */
export function checkMediaType(contentType: string): void {
  if (contentType === '' || contentType === 'application/json') return
  const fault = faultOf(contentType)
  if (fault !== undefined) throw new Error(`Internal error occurred: mime: ${fault}`)
}

function faultOf(contentType: string): string | undefined {
  const [base = ''] = contentType.split(';', 1)
  const [, type, slash, subtype, more] = TYPE.exec(base.trim()) ?? []
  if (type === undefined) return 'no media type'
  if (slash === undefined && (more ?? '') === '') return parameterFault(contentType.slice(base.length))
  if (slash === undefined) return 'expected slash after first token'
  if (subtype === undefined) return 'expected token after slash'
  if (more !== '') return 'unexpected content after media subtype'
  return parameterFault(contentType.slice(base.length))
}

function parameterFault(parameters: string): string | undefined {
  const known = new Map<string, string>()
  let rest = parameters.trimStart()
  while (rest !== '' && rest.trim() !== ';') {
    const [all, name = '', value = ''] = PARAMETER.exec(rest) ?? []
    if (all === undefined) return 'invalid media parameter'
    const key = name.toLowerCase()
    if (known.has(key) && known.get(key) !== value) return 'duplicate parameter name'
    known.set(key, value)
    rest = rest.slice(all.length).trimStart()
  }
  return undefined
}
