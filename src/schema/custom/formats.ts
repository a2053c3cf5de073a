// The formats of texts that schemas may name, and what is of them. Others are ignored, with a warning when a definition
// names them. Follows k8s.io/kube-openapi/pkg/validation/strfmt and apiextensions-apiserver/pkg/apiserver/validation.
import { isIP, isIPv6 } from 'node:net'
import { DurationError, parseDuration } from '../../machinery/duration.ts'
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../../machinery/validation.ts'

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i
const UUID3 = /^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i
const UUID4 = /^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i
const UUID5 = /^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i
const MAC =
  /^([0-9a-f]{2}([:-])(?:[0-9a-f]{2}\2){4,6}[0-9a-f]{2}|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}(\.[0-9a-f]{4})?)$/i
const SSN = /^\d{3}[- ]?\d{2}[- ]?\d{4}$/
const HEX_COLOR = /^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/
const RGB_PART = '(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])'
const RGB_COLOR = new RegExp(`^rgb\\(\\s*${RGB_PART}\\s*,\\s*${RGB_PART}\\s*,\\s*${RGB_PART}\\s*\\)$`)
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/
const DATE_TIME =
  /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):?[0-5]\d)?$/i
const OBJECT_ID = /^[0-9a-fA-F]{24}$/
const CREDIT_CARD =
  /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})$/
const HOST_LABEL = /^[a-zA-Z0-9\p{S}\p{L}](?:[a-zA-Z0-9-\p{S}\p{L}]*[a-zA-Z0-9\p{S}\p{L}])?$/u
/** Of a host name, in all and of one label. */
const MAX_HOSTNAME = 255
const MAX_HOST_LABEL = 63
/** As long as RFC 5321 lets an address be; longer ones are not looked at. */
const MAX_EMAIL = 320
const EMAIL = /^(?:[^<>@",;\\]*<)?([^\s<>@",;:\\()[\]]+@[^\s<>@",;:\\()[\]]+)>?$/
const GO_LIKE_DURATION = /^\s*(?:\d+\s*[a-zA-Zµ]+\s*)+$/

function isDate(text: string): boolean {
  const match = DATE.exec(text)
  if (!match) return false
  const date = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}

function isDateTime(text: string): boolean {
  const match = DATE_TIME.exec(text)
  return match !== null && isDate(match[1] as string)
}

function isUri(text: string): boolean {
  if (/[\u0000-\u0020\u007f]/.test(text)) return false
  if (text.startsWith('/')) return true
  return /^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text) && URL.canParse(text)
}

function isCidr(text: string): boolean {
  const slash = text.lastIndexOf('/')
  const family = slash < 0 ? 0 : isIP(text.slice(0, slash).replace(/(^|\.)0+(?=\d)/g, '$1'))
  const bits = text.slice(slash + 1)
  return family !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)
}

function isHostname(text: string): boolean {
  const labels = text.split('.')
  if (text.length > MAX_HOSTNAME || labels.some((label) => label.length > MAX_HOST_LABEL)) return false
  if (!labels.every((label) => HOST_LABEL.test(label))) return false
  return labels.length === 1 || /^[a-zA-Z\p{L}]{2,63}$/u.test(labels.at(-1) ?? '')
}

function isDuration(text: string): boolean {
  try {
    parseDuration(text)
    return true
  } catch (error) {
    if (!(error instanceof DurationError)) throw error
    return GO_LIKE_DURATION.test(text)
  }
}

function isIsbn10(text: string): boolean {
  const digits = text.replace(/[\s-]+/g, '')
  if (!/^\d{9}[\dX]$/.test(digits)) return false
  let sum = 0
  for (let i = 0; i < 10; i++) sum += (10 - i) * (digits[i] === 'X' ? 10 : Number(digits[i]))
  return sum % 11 === 0
}

function isIsbn13(text: string): boolean {
  const digits = text.replace(/[\s-]+/g, '')
  if (!/^\d{13}$/.test(digits)) return false
  let sum = 0
  for (let i = 0; i < 13; i++) sum += (i % 2 ? 3 : 1) * Number(digits[i])
  return sum % 10 === 0
}

function isCreditCard(text: string): boolean {
  const digits = text.replace(/[^0-9]+/g, '')
  if (!CREDIT_CARD.test(digits)) return false
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]) * (i % 2 ? 2 : 1)
    sum += digit > 9 ? digit - 9 : digit
  }
  return sum % 10 === 0
}

const test =
  (pattern: RegExp) =>
  (text: string): boolean =>
    pattern.test(text)

/** By name without dashes. */
const FORMATS: ReadonlyMap<string, (text: string) => boolean> = new Map(
  Object.entries({
    bsonobjectid: test(OBJECT_ID),
    uri: isUri,
    email: (text: string) => text.length <= MAX_EMAIL && EMAIL.test(text.trim()),
    hostname: isHostname,
    ipv4: (text: string) => text.includes('.') && isIP(text.replace(/(^|\.)0+(?=\d)/g, '$1')) !== 0,
    ipv6: isIPv6,
    cidr: isCidr,
    mac: test(MAC),
    uuid: test(UUID),
    uuid3: test(UUID3),
    uuid4: test(UUID4),
    uuid5: test(UUID5),
    isbn: (text: string) => isIsbn10(text) || isIsbn13(text),
    isbn10: isIsbn10,
    isbn13: isIsbn13,
    creditcard: isCreditCard,
    ssn: test(SSN),
    hexcolor: test(HEX_COLOR),
    rgbcolor: test(RGB_COLOR),
    byte: test(BASE64),
    password: () => true,
    date: isDate,
    duration: isDuration,
    datetime: isDateTime,
    k8sshortname: (text: string) => dns1123LabelErrors(text).length === 0,
    k8slongname: (text: string) => dns1123SubdomainErrors(text).length === 0,
  }),
)

/** The check of a text format; undefined where it is not known. */
export const textFormat = (format: string): ((text: string) => boolean) | undefined =>
  FORMATS.get(format.replaceAll('-', ''))

/** Whether values of a schema's type are checked for this format. */
export function isKnownFormat(type: string, format: string): boolean {
  if (type === '' || type === 'string') return textFormat(format) !== undefined
  if (type === 'integer') return format === 'int32' || format === 'int64'
  return type === 'number' && (format === 'float' || format === 'double')
}
