// The norms of source files that no lint holds.
import { expect, test } from 'vitest'
import { repositoryFiles, textOf } from './repository.ts'

const files = repositoryFiles()
const sources = files.filter((path) => /\.(ts|js|cjs)$/.test(path) && !path.endsWith('.gen.ts'))
const ours = files.filter((path) => !path.startsWith('api/') && path !== 'package-lock.json')

test('there are files to look at', () => {
  expect(sources).toContain('src/index.ts')
})

test('each begins with a comment that says what it is', () => {
  // A test beside its subject needs none, nor does the configuration of a tool.
  const exempt = (path: string): boolean =>
    !path.includes('/') || (path.endsWith('.test.ts') && sources.includes(path.replace('.test.ts', '.ts')))
  const isHeaded = (path: string): boolean => /^(#!.*\n)?(\/\/|\/\*\*?) ?\S/.test(textOf(path))
  expect(sources.filter((path) => !exempt(path) && !isHeaded(path))).toEqual([])
})

test('none is called utils, helpers, common or manager', () => {
  const vague = /(^|[/-])(utils?|helpers?|common|(?<!controller-)manager)(\.|\/)/
  expect(files.filter((path) => vague.test(path))).toEqual([])
})

test('none is a barrel: a file that only gathers what others export', () => {
  const isBarrel = (path: string): boolean => {
    const code = textOf(path).replace(/^\s*(\/\/.*|\/\*[^]*?\*\/)\n/gm, '')
    return code.trim() !== '' && code.replace(/^export [^;]*? from '[^']*'$/gm, '').trim() === ''
  }
  expect(sources.filter((path) => path.startsWith('src/') && isBarrel(path))).toEqual(['src/index.ts'])
})

test('none names a folder of one machine, or a host that packages come from', () => {
  // Put together here, so that this file does not find itself.
  const words = [
    '/' + 'work/',
    '/' + 'root/',
    '/' + 'home/runner',
    'registry.' + 'npmjs',
    'proxy.' + 'golang',
    'arti' + 'factory',
  ]
  const found = ours.flatMap((path) => {
    const text = textOf(path)
    return words.filter((word) => text.includes(word)).map((word) => `${path}: ${word}`)
  })
  expect(found).toEqual([])
})

test('no test is left out or alone', () => {
  const odd = new RegExp('\\b(it|test|describe)\\.(only|todo|skip)\\b')
  expect(sources.filter((path) => path !== 'test/house/sources.test.ts' && odd.test(textOf(path)))).toEqual(
    [],
  )
})

test('no type is switched off', () => {
  const off = new RegExp('@ts-(ignore|nocheck|expect-error)|\\bas any\\b|eslint-disable')
  expect(sources.filter((path) => path !== 'test/house/sources.test.ts' && off.test(textOf(path)))).toEqual(
    [],
  )
})

test('packages that the build bundles are loaded late by their default export, the one that the bundle has', () => {
  const { outside, found } = lateImports()
  expect(outside).toEqual(['lmdb', 'etcd3', '@grpc/grpc-js'])
  expect(found.filter((one) => !one.byDefault && !outside.includes(one.name))).toEqual([])
})

/** Each `await import('package')` of the program, and whether its default export is taken. */
function lateImports(): { outside: string[]; found: { path: string; name: string; byDefault: boolean }[] } {
  const outside = /external: \[([^\]]*)\]/.exec(textOf('tools/build/main.js'))?.[1]?.match(/[^', ]+/g) ?? []
  const found = sources
    .filter((path) => path.startsWith('src/') && !path.endsWith('.test.ts'))
    .flatMap((path) =>
      [...textOf(path).matchAll(/(\{[^{}]*\} = )?\(?await import\('([^.'][^']*)'\)(\)\.default)?/g)]
        .filter(([, , name]) => !name?.startsWith('node:'))
        .map(([, taken = '', name = '', chosen]) => ({
          path,
          name,
          byDefault: chosen !== undefined || /^\{ default: /.test(taken),
        })),
    )
  return { outside, found }
}
