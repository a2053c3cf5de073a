// Follows a shell script without running anything: how long it would take, how it would end, and which files it would
// leave when. Only commands whose whole effect is known are followed; with any other, the script is not.
import { expandSum } from './arithmetic.ts'
import { NotUnderstood, type Word } from './lexer.ts'
import { type Command, parseScript } from './parser.ts'
import { holds } from './test.ts'

/** Files as a program sees them. Both throw NotUnderstood where nobody can know. */
export interface Files {
  /** undefined: there is none. */
  read(path: string): string | undefined
  write(path: string, text: string | undefined): void
}

export interface Change {
  /** ms after the start */
  readonly at: number
  readonly path: string
  /** undefined: it is removed. */
  readonly text: string | undefined
}

export interface Course {
  /** ms; Infinity: until it is stopped */
  readonly runFor: number
  readonly exitCode: number
  readonly changes: readonly Change[]
  readonly output: string
}

/** As far as a script is followed; one that has taken time by then is taken to go on for ever. */
const MAX_STEPS = 2000
const MAX_TEXT = 16_384
/** Shells that shells call. */
const MAX_DEPTH = 20
const MAX_RANDOM = 32_767
const MAX_EXIT_CODE = 255
const SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 }

class Exit extends Error {
  readonly code: number
  constructor(code: number) {
    super('exit')
    this.code = code
  }
}

class Endless extends Error {}

/** What this command line comes to; undefined where it is not understood. `variables` gives undefined for what it does not know. */
export function follow(
  argv: readonly string[],
  files: Files,
  variables: (name: string) => string | undefined,
): Course | undefined {
  const run = new Evaluation(files, variables)
  try {
    return run.result(run.call(argv))
  } catch (error) {
    if (error instanceof Exit) return run.result(error.code)
    if (error instanceof Endless) return run.result(0, Infinity)
    if (error instanceof NotUnderstood) return undefined
    throw error
  }
}

class Evaluation {
  readonly #files: Files
  readonly #variables: (name: string) => string | undefined
  readonly #set = new Map<string, string>()
  readonly #changes: Change[] = []
  #output = ''
  #ms = 0
  #steps = 0
  #depth = 0
  #status = 0
  #stopsAtErrors = false
  #conditions = 0

  constructor(files: Files, variables: (name: string) => string | undefined) {
    this.#files = files
    this.#variables = variables
  }

  result(exitCode: number, runFor = this.#ms): Course {
    return { runFor, exitCode, changes: this.#changes, output: this.#output }
  }

  /** A program with its arguments. Returns its exit code. */
  call(argv: readonly string[]): number {
    this.#step()
    const name = (argv[0] ?? '').replace(/^(?:\/usr(?:\/local)?)?\/s?bin\//, '')
    const command = COMMANDS.get(name)
    if (!command || this.#depth >= MAX_DEPTH) throw new NotUnderstood(name)
    this.#depth++
    const status = command(argv.slice(1), this)
    this.#depth--
    return status
  }

  shell(args: readonly string[]): number {
    const [flags = '', script] = args
    if (!/^-[exu]*c[exu]*$/.test(flags) || script === undefined) throw new NotUnderstood('shell')
    this.#stopsAtErrors ||= flags.includes('e')
    return this.#run(parseScript(script))
  }

  sleep(args: readonly string[]): number {
    let seconds = 0
    for (const text of args) {
      if (text === 'infinity' || text === 'inf') throw new Endless()
      const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text) ?? []
      if (amount === undefined) throw new NotUnderstood('sleep')
      seconds += Number(amount) * (SECONDS[unit] ?? 1)
    }
    this.#ms += seconds * 1000
    return 0
  }

  print(text: string): number {
    this.#output += text
    if (this.#output.length > MAX_TEXT) throw new NotUnderstood('too much output')
    return 0
  }

  cat(paths: readonly string[]): number {
    let status = 0
    for (const path of paths) {
      if (path.startsWith('-')) throw new NotUnderstood('cat')
      const text = this.#files.read(path)
      if (text === undefined) status = 1
      else this.print(text)
    }
    if (paths.length === 0) throw new NotUnderstood('cat')
    return status
  }

  /** `make`: an empty file where there is none; else it is removed. */
  change(paths: readonly string[], make: boolean, failsOnNone: boolean): number {
    let status = 0
    for (const path of paths) {
      const text = this.#files.read(path)
      if (make && text === undefined) this.#write(path, '')
      if (!make && text === undefined && failsOnNone) status = 1
      if (!make && text !== undefined) this.#write(path, undefined)
    }
    return status
  }

  test(args: readonly string[]): number {
    return holds(args, (path) => this.#files.read(path) !== undefined) ? 0 : 1
  }

  export(args: readonly string[]): number {
    for (const text of args) {
      const at = text.indexOf('=')
      if (at > 0) this.#set.set(text.slice(0, at), text.slice(at + 1))
    }
    return 0
  }

  #write(path: string, text: string | undefined): void {
    if (text !== undefined && text.length > MAX_TEXT) throw new NotUnderstood('too long')
    this.#files.write(path, text)
    this.#changes.push({ at: this.#ms, path, text })
  }

  #step(): void {
    if (++this.#steps <= MAX_STEPS) return
    if (this.#ms > 0) throw new Endless()
    throw new NotUnderstood('too many steps')
  }

  #run(command: Command): number {
    this.#step()
    this.#status = this.#evaluate(command)
    return this.#status
  }

  #evaluate(command: Command): number {
    switch (command.kind) {
      case 'simple':
        return this.#simple(command)
      case 'list':
        return command.commands.reduce((_, one) => this.#unlessFailed(one), 0)
      case 'and':
        return this.#asks(command.left) ? this.#run(command.right) : this.#status
      case 'or':
        return this.#asks(command.left) ? 0 : this.#run(command.right)
      case 'not':
        return this.#asks(command.command) ? 1 : 0
      case 'if': {
        const branch = command.branches.find(([test]) => this.#asks(test))
        return this.#run(branch ? branch[1] : command.otherwise)
      }
      case 'while':
        while (this.#asks(command.test) !== command.until) this.#run(command.body)
        return 0
      case 'for':
        return this.#for(command)
    }
  }

  #for({ name, words, body }: Extract<Command, { kind: 'for' }>): number {
    let status = 0
    for (const value of words.flatMap((word) => this.#fields(word))) {
      this.#set.set(name, value)
      status = this.#run(body)
    }
    return status
  }

  /** Whether it succeeds; a failure here ends no script. */
  #asks(command: Command): boolean {
    this.#conditions++
    const succeeds = this.#run(command) === 0
    this.#conditions--
    return succeeds
  }

  #unlessFailed(command: Command): number {
    const status = this.#run(command)
    const isCondition = this.#conditions > 0 || command.kind === 'and' || command.kind === 'not'
    if (status !== 0 && this.#stopsAtErrors && !isCondition) throw new Exit(status)
    return status
  }

  #simple({ words, writes }: Extract<Command, { kind: 'simple' }>): number {
    const isTest = words[0]?.length === 2 && this.#joined(words[0]) === '[['
    if (isTest && writes.length > 0) throw new NotUnderstood('[[')
    const argv: string[] = []
    for (const word of words) {
      const [, name] = /^([A-Za-z_]\w*)=/.exec(leading(word)) ?? []
      if (argv.length === 0 && name !== undefined)
        this.#set.set(name, this.#joined(word).slice(name.length + 1))
      else if (isTest) argv.push(this.#joined(word))
      else argv.push(...this.#fields(word))
    }
    if (argv.length === 0) return this.#status
    const before = this.#output
    const status = this.call(argv)
    for (const { to, isError, appends } of writes) {
      const said = isError ? '' : this.#output.slice(before.length)
      if (!isError) this.#output = before
      const path = this.#joined(to)
      if (/^\/dev\/(null|stdout|stderr)$/.test(path)) continue
      this.#write(path, appends ? (this.#files.read(path) ?? '') + said : said)
    }
    return status
  }

  #joined(word: Word): string {
    return this.#checked(word.map((part) => this.#valueOf(part)).join(''))
  }

  /** A word may become none or many: what stands outside of quotes is split at blanks. */
  #fields(word: Word): string[] {
    const fields: string[] = []
    let open: string | undefined
    for (const part of word) {
      const value = this.#valueOf(part)
      if (part.kind === 'text' || part.isQuoted) {
        open = (open ?? '') + value
        continue
      }
      const [first = '', ...others] = value.split(/[ \t\n]+/)
      if (first !== '') open = (open ?? '') + first
      for (const other of others) {
        if (open !== undefined) fields.push(open)
        open = other === '' ? undefined : other
      }
    }
    if (open !== undefined) fields.push(this.#checked(open))
    return fields
  }

  #checked(text: string): string {
    if (text.length > MAX_TEXT) throw new NotUnderstood('too long')
    return text
  }

  #valueOf(part: Word[number]): string {
    if (part.kind === 'text') return part.text
    if (part.kind === 'sum') return expandSum(part.text, (name) => this.#variable(name))
    if (part.kind === 'variable') return this.#variable(part.name, part.otherwise)
    const before = this.#output
    this.#output = ''
    try {
      this.#status = this.#run(parseScript(part.script))
    } catch (error) {
      if (!(error instanceof Exit)) throw error
      this.#status = error.code
    }
    const said = this.#output.replace(/\n+$/, '')
    this.#output = before
    return said
  }

  /** What neither the pod nor the script says, the image may say; nobody looked at it. */
  #variable(name: string, otherwise = ''): string {
    if (name === '?') return String(this.#status)
    if (name === 'RANDOM') return String(Math.floor(Math.random() * (MAX_RANDOM + 1)))
    const value = this.#set.get(name) ?? this.#variables(name)
    if (value === undefined) throw new NotUnderstood(name)
    return value === '' ? otherwise : value
  }
}

const leading = (word: Word): string => {
  let text = ''
  for (const part of word) {
    if (part.kind !== 'text' || part.isQuoted) break
    text += part.text
  }
  return text
}

/** Exit codes are bytes. */
function exitCode(text = '0'): number {
  if (!/^\d{1,9}$/.test(text)) throw new NotUnderstood('exit')
  return Number(text) & MAX_EXIT_CODE
}

const plain = (args: readonly string[]): string[] => args.filter((text) => !text.startsWith('-'))

type Own = (args: readonly string[], run: Evaluation) => number

const echo: Own = (args, run) => {
  const isOpen = args[0] === '-n'
  return run.print(args.slice(isOpen ? 1 : 0).join(' ') + (isOpen ? '' : '\n'))
}

const closedTest =
  (close: string): Own =>
  (args, run) => {
    if (args.at(-1) !== close) throw new NotUnderstood('[')
    return run.test(args.slice(0, -1))
  }

const shell: Own = (args, run) => run.shell(args)

const expr: Own = (args, run) => {
  const result = expandSum(args.join(' '), () => '0')
  run.print(`${result}\n`)
  return result === '0' ? 1 : 0
}

const COMMANDS = new Map<string, Own>([
  [':', () => 0],
  ['true', () => 0],
  ['false', () => 1],
  ['sh', shell],
  ['bash', shell],
  ['ash', shell],
  ['sleep', (args, run) => run.sleep(args)],
  ['echo', echo],
  ['cat', (args, run) => run.cat(args)],
  ['touch', (args, run) => run.change(plain(args), true, false)],
  ['rm', (args, run) => run.change(plain(args), false, !args.some((text) => /^-\w*f/.test(text)))],
  ['test', (args, run) => run.test(args)],
  ['[', closedTest(']')],
  ['[[', closedTest(']]')],
  ['export', (args, run) => run.export(args)],
  ['expr', expr],
  [
    'exit',
    (args) => {
      throw new Exit(exitCode(args[0]))
    },
  ],
  [
    'exec',
    (args, run) => {
      throw new Exit(run.call(args))
    },
  ],
])
