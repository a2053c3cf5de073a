// How a file's issuer says that claims become a user, and what must be true of both.
// Follows k8s.io/apiserver/pkg/apis/apiserver/validation (claim mappings, claim and user validation rules).
import type { ConfigReader } from '../machinery/configreader.ts'
import type { Json, JsonObject } from '../machinery/json.ts'
import { cause } from '../machinery/status.ts'
import type { Expression, Over, Rule } from './claimexpressions.ts'
import { domainPathFaults } from './extra.ts'

/** A claim whose text, behind the prefix, is a name. */
export interface PrefixedClaim {
  readonly claim: string
  readonly prefix: string
}

export type Mapping = PrefixedClaim | { readonly expression: Expression }

export interface ExtraMapping {
  readonly key: string
  readonly expression: Expression
}

/** How the claims of an issuer's tokens become a user. */
export interface Mappings {
  readonly username: Mapping
  readonly groups?: Mapping
  readonly uid?: { readonly claim: string } | { readonly expression: Expression }
  readonly extra?: readonly ExtraMapping[]
  readonly requiredClaims: ReadonlyMap<string, string>
  readonly claimRules?: readonly Rule[]
  readonly userRules?: readonly Rule[]
}

const NO_BOTH = "claim and expression can't both be set"
const NO_CLAIM = 'claim or expression is required'

/** Reads one entry of the file's issuers; what loads CEL is asked for only where there is an expression. */
export class MappingsReader {
  readonly #reader: ConfigReader

  constructor(reader: ConfigReader) {
    this.#reader = reader
  }

  async read(entry: JsonObject, path: string): Promise<Mappings> {
    const reader = this.#reader
    const { requiredClaims, claimRules } = await this.#claimRules(
      reader.list(entry, 'claimValidationRules', path),
      `${path}.claimValidationRules`,
    )
    const at = `${path}.claimMappings`
    const mappings = reader.object(entry['claimMappings'], at, ['username', 'groups', 'uid', 'extra'])
    const username = await this.#prefixed(mappings['username'], `${at}.username`, true)
    const groups = await this.#prefixed(mappings['groups'], `${at}.groups`, false)
    const uid = await this.#uid(mappings['uid'], `${at}.uid`)
    const extra = await this.#extra(reader.list(mappings, 'extra', at), `${at}.extra`)
    await this.#checkEmail({ username, extra, claimRules }, `${at}.username.expression`)
    const userRules = await this.#userRules(
      reader.list(entry, 'userValidationRules', path),
      `${path}.userValidationRules`,
    )
    return {
      username: username ?? { claim: '', prefix: '' },
      ...(groups ? { groups } : {}),
      ...(uid ? { uid } : {}),
      ...(extra.length > 0 ? { extra } : {}),
      requiredClaims,
      ...(claimRules.length > 0 ? { claimRules } : {}),
      ...(userRules.length > 0 ? { userRules } : {}),
    }
  }

  async #compile(source: string, over: Over, field: string): Promise<Expression | undefined> {
    const { compileExpression } = await import('./claimexpressions.ts')
    const compiled = compileExpression(source, over, field)
    if ('program' in compiled) return compiled as Expression
    this.#reader.add(compiled)
    return undefined
  }

  async #prefixed(value: Json | undefined, path: string, isRequired: boolean): Promise<Mapping | undefined> {
    const reader = this.#reader
    const mapping = reader.object(value, path, ['claim', 'prefix', 'expression'])
    const [claim, source] = [reader.text(mapping, 'claim', path), reader.text(mapping, 'expression', path)]
    const prefix = mapping['prefix'] === undefined ? undefined : reader.text(mapping, 'prefix', path)
    if (claim !== '' && source !== '') return void reader.add(cause.invalid(path, '', NO_BOTH))
    if (source !== '') {
      if (prefix !== undefined) {
        const why = 'may not be specified when expression is set'
        reader.add(cause.invalid(`${path}.prefix`, prefix, why))
      }
      const expression = await this.#compile(source, 'claims', `${path}.expression`)
      return expression && { expression }
    }
    if (claim === '') {
      if (isRequired) reader.add(cause.required(path, NO_CLAIM))
      return undefined
    }
    if (prefix === undefined) {
      const why =
        'prefix is required when claim is set. It can be set to an empty string to disable prefixing'
      reader.add(cause.required(`${path}.prefix`, why))
    }
    return { claim, prefix: prefix ?? '' }
  }

  async #uid(value: Json | undefined, path: string): Promise<Mappings['uid']> {
    const reader = this.#reader
    const mapping = reader.object(value, path, ['claim', 'expression'])
    const [claim, source] = [reader.text(mapping, 'claim', path), reader.text(mapping, 'expression', path)]
    if (claim !== '' && source !== '') return void reader.add(cause.invalid(path, '', NO_BOTH))
    if (source === '') return claim === '' ? undefined : { claim }
    const expression = await this.#compile(source, 'claims', `${path}.expression`)
    return expression && { expression }
  }

  async #extra(values: readonly Json[], path: string): Promise<ExtraMapping[]> {
    const reader = this.#reader
    const seen = new Set<string>()
    const mappings: ExtraMapping[] = []
    for (const [i, value] of values.entries()) {
      const at = `${path}[${i}]`
      const mapping = reader.object(value, at, ['key', 'valueExpression'])
      const [key, source] = [reader.text(mapping, 'key', at), reader.text(mapping, 'valueExpression', at)]
      this.#checkKey(key, `${at}.key`)
      const isKnown = seen.has(key)
      seen.add(key)
      if (isKnown) reader.add(cause.duplicate(`${at}.key`, key))
      else if (source === '') reader.add(cause.required(`${at}.valueExpression`))
      else {
        const expression = await this.#compile(source, 'claims', `${at}.valueExpression`)
        if (expression) mappings.push({ key, expression })
      }
    }
    return mappings
  }

  #checkKey(key: string, field: string): void {
    const reader = this.#reader
    if (key === '') reader.add(cause.required(field))
    else reader.add(...domainPathFaults(key).map(({ value, why }) => cause.invalid(field, value, why)))
    if (key !== key.toLowerCase()) reader.add(cause.invalid(field, key, 'must be lowercase'))
    if (/^(.+\.)?(kubernetes|k8s)\.io\//.test(key)) {
      const why = 'k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use'
      reader.add(cause.invalid(field, key, why))
    }
  }

  /** Mail addresses that nobody verified are anybody's. */
  async #checkEmail(
    given: { username: Mapping | undefined; extra: readonly ExtraMapping[]; claimRules: readonly Rule[] },
    field: string,
  ): Promise<void> {
    const { username, extra, claimRules } = given
    if (!username || !('expression' in username)) return
    const { readsClaim } = await import('./claimexpressions.ts')
    if (!readsClaim(username.expression, 'email')) return
    const all = [username, ...extra, ...claimRules].map(({ expression }) => expression)
    if (all.some((expression) => readsClaim(expression, 'email_verified'))) return
    const why =
      'claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression'
    this.#reader.add(cause.invalid(field, username.expression.source, why))
  }

  async #claimRules(values: readonly Json[], path: string) {
    const reader = this.#reader
    const requiredClaims = new Map<string, string>()
    const claimRules: Rule[] = []
    const seen = new Set<string>()
    for (const [i, value] of values.entries()) {
      const at = `${path}[${i}]`
      const rule = reader.object(value, at, ['claim', 'requiredValue', 'expression', 'message'])
      const text = (key: string): string => reader.text(rule, key, at)
      const [claim, source, message] = [text('claim'), text('expression'), text('message')]
      const requiredValue = text('requiredValue')
      if (claim !== '' && source !== '') reader.add(cause.invalid(at, claim, NO_BOTH))
      else if (claim === '' && source === '') reader.add(cause.required(at, NO_CLAIM))
      else if (claim !== '') {
        if (message !== '')
          reader.add(cause.invalid(`${at}.message`, message, 'may not be specified when claim is set'))
        if (requiredClaims.has(claim)) reader.add(cause.duplicate(`${at}.claim`, claim))
        requiredClaims.set(claim, requiredValue)
      } else {
        if (requiredValue !== '') {
          const why = 'may not be specified when expression is set'
          reader.add(cause.invalid(`${at}.requiredValue`, requiredValue, why))
        }
        const expression = await this.#once(source, 'condition', { at, seen })
        if (expression) claimRules.push({ expression, message })
      }
    }
    return { requiredClaims, claimRules }
  }

  async #userRules(values: readonly Json[], path: string): Promise<Rule[]> {
    const reader = this.#reader
    const rules: Rule[] = []
    const seen = new Set<string>()
    for (const [i, value] of values.entries()) {
      const at = `${path}[${i}]`
      const rule = reader.object(value, at, ['expression', 'message'])
      const source = reader.text(rule, 'expression', at)
      const message = reader.text(rule, 'message', at)
      if (source === '') reader.add(cause.required(`${at}.expression`))
      else {
        const expression = await this.#once(source, 'user', { at, seen })
        if (expression) rules.push({ expression, message })
      }
    }
    return rules
  }

  /** An expression that no rule before it has. */
  async #once(
    source: string,
    over: Over,
    { at, seen }: { readonly at: string; readonly seen: Set<string> },
  ): Promise<Expression | undefined> {
    const field = `${at}.expression`
    if (seen.has(source)) return void this.#reader.add(cause.duplicate(field, source))
    seen.add(source)
    return await this.#compile(source, over, field)
  }
}
