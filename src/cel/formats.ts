// Named formats: format.dns1123Label().validate(x). Follows k8s.io/apiserver/pkg/cel/library/format.go.
import {
  dns1035LabelErrors,
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  labelValueErrors,
  qualifiedNameErrors,
} from '../machinery/validation.ts'
import { CelError } from './fault.ts'
import type { Library } from './overload.ts'
import { ListValue, NONE, OpaqueValue, Optional, parseTimestamp } from './values.ts'

const TYPE = 'kubernetes.NamedFormat'

type Check = (text: string) => readonly string[]

/** A name that ends with a dash may go on: it is checked as if it did. */
const asPrefix =
  (check: Check): Check =>
  (text) =>
    check(text.endsWith('-') ? `${text.slice(0, -1)}a` : text)

const unless =
  (message: string, good: (text: string) => boolean): Check =>
  (text) =>
    good(text) ? [] : [message]

const isDate = (text: string): boolean => {
  try {
    return parseTimestamp(text) !== undefined
  } catch (error) {
    if (error instanceof CelError) return false
    throw error
  }
}

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/

const FORMATS: Readonly<Record<string, { readonly check: Check; readonly regexSize: number }>> = {
  dns1123Label: { check: dns1123LabelErrors, regexSize: 30 },
  dns1123Subdomain: { check: dns1123SubdomainErrors, regexSize: 60 },
  dns1035Label: { check: dns1035LabelErrors, regexSize: 30 },
  qualifiedName: { check: qualifiedNameErrors, regexSize: 60 },
  dns1123LabelPrefix: { check: asPrefix(dns1123LabelErrors), regexSize: 30 },
  dns1123SubdomainPrefix: { check: asPrefix(dns1123SubdomainErrors), regexSize: 60 },
  dns1035LabelPrefix: { check: asPrefix(dns1035LabelErrors), regexSize: 30 },
  labelValue: { check: labelValueErrors, regexSize: 40 },
  uri: {
    check: unless('invalid URI format', (text) => text.startsWith('/') || URL.canParse(text)),
    regexSize: 150,
  },
  uuid: { check: unless('does not match the UUID format', (text) => UUID.test(text)), regexSize: 65 },
  byte: { check: unless('invalid base64', (text) => text === '' || BASE64.test(text)), regexSize: 150 },
  date: {
    check: unless('invalid date', (text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && isDate(text)),
    regexSize: 5,
  },
  datetime: {
    check: unless('invalid datetime', (text) => /[Tt]/.test(text) && isDate(text)),
    regexSize: 5,
  },
}

function named(name: string): OpaqueValue | undefined {
  const format = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined
  return format && new OpaqueValue(TYPE, format, name)
}

export const formats: Library = (define) => {
  for (const name of Object.keys(FORMATS)) {
    define(`format.${name}() ${TYPE}`, () => named(name) ?? NONE)
  }
  define(`format.named(string) optional(${TYPE})`, ([name]) => {
    const format = named(name as string)
    return format ? new Optional(format) : NONE
  })
  define(
    `${TYPE}->validate(string) optional(list(string))`,
    ([format, text]) => {
      const { check } = (format as OpaqueValue).data as (typeof FORMATS)[string]
      const faults = check(text as string)
      return faults.length ? new Optional(new ListValue(faults)) : NONE
    },
    ([format, text]) => {
      const { regexSize } = (format as OpaqueValue).data as (typeof FORMATS)[string]
      return Math.ceil((1 + (text as string).length) / 10) * Math.ceil(regexSize / 4)
    },
  )
}
