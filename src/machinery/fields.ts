// Field selectors: "status.phase=Running,metadata.name!=a". Which fields a kind knows is told by schema/selectable.ts.
// Follows k8s.io/apimachinery/pkg/fields.
import { badRequest } from './status.ts'

export interface FieldRequirement {
  readonly field: string
  readonly operator: '=' | '!='
  readonly value: string
}

export type Fields = Readonly<Record<string, string>>

export interface FieldSelector {
  /** True where every requirement holds; a field that is absent counts as "". */
  matches(fields: Fields): boolean
  /** In the order of their sorted texts. */
  readonly requirements: readonly FieldRequirement[]
  /** Selects everything. */
  readonly empty: boolean
}

/** Selects everything. */
export const EVERY_FIELD: FieldSelector = { matches: () => true, requirements: [], empty: true }

/** The selector of requirements whose fields are known to be good. */
export function fieldSelectorOf(requirements: readonly FieldRequirement[]): FieldSelector {
  if (requirements.length === 0) return EVERY_FIELD
  const tests = requirements.map(({ field, operator, value }) => {
    const read = (fields: Fields): string => (Object.hasOwn(fields, field) ? (fields[field] ?? '') : '')
    return operator === '='
      ? (fields: Fields): boolean => read(fields) === value
      : (fields: Fields): boolean => read(fields) !== value
  })
  return { matches: (fields) => tests.every((test) => test(fields)), requirements, empty: false }
}

/** Splits at commas that no backslash escapes; the backslashes stay. */
function splitTerms(text: string): string[] {
  return text.match(/(?:\\[\s\S]|[^\\,])+\\?|\\$/g) ?? []
}

function unescape(value: string): string {
  let plain = ''
  for (let i = 0; i < value.length; i++) {
    const c = value[i] as string
    if (c === ',' || c === '=') {
      // Upstream prints the character's code.
      throw badRequest(`invalid field selector: unescaped character in value: ${c.charCodeAt(0)}`)
    }
    if (c !== '\\') {
      plain += c
      continue
    }
    const next = value.codePointAt(i + 1)
    const escaped = next === undefined ? '' : String.fromCodePoint(next)
    if (escaped !== '\\' && escaped !== ',' && escaped !== '=') {
      throw badRequest(`invalid field selector: invalid escape sequence: \\${escaped}`)
    }
    plain += escaped
    i++
  }
  return plain
}

function parseTerm(term: string, text: string): FieldRequirement {
  const match = /^([\s\S]*?)(!=|==|=)([\s\S]*)$/.exec(term)
  if (match === null) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`)
  const [, field = '', operator, value = ''] = match
  return { field, operator: operator === '!=' ? '!=' : '=', value: unescape(value) }
}

const isSaying = ({ field, value }: FieldRequirement): boolean => field !== '' || value !== ''

/**
 * Parses the text of a `fieldSelector` parameter. `transform` gives a field its present name, and throws for one that
 * the kind does not know (see SelectableFields.convert). Throws a 400 StatusError for what does not parse.
 */
export function parseFieldSelector(
  text: string,
  transform: (field: string, value: string) => string = (field) => field,
): FieldSelector {
  if (text === '') return EVERY_FIELD
  const parsed = splitTerms(text)
    .sort()
    .map((term) => parseTerm(term, text))
  const requirements = parsed
    .filter(isSaying)
    .map((r) => ({ ...r, field: transform(r.field, r.value) }))
    .filter(isSaying)
  return fieldSelectorOf(requirements)
}

/** The text of a selector, as `parseFieldSelector` reads it. */
export function fieldSelectorText(selector: FieldSelector): string {
  return selector.requirements
    .map(({ field, operator, value }) => `${field}${operator}${value.replace(/[\\,=]/g, '\\$&')}`)
    .join(',')
}

/** The value that a selector demands of a field ("metadata.name" makes a list a get); undefined where it demands none. */
export function fieldExactMatch(selector: FieldSelector, field: string): string | undefined {
  return selector.requirements.find((r) => r.field === field && r.operator === '=')?.value
}
