import { expect, it } from 'vitest'
import { COMPATIBLE_FLAGS, compatibleGiven } from './compatible-flags.ts'
import { commandLine } from '../flags.ts'

const given = (...argv: string[]): string[] =>
  compatibleGiven(commandLine('dinghy apiserver', '', COMPATIBLE_FLAGS, argv) ?? {})

it('takes flags that change nothing, and knows which were given', () => {
  const argv = ['--feature-gates=A=true,B=false', '--feature-gates=C=true', '--profiling=false']
  expect(given(...argv, '--enable-garbage-collector')).toEqual([
    'feature-gates',
    'enable-garbage-collector',
    'profiling',
  ])
  expect(given()).toEqual([])
})

it('takes no others', () => {
  expect(() => given('--insecure-port=0')).toThrow(/insecure-port/)
})
