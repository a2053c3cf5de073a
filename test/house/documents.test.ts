// The documents say what is: links lead somewhere, named files exist, tables have all their rows.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BUILT, jsonOf, repositoryFiles, ROOT, textOf } from './repository.ts'

const documents = repositoryFiles().filter((path) => path.endsWith('.md'))

/** Without fenced blocks, whose contents are examples. */
const prose = (path: string): string => textOf(path).replace(/^```.*?^```/gms, '')

test.each(documents)('%s: its links lead somewhere', (path) => {
  const targets = [...prose(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  const local = targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => target.replace(/#.*/, ''))
  expect(local.filter((target) => target !== '' && !existsSync(join(ROOT, dirname(path), target)))).toEqual(
    [],
  )
})

test.each(documents)('%s: the files it names exist', (path) => {
  const named = [...prose(path).matchAll(/`((?:src|test|tools|api|conformance|bench|docs|bin)\/[\w./@-]+)`/g)]
  const missing = named.map(([, file = '']) => file).filter((file) => !existsSync(join(ROOT, file)))
  expect(missing).toEqual([])
})

test('decisions are numbered without gaps', () => {
  const numbers = readdirSync(join(ROOT, 'docs/adr')).map((name) => name.slice(0, 4))
  expect(numbers.sort()).toEqual(numbers.map((_, i) => String(i + 1).padStart(4, '0')))
})

test('every dependency has its row in docs/dependencies.md', () => {
  const { dependencies } = jsonOf<{ dependencies: Record<string, string> }>('package.json')
  const rows = new Set(
    [...textOf('docs/dependencies.md').matchAll(/^\| ([\w@/-]+) +\|/gm)].map(([, name]) => name),
  )
  expect(Object.keys(dependencies).filter((name) => !rows.has(name))).toEqual([])
})

test('every room has its row in docs/architecture.md', () => {
  const rooms = readdirSync(join(ROOT, 'src')).filter((name) =>
    statSync(join(ROOT, 'src', name)).isDirectory(),
  )
  const filled = rooms.filter((room) => readdirSync(join(ROOT, 'src', room)).length > 0)
  const text = textOf('docs/architecture.md')
  expect(filled.filter((room) => !text.includes(`| \`src/${room}/\``))).toEqual([])
})

describe.skipIf(!BUILT)('of the built program', () => {
  test('docs/operations.md has every flag of `dinghy up`', () => {
    const help = execFileSync(join(ROOT, 'bin/dinghy'), ['up', '--help'], { encoding: 'utf8' })
    const flags = [...help.matchAll(/^ +(--[\w-]+)/gm)].map(([, flag = '']) => flag)
    expect(flags).toContain('--port')
    const text = textOf('docs/operations.md')
    expect(flags.filter((flag) => !text.includes(`\`${flag}`))).toEqual([])
  })
})

test('make has every target that the README and CONTRIBUTING name', () => {
  const phony = /^\.PHONY: (.*)$/m.exec(textOf('Makefile'))?.[1]?.split(' ') ?? []
  const named = [textOf('README.md'), textOf('CONTRIBUTING.md'), ...documents.map(textOf)].flatMap((text) =>
    [...text.matchAll(/`make ([a-z0-9-]+)/g)].map(([, target = '']) => target),
  )
  expect(named).toContain('up')
  expect(named.filter((target) => !phony.includes(target))).toEqual([])
})
