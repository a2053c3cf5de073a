// Flags of a command, declared as data and read by commander. An unknown flag is an error that names the nearest one.
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { KUBERNETES_VERSION } from '../server/version.ts'
import { StartError } from './options.ts'

export interface TextFlag {
  readonly kind: 'text'
  readonly help: string
  readonly placeholder: string
  readonly default: string | undefined
}
export interface TextFlagWithDefault extends TextFlag {
  readonly default: string
}
export interface ListFlag {
  readonly kind: 'list'
  readonly help: string
  readonly placeholder: string
}
/** A text that may be given several times; commas are part of it. */
export interface RepeatedFlag {
  readonly kind: 'repeated'
  readonly help: string
  readonly placeholder: string
}
export interface IntegerFlag {
  readonly kind: 'integer'
  readonly help: string
  readonly default: string | undefined
  readonly min: number
  readonly max: number
}
export interface ChoiceFlag {
  readonly kind: 'choice'
  readonly help: string
  readonly choices: readonly string[]
  readonly default: string
}
export interface SwitchFlag {
  readonly kind: 'flag'
  readonly help: string
}
/** true or false as a value, as Go's flags have it: --x, --x=true, --x=false. */
export interface BooleanFlag {
  readonly kind: 'boolean'
  readonly help: string
  readonly default: boolean | undefined
}
export interface BooleanFlagWithDefault extends BooleanFlag {
  readonly default: boolean
}
export interface IntegerFlagWithDefault extends IntegerFlag {
  readonly default: string
}
export type Flag =
  | TextFlag
  | TextFlagWithDefault
  | ListFlag
  | RepeatedFlag
  | IntegerFlag
  | IntegerFlagWithDefault
  | ChoiceFlag
  | SwitchFlag
  | BooleanFlag
  | BooleanFlagWithDefault

export function text(help: string, placeholder: string, value: string): TextFlagWithDefault
export function text(help: string, placeholder: string): TextFlag
export function text(help: string, placeholder: string, value?: string): TextFlag {
  return { kind: 'text', help, placeholder, default: value }
}
export const listOf = (help: string, placeholder: string): ListFlag => ({ kind: 'list', help, placeholder })
export const repeated = (help: string, placeholder: string): RepeatedFlag => ({
  kind: 'repeated',
  help,
  placeholder,
})
export const integer = (help: string, value: string, min: number, max: number): IntegerFlagWithDefault => ({
  kind: 'integer',
  help,
  default: value,
  min,
  max,
})
/** One that need not be given. */
export const optionalInteger = (help: string, min: number, max: number): IntegerFlag => ({
  kind: 'integer',
  help,
  default: undefined,
  min,
  max,
})
export const oneOf = (help: string, choices: readonly string[], value: string): ChoiceFlag => ({
  kind: 'choice',
  help,
  choices,
  default: value,
})
export const boolean = (help: string, value: boolean): BooleanFlagWithDefault => ({
  kind: 'boolean',
  help,
  default: value,
})
/** One of which is asked whether it was given. */
export const optionalBoolean = (help: string): BooleanFlag => ({ kind: 'boolean', help, default: undefined })

type Value<F extends Flag> = F extends ListFlag | RepeatedFlag
  ? string[] | undefined
  : F extends IntegerFlagWithDefault
    ? number
    : F extends IntegerFlag
      ? number | undefined
      : F extends SwitchFlag | BooleanFlagWithDefault
        ? boolean
        : F extends BooleanFlag
          ? boolean | undefined
          : F extends ChoiceFlag | TextFlagWithDefault
            ? string
            : string | undefined

export type Values<Fs extends Readonly<Record<string, Flag>>> = { readonly [K in keyof Fs]: Value<Fs[K]> }

/** What `commandLine` ends with where it has printed what was asked for. */
const PRINTED = new Set(['commander.helpDisplayed', 'commander.version'])

/**
 * Reads the arguments; undefined when they asked for help or for the version, which was printed. Throws StartError for what
 * cannot be read.
 */
export function commandLine<Fs extends Readonly<Record<string, Flag>>>(
  name: string,
  about: string,
  flags: Fs,
  argv: readonly string[],
): Values<Fs> | undefined {
  const command = new Command(name).description(about).allowExcessArguments(false).exitOverride()
  command.configureOutput({ writeErr: () => undefined })
  command.version(`Kubernetes ${KUBERNETES_VERSION}`, '--version', 'print which release this is, and end')
  for (const [flag, spec] of Object.entries(flags)) command.addOption(optionOf(flag, spec))
  try {
    command.parse([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (PRINTED.has(error.code)) return undefined
    throw new StartError(
      error.message.replace(/^error: /, '').replace(/\n\(Did you mean (.*)\?\)/, '; did you mean $1?'),
      error,
    )
  }
  const given = command.opts<Record<string, unknown>>()
  const values = Object.keys(flags).map((flag) => [flag, given[camelCase(flag)]] as const)
  return Object.fromEntries(values) as Values<Fs>
}

const camelCase = (flag: string): string =>
  flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())

function optionOf(flag: string, spec: Flag): Option {
  switch (spec.kind) {
    case 'flag':
      return new Option(`--${flag}`, spec.help).default(false)
    case 'boolean': {
      const option = new Option(`--${flag} [BOOL]`, spec.help).preset(true).argParser(booleanOf)
      return spec.default === undefined ? option : option.default(spec.default)
    }
    case 'text': {
      const option = new Option(`--${flag} <${spec.placeholder}>`, spec.help)
      return spec.default === undefined ? option : option.default(spec.default)
    }
    case 'list':
      return new Option(`--${flag} <${spec.placeholder}>`, spec.help).argParser(
        (value: string, before: string[] | undefined) => [
          ...(before ?? []),
          ...value
            .split(',')
            .map((v) => v.trim())
            .filter((v) => v !== ''),
        ],
      )
    case 'repeated':
      return new Option(`--${flag} <${spec.placeholder}>`, spec.help).argParser(
        (value: string, before: string[] | undefined) => [...(before ?? []), value],
      )
    case 'integer': {
      const option = new Option(`--${flag} <N>`, spec.help).argParser((value) => integerOf(value, spec))
      return spec.default === undefined ? option : option.default(Number(spec.default))
    }
    case 'choice':
      return new Option(`--${flag} <${flag.toUpperCase()}>`, spec.help)
        .choices(spec.choices)
        .default(spec.default)
  }
}

function booleanOf(value: string | boolean): boolean {
  if (typeof value === 'boolean') return value
  if (/^(1|t|true)$/i.test(value)) return true
  if (/^(0|f|false)$/i.test(value)) return false
  throw new InvalidArgumentError('it is true or false.')
}

function integerOf(value: string, { min, max }: IntegerFlag): number {
  const number = Number(value)
  if (!/^-?\d+$/.test(value) || number < min || number > max)
    throw new InvalidArgumentError(`it is a number from ${min} to ${max}.`)
  return number
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Go's durations, in milliseconds: 1h30m, 300s, 0. Throws StartError. */
export function durationMs(flag: string, value: string): number {
  if (value === '0') return 0
  const parts = [...value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)]
  if (!parts.length || parts.map((p) => p[0]).join('') !== value) {
    throw new StartError(`--${flag}: ${value} is no duration, such as 1h0m0s`)
  }
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (UNITS[unit as string] as number), 0)
}
