// Syntax of the names, labels and keys that objects carry: each check returns what is wrong with a text, in the words
// that clients see, and an empty list when nothing is. Used by selectors, metadata validation and the registries.
// Follows k8s.io/apimachinery/pkg/util/validation and pkg/api/validate/content.

/** Longest label value, label key name, DNS label: RFC 1123's 63 octets. */
export const LABEL_MAX_LENGTH = 63
/** Longest DNS subdomain: RFC 1123's 255 octets without the length octets. */
export const SUBDOMAIN_MAX_LENGTH = 253
/** Longest port name: RFC 6335's service names. */
const PORT_NAME_MAX_LENGTH = 15
const PORT_MAX = 65535
const ID_MAX = 2147483647

const NONE: readonly string[] = []

/** "must be between a and b, inclusive" */
export const rangeError = (low: number, high: number): string =>
  `must be between ${low} and ${high}, inclusive`
const maxLengthError = (length: number, unit: 'bytes' | 'characters'): string =>
  `must be no more than ${length} ${unit}`

/** How a failed pattern is worded: the sentence, examples, the pattern itself. */
export function regexError(message: string, pattern: string, ...examples: string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${pattern}')`
  const list = examples.map((e) => `'${e}', `).join(' or ')
  return `${message} (e.g. ${list}regex used for validation is '${pattern}')`
}

/** More than `max` bytes of UTF-8; counts the bytes only where the length in characters does not settle it. */
function longer(value: string, max: number): boolean {
  if (value.length > max) return true
  return value.length * 3 > max && Buffer.byteLength(value) > max
}

interface Syntax {
  readonly pattern: string
  readonly regex: RegExp
  readonly message: string
  readonly max: number
  readonly unit: 'bytes' | 'characters'
  readonly examples: readonly string[]
}

const syntax = (pattern: string, message: string, rest: Partial<Syntax>): Syntax => ({
  pattern,
  message,
  regex: new RegExp(`^(?:${pattern})$`),
  max: rest.max ?? Infinity,
  unit: rest.unit ?? 'characters',
  examples: rest.examples ?? [],
})

const mismatch = (s: Syntax): string => regexError(s.message, s.pattern, ...s.examples)

function check(s: Syntax, value: string): readonly string[] {
  const fits = s.regex.test(value)
  const tooLong = longer(value, s.max)
  if (fits && !tooLong) return NONE
  return [...(tooLong ? [maxLengthError(s.max, s.unit)] : []), ...(fits ? [] : [mismatch(s)])]
}

const DNS1123_LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const DNS1123_SUBDOMAIN = `${DNS1123_LABEL}(\\.${DNS1123_LABEL})*`
const UNDERSCORE_LABEL = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const LABEL_KEY = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const LABEL_CHARACTERS =
  "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
const ENDS = 'and must start and end with an alphanumeric character'

const dns1123Label = syntax(
  DNS1123_LABEL,
  `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', ${ENDS}`,
  { max: LABEL_MAX_LENGTH, examples: ['my-name', '123-abc'] },
)
const dns1123Subdomain = syntax(
  DNS1123_SUBDOMAIN,
  `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', ${ENDS}`,
  { max: SUBDOMAIN_MAX_LENGTH, examples: ['example.com'] },
)
const underscoreSubdomain = syntax(
  `${UNDERSCORE_LABEL}(\\.${UNDERSCORE_LABEL})*`,
  `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', ${ENDS}`,
  { max: SUBDOMAIN_MAX_LENGTH, examples: ['example.com'] },
)
const wildcardSubdomain = syntax(
  `\\*\\.${DNS1123_SUBDOMAIN}`,
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  { max: SUBDOMAIN_MAX_LENGTH, examples: ['*.example.com'] },
)
const dns1035Label = syntax(
  '[a-z]([-a-z0-9]*[a-z0-9])?',
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  { max: LABEL_MAX_LENGTH, examples: ['my-name', 'abc-123'] },
)
const labelKeyName = syntax(LABEL_KEY, `must ${LABEL_CHARACTERS}`, {
  max: LABEL_MAX_LENGTH,
  unit: 'bytes',
  examples: ['MyName', 'my.name', '123-abc'],
})
const labelValue = syntax(`(${LABEL_KEY})?`, `a valid label must be an empty string or ${LABEL_CHARACTERS}`, {
  max: LABEL_MAX_LENGTH,
  unit: 'bytes',
  examples: ['MyValue', 'my_value', '12345'],
})
const cIdentifier = syntax(
  '[A-Za-z_][A-Za-z0-9_]*',
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
  { examples: ['my_name', 'MY_NAME', 'MyName'] },
)
const percent = syntax(
  '[0-9]+%',
  "a valid percent string must be a numeric string followed by an ending '%'",
  { examples: ['1%', '93%'] },
)
const httpHeaderName = syntax(
  '[-A-Za-z0-9]+',
  "a valid HTTP header must consist of alphanumeric characters or '-'",
  { examples: ['X-Header-Name'] },
)
const configMapKey = syntax(
  '[-._a-zA-Z0-9]+',
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  { max: SUBDOMAIN_MAX_LENGTH, examples: ['key.name', 'KEY_NAME', 'key-name'] },
)

/** Faults of an RFC 1123 label. */
export function dns1123LabelErrors(value: string): readonly string[] {
  if (dns1123Label.regex.test(value) || !dns1123Subdomain.regex.test(value)) return check(dns1123Label, value)
  const dots = 'must not contain dots'
  return longer(value, LABEL_MAX_LENGTH) ? [maxLengthError(LABEL_MAX_LENGTH, 'characters'), dots] : [dots]
}

/** Faults of an RFC 1123 subdomain; `unit` names what the limit counts, which upstream words in two ways. */
export function dns1123SubdomainErrors(
  value: string,
  unit: 'bytes' | 'characters' = 'characters',
): readonly string[] {
  return check(unit === 'characters' ? dns1123Subdomain : { ...dns1123Subdomain, unit }, value)
}

/** As a subdomain, but underscores are good too (some DNS names of pods). */
export const dns1123SubdomainWithUnderscoreErrors = (value: string): readonly string[] =>
  check(underscoreSubdomain, value)

/** Faults of "*.example.com". */
export const wildcardDns1123SubdomainErrors = (value: string): readonly string[] =>
  check(wildcardSubdomain, value)

/** Faults of a DNS-1035 label: the name of a Service. */
export const dns1035LabelErrors = (value: string): readonly string[] => check(dns1035Label, value)

/** Faults of a label's value. */
export const labelValueErrors = (value: string): readonly string[] => check(labelValue, value)

/** Faults of a C identifier. */
export const cIdentifierErrors = (value: string): readonly string[] => check(cIdentifier, value)

/** Faults of "50%". */
export const percentErrors = (value: string): readonly string[] => check(percent, value)

/** Faults of an HTTP header's name. */
export const httpHeaderNameErrors = (value: string): readonly string[] => check(httpHeaderName, value)

/** Faults of a key of labels, annotations, finalizers, taints: a name with an optional DNS prefix before a slash. */
export function qualifiedNameErrors(value: string): readonly string[] {
  const slash = value.indexOf('/')
  if (slash === -1) return nameAfterPrefix(value)
  if (value.indexOf('/', slash + 1) !== -1) {
    return [
      `a valid label key ${mismatch(labelKeyName)} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  }
  const prefix = value.slice(0, slash)
  const before = prefix === '' ? ['must be non-empty'] : dns1123SubdomainErrors(prefix, 'bytes')
  const after = nameAfterPrefix(value.slice(slash + 1))
  return before.length === 0 ? after : [...before.map((e) => `prefix part ${e}`), ...after]
}

function nameAfterPrefix(name: string): readonly string[] {
  const errors = check(labelKeyName, name)
  if (errors.length === 0) return NONE
  return [...(name === '' ? ['must be non-empty'] : []), ...errors].map((e) => `name part ${e}`)
}

/** Faults of a port's name (RFC 6335). */
export function portNameErrors(name: string): readonly string[] {
  const errors: string[] = []
  if (longer(name, PORT_NAME_MAX_LENGTH)) errors.push(maxLengthError(PORT_NAME_MAX_LENGTH, 'characters'))
  if (!/^[-a-z0-9]+$/.test(name)) {
    errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  }
  if (!/[a-z]/.test(name)) errors.push('must contain at least one letter (a-z)')
  if (name.includes('--')) errors.push('must not contain consecutive hyphens')
  if (name.startsWith('-') || name.endsWith('-')) errors.push('must not begin or end with a hyphen')
  return errors
}

const inRange = (value: number, low: number, high: number): readonly string[] =>
  value >= low && value <= high ? NONE : [rangeError(low, high)]

/** Faults of a port number. */
export const portNumberErrors = (port: number): readonly string[] => inRange(port, 1, PORT_MAX)

/** Faults of a numeric user or group. */
export const userOrGroupIdErrors = (id: number): readonly string[] => inRange(id, 0, ID_MAX)

/** Faults of an environment variable's name: any printable ASCII but "=". */
export function envVarNameErrors(name: string): readonly string[] {
  if (name === '') return ['environment variable name must be non-empty']
  if (/^[ -<>-~]+$/.test(name)) return NONE
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
}

/** Faults of a key of a ConfigMap or Secret, which becomes a file's name. */
export function configMapKeyErrors(key: string): readonly string[] {
  const errors = check(configMapKey, key)
  if (key === '.' || key === '..') return [...errors, `must not be '${key}'`]
  return key.startsWith('..') ? [...errors, "must not start with '..'"] : errors
}

/** Faults of a name that becomes a segment of a path; a prefix of one may be "." or "..". */
export function pathSegmentErrors(name: string, prefix = false): readonly string[] {
  if (!prefix && (name === '.' || name === '..')) return [`may not be '${name}'`]
  if (!name.includes('/') && !name.includes('%')) return NONE
  return ['/', '%'].filter((c) => name.includes(c)).map((c) => `may not contain '${c}'`)
}
