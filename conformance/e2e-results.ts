// What is known of the conformance tests: the list (e2e.json), and the results of e2e.ts, kept in a file from call to call.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Tests of one fate. Those of a group with `why` are not run, for this reason. */
export interface Group {
  readonly name: string
  readonly about: string
  readonly why?: string
  /** They are run and known to fail, for this reason. */
  readonly fails?: string
  readonly tests: readonly string[]
  /** Those whose names match are meant as well, unless another group names them: classes that are left out. */
  readonly match?: string
}

export interface TestResult {
  /** Skipped: the test itself says that it does not apply. */
  readonly outcome: 'passed' | 'failed' | 'skipped'
  readonly seconds: number
  readonly message?: string
}

export function readGroups(file: string): Group[] {
  return (JSON.parse(readFileSync(file, 'utf8')) as { groups: Group[] }).groups
}

/** Results by the test's name, in `results.json` of a folder; each is on the disk as soon as it is known. */
export class Results {
  readonly #folder: string
  readonly #file: string
  readonly #results: Map<string, TestResult>

  constructor(folder: string) {
    this.#folder = folder
    this.#file = join(folder, 'results.json')
    const known = existsSync(this.#file) ? (JSON.parse(readFileSync(this.#file, 'utf8')) as object) : {}
    this.#results = new Map(Object.entries(known) as [string, TestResult][])
  }

  get(name: string): TestResult | undefined {
    return this.#results.get(name)
  }

  add(name: string, result: TestResult): void {
    this.#results.set(name, result)
    writeFileSync(this.#file, JSON.stringify(Object.fromEntries(this.#results), null, 1))
  }

  /** Prints what passed, by group, and what failed; writes junit.xml. Resolves to the exit code. */
  report(groups: readonly Group[], names: readonly string[]): number {
    const asked = new Set(names)
    const passes = (name: string): boolean => this.#results.get(name)?.outcome === 'passed'
    for (const { about, tests } of groups) {
      const some = tests.filter((name) => asked.has(name))
      if (some.length > 0) console.log(`${about}: ${some.filter(passes).length} of ${some.length} pass`)
    }
    const known = new Set(groups.filter(({ fails }) => fails !== undefined).flatMap(({ tests }) => tests))
    for (const name of names) if (known.has(name) && passes(name)) console.log(`passes now: ${name}`)
    const failed = names.filter((name) => !passes(name) && !known.has(name))
    for (const name of failed) console.log(`failed: ${name}`)
    writeFileSync(join(this.#folder, 'junit.xml'), this.#junit(names))
    console.log(`${names.filter(passes).length} passed, ${failed.length} failed`)
    return failed.length > 0 ? 1 : 0
  }

  #junit(names: readonly string[]): string {
    const cases = names.map((name) => {
      const { outcome, seconds, message } = this.#results.get(name) ?? { outcome: 'failed', seconds: 0 }
      const failure = outcome === 'passed' ? '' : `<failure message="${escaped(message ?? 'not run')}"/>`
      return `  <testcase classname="e2e" name="${escaped(name)}" time="${seconds.toFixed(1)}">${failure}</testcase>\n`
    })
    const failures = names.filter((name) => this.#results.get(name)?.outcome !== 'passed').length
    const head = `<testsuite name="conformance" tests="${names.length}" failures="${failures}">`
    return `<?xml version="1.0" encoding="UTF-8"?>\n${head}\n${cases.join('')}</testsuite>\n`
  }
}

/** Text as an attribute's value; characters that XML 1.0 has no way to say are left out. */
const escaped = (text: string): string =>
  text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\n', '&#10;')
