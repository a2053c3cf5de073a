// Whether the lists of e2e.ts speak of every test that e2e.test has: each is run, or left out for a reason.
import { execFileSync } from 'node:child_process'
import type { Group } from './e2e-results.ts'

/** Prints how many tests each class of those that are left out has, what nobody speaks of, and what is no test. Resolves to the exit code. */
export function tellCoverage(program: string, groups: readonly Group[]): number {
  const all = testsOf(program)
  const named = new Set(groups.flatMap(({ tests }) => tests))
  const unknown = [...named].filter((name) => !all.has(name))
  const classes = groups.flatMap(({ match, why = '' }) =>
    match ? [{ why, match: new RegExp(match), count: 0 }] : [],
  )
  const silent: string[] = []
  for (const name of all) {
    if (named.has(name)) continue
    const first = classes.find(({ match }) => match.test(name))
    if (first) first.count++
    else silent.push(name)
  }
  console.log(`${all.size} tests, ${named.size} of them by name`)
  for (const { why, count } of classes) console.log(`${count} left out: ${why}`)
  for (const name of unknown) console.log(`no test: ${name}`)
  for (const name of silent) console.log(`nobody speaks of it: ${name}`)
  return unknown.length + silent.length > 0 ? 1 : 0
}

/** By their names, as the program lists them behind the files that they are in. */
function testsOf(program: string): Set<string> {
  const text = execFileSync(program, ['--list-tests'], { encoding: 'utf8', maxBuffer: 2 ** 26 })
  return new Set(
    text.split('\n').flatMap((line) => {
      const name = /^\s+\S+\.go:\d+: (.+)$/.exec(line)?.[1]
      return name === undefined ? [] : [name]
    }),
  )
}
