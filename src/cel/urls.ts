// url(…) and its parts. Follows k8s.io/apiserver/pkg/cel/library/urls.go.
import { CelError } from './fault.ts'
import type { Library } from './overload.ts'
import { walk } from './size.ts'
import { ListValue, MapValue, OpaqueValue, type Value } from './values.ts'

const TYPE = 'kubernetes.URL'

/** What Go's url.ParseRequestURI takes: an absolute URI, or an absolute path. */
function parse(text: string): URL | undefined {
  if (/[\s\x00-\x1f\x7f]/.test(text)) return undefined
  if (text.startsWith('/'))
    return URL.parse(`nothing://${text.startsWith('//') ? text.slice(2) : `./${text}`}`) ?? undefined
  return /^[A-Za-z][-+.A-Za-z0-9]*:/.test(text) ? (URL.parse(text) ?? undefined) : undefined
}

/** The authority as it stands in the text: URL drops default ports and changes cases. */
function authority(text: string): string {
  const match = /^(?:[A-Za-z][-+.A-Za-z0-9]*:)?\/\/([^/?#]*)/.exec(text)
  return (match?.[1] ?? '').replace(/^.*@/, '')
}

const textOf = (url: Value | undefined): string => (url as OpaqueValue).data as string
const hostOf = (url: Value | undefined): string => authority(textOf(url))

export const urls: Library = (define) => {
  define(
    `url(string) ${TYPE}`,
    ([text]) => {
      if (parse(text as string)) return new OpaqueValue(TYPE, text, text as string)
      throw new CelError(
        `URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`,
      )
    },
    walk,
  )
  define('isURL(string) bool', ([text]) => parse(text as string) !== undefined, walk)
  define(`${TYPE}->getScheme() string`, ([url]) => /^([^:/]+):/.exec(textOf(url))?.[1]?.toLowerCase() ?? '')
  define(`${TYPE}->getHost() string`, ([url]) => hostOf(url))
  define(`${TYPE}->getHostname() string`, ([url]) =>
    hostOf(url)
      .replace(/:\d*$/, '')
      .replace(/^\[(.*)\]$/, '$1'),
  )
  define(`${TYPE}->getPort() string`, ([url]) => /:(\d+)$/.exec(hostOf(url))?.[1] ?? '')
  define(`${TYPE}->getEscapedPath() string`, ([url]) => {
    const rest = textOf(url)
      .replace(/^[A-Za-z][-+.A-Za-z0-9]*:/, '')
      .replace(/^\/\/[^/?#]*/, '')
    return encodeURI(decodeSafely(rest.replace(/[?#].*$/, '')))
  })
  define(`${TYPE}->getQuery() map(string,list(string))`, ([url]) => queryOf(textOf(url)))
}

function decodeSafely(path: string): string {
  try {
    return decodeURI(path)
  } catch {
    return path
  }
}

function queryOf(text: string): MapValue {
  const query = new MapValue()
  const params = new URLSearchParams(/\?([^#]*)/.exec(text)?.[1] ?? '')
  for (const key of new Set(params.keys())) query.set(key, new ListValue(params.getAll(key)))
  return query
}
