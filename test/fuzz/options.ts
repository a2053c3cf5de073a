// Query parameters: every option that requests take, with values that are good, odd and bad.
import type { Random } from './random.ts'

export type Choices = Readonly<Record<string, readonly string[]>>

const BOOLEANS = ['true', 'false', '1', '0', '', 'maybe', 'T', '\u0000']
const NUMBERS = [
  '0',
  '1',
  '2',
  '-1',
  '500',
  '99999999999',
  '9223372036854775808',
  '1.5',
  'x',
  '',
  '1e9',
  ' 1',
  '0x1',
]
const VERSIONS = ['', '0', '1', '5', '100', '-1', 'abc', '18446744073709551616', '01', '1.0', ' 1', '1\u0000']
/** A version that is to come is waited for, three seconds long: drawn seldom. */
const FUTURE_VERSIONS = ['9999999999', '9007199254740993', '18446744073709551615']
const TOKENS = [
  '',
  'x',
  '!!!!',
  'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiYSJ9',
  Buffer.from('{"v":"meta.k8s.io/v1","rv":1,"start":"a\\u0000"}').toString('base64url'),
  Buffer.from('{"v":"meta.k8s.io/v1","rv":-1,"start":"../x"}').toString('base64url'),
  Buffer.from('{"v":"meta.k8s.io/v1","rv":1e400,"start":"a"}').toString('base64url'),
  Buffer.from('{"v":"meta.k8s.io/v1","rv":0.5,"start":"a"}').toString('base64url'),
  Buffer.from('{"v":"meta.k8s.io/v1","rv":-7,"start":"a"}').toString('base64url'),
  Buffer.from('{"v":"meta.k8s.io/v1","rv":9007199254740993,"start":"\\ud800"}').toString('base64url'),
  Buffer.from('{"__proto__":{"v":"meta.k8s.io/v1"}}').toString('base64url'),
  Buffer.from('[]').toString('base64url'),
  Buffer.from('['.repeat(9000)).toString('base64url'),
]

export const LIST_OPTIONS: Choices = {
  labelSelector: [
    'app=web',
    'app',
    '!app',
    'app in (web,x)',
    'app notin ()',
    'a=b=c',
    'a in (',
    ',',
    '=',
    'app>1',
    'app<x',
    '__proto__=1',
    'constructor',
    `${'a,'.repeat(2000)}a`,
    `a in (${'b,'.repeat(2000)}b)`,
    '\u0000',
    '\ud83d\ude00=x',
    'x'.repeat(70),
  ],
  fieldSelector: [
    'metadata.name=a',
    'metadata.namespace!=x',
    'status.phase=Running',
    'spec.nodeName=',
    'nope=1',
    'metadata.name',
    '=',
    'a\\=b=c',
    'metadata.name=a,metadata.name=b',
    'metadata.name=../..',
    '__proto__=x',
    'constructor.name=Object',
    '\\',
  ],
  limit: NUMBERS,
  continue: TOKENS,
  resourceVersion: VERSIONS,
  resourceVersionMatch: ['', 'Exact', 'NotOlderThan', 'exact', 'x'],
  timeoutSeconds: ['1', '2', ...NUMBERS],
  allowWatchBookmarks: BOOLEANS,
  sendInitialEvents: BOOLEANS,
  pretty: BOOLEANS,
  watch: ['false', '0', '', 'nope'],
  includeObject: ['None', 'Metadata', 'Object', 'x'],
  shardSelector: ['x'],
}

export const WRITE_OPTIONS: Choices = {
  dryRun: ['All', 'x', '', 'all'],
  fieldManager: ['m', '', 'x'.repeat(200), '\u0000', '\u00e9'],
  fieldValidation: ['Strict', 'Warn', 'Ignore', '', 'strict', 'x'],
  force: BOOLEANS,
  pretty: BOOLEANS,
  gracePeriodSeconds: NUMBERS,
  orphanDependents: BOOLEANS,
  propagationPolicy: ['Orphan', 'Background', 'Foreground', '', 'x'],
  ignoreStoreReadErrorWithClusterBreakingPotential: BOOLEANS,
}

/** Some of the options, with values of theirs. */
export function options(choices: Choices, random: Random): [string, string][] {
  const names = Object.keys(choices)
  const chosen = Array.from({ length: random.int(4) }, (): [string, string] => {
    const name = random.pick(names)
    return [name, random.pick(choices[name] as readonly string[])]
  })
  if (random.chance(0.001)) chosen.push(['resourceVersion', random.pick(FUTURE_VERSIONS)])
  return chosen
}

const ODD_QUERIES = [
  '&&&',
  '=',
  '%',
  '%zz=1',
  'a=%ff',
  '?',
  'watch',
  'limit',
  `q=${'x'.repeat(6000)}`,
  ';a=b',
  '__proto__=1',
]

/** Path and query as they go over the wire. */
export function targetOf(
  path: string,
  query: readonly (readonly [string, string])[],
  random: Random,
): string {
  const pairs = query.map(([name, value]) => `${name}=${wild(value, random)}`)
  if (random.chance(0.03)) pairs.push(random.pick(ODD_QUERIES))
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`
}

/** Encoded as it ought to be, mostly. */
function wild(value: string, random: Random): string {
  const sendable = /^[\u0021-\u007e]*$/.test(value) && !value.includes('#')
  if (sendable && random.chance(0.2)) return value
  return encodeURIComponent(value)
}
