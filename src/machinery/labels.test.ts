import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  labelExactMatch,
  type Labels,
  labelSelectorCauses,
  labelSelectorText,
  parseLabelSelector,
  selectorOfMap,
  selectorOfObject,
} from './labels.ts'

const matches = (text: string, labels?: Labels): boolean => parseLabelSelector(text).matches(labels)
const errorOf = (text: string): string => {
  try {
    parseLabelSelector(text)
  } catch (error) {
    return (error as Error).message
  }
  return ''
}

describe('parseLabelSelector', () => {
  it.each([
    ['', {}, true],
    ['a=b', { a: 'b' }, true],
    ['a==b', { a: 'c' }, false],
    ['a = b , c', { a: 'b', c: '' }, true],
    ['a!=b', {}, true],
    ['a!=b', { a: 'b' }, false],
    ['a in (b, c)', { a: 'c' }, true],
    ['a in (b, c)', {}, false],
    ['a in ()', { a: '' }, true],
    ['a in (,b)', { a: '' }, true],
    ['a in (b,,c)', { a: '' }, true],
    ['a notin (b,c)', {}, true],
    ['a notin (b,c)', { a: 'b' }, false],
    ['a', { a: '' }, true],
    ['a', {}, false],
    ['!a', {}, true],
    ['! a', { a: 'x' }, false],
    ['a>5', { a: '6' }, true],
    ['a>5', { a: 'x' }, false],
    ['a<5', { a: '-9223372036854775808' }, true],
    ['a<5', { a: '-9223372036854775809' }, false],
    ['a=', { a: '' }, true],
    ['in in (in,notin)', { in: 'notin' }, true],
    ['x=in', { x: 'in' }, true],
    ['constructor', {}, false],
    ['!toString', {}, true],
    ['constructor notin (a)', {}, true],
    ['a\0=b', { a: 'c' }, true],
  ])('%j on %j is %s', (text, labels, expected) => {
    expect(matches(text, labels as Labels)).toBe(expected)
  })

  it.each([
    ['a=b c', "found 'c', expected: ',' or 'end of string'"],
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['a,', "found '', expected: identifier after ','"],
    ['!a=b', "found '=', expected: ',' or 'end of string'"],
    ['a in b', "unable to parse requirement: found 'b' expected: '('"],
    ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['a in (=', "unable to parse requirement: found '=', expected: ',', ')' or identifier"],
    ['a in (b,=', "unable to parse requirement: found '=', expected: ',', or identifier"],
    ['a=!', "unable to parse requirement: found '!', expected: identifier"],
    [')', "found ')', expected: !, identifier, or 'end of string'"],
    [
      'a>b',
      "unable to parse requirement: values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must be an integer",
    ],
    [
      `a=${'v'.repeat(64)}`,
      `unable to parse requirement: values[0][a]: Invalid value: "${'v'.repeat(64)}": must be no more than 63 bytes`,
    ],
  ])('refuses %j', (text, message) => {
    expect(errorOf(text)).toBe(message)
  })

  it('sorts by key, keeps exact values, and prints what it read', () => {
    const selector = parseLabelSelector('z in (c,a,a),!y,b!=1,x,n>3,d==4')
    expect(labelSelectorText(selector)).toBe('b!=1,d==4,n>3,x,!y,z in (a,c)')
    expect(labelSelectorText(parseLabelSelector(labelSelectorText(selector)))).toBe(
      labelSelectorText(selector),
    )
    expect(labelExactMatch(selector, 'd')).toBe('4')
    expect(labelExactMatch(selector, 'b')).toBeUndefined()
  })
})

describe('LabelSelector objects', () => {
  it('absent selects nothing, empty everything', () => {
    expect(selectorOfObject(undefined).matches({ a: 'b' })).toBe(false)
    expect(selectorOfObject({}).matches({ a: 'b' })).toBe(true)
    expect(selectorOfMap({ a: 'b' }).matches({ a: 'b', c: 'd' })).toBe(true)
  })

  it('joins labels and expressions', () => {
    const selector = selectorOfObject({
      matchLabels: { app: 'a' },
      matchExpressions: [
        { key: 'tier', operator: 'NotIn', values: ['x'] },
        { key: 'rack', operator: 'Exists' },
      ],
    })
    expect(selector.matches({ app: 'a', rack: '1' })).toBe(true)
    expect(selector.matches({ app: 'a', rack: '1', tier: 'x' })).toBe(false)
    expect(selector.matches({ app: 'a' })).toBe(false)
    expect(() => selectorOfObject({ matchExpressions: [{ key: 'a', operator: 'constructor' }] })).toThrow(
      '"constructor" is not a valid label selector operator',
    )
  })

  it('names every fault with its field', () => {
    const causes = labelSelectorCauses(
      {
        matchLabels: { a: 'b c' },
        matchExpressions: [
          { key: 'k', operator: 'In', values: [] },
          { key: '/', operator: 'Exists', values: ['v'] },
          { key: 'k', operator: 'Like' },
        ],
      },
      'spec.selector',
    )
    expect(causes.map((c) => c.field)).toEqual([
      'spec.selector.matchLabels',
      'spec.selector.matchExpressions[0].values',
      'spec.selector.matchExpressions[1].values',
      'spec.selector.matchExpressions[1].key',
      'spec.selector.matchExpressions[1].key',
      'spec.selector.matchExpressions[1].key',
      'spec.selector.matchExpressions[2].operator',
    ])
  })
})

const ORACLE = new URL('../../../shared/oracle/', import.meta.url)

describe.skipIf(!existsSync(ORACLE))('recorded answers to malformed label selectors', () => {
  it('are the same', () => {
    const scenarios = JSON.parse(readFileSync(new URL('scenarios/list.json', ORACLE), 'utf8')) as {
      scenarios?: { name: string; steps: { do?: string }[] }[]
    }
    const recorded = JSON.parse(readFileSync(new URL('recorded/list.json', ORACLE), 'utf8')) as Record<
      string,
      { body?: { message?: string } }[]
    >
    let compared = 0
    for (const { name, steps } of scenarios.scenarios ?? []) {
      steps.forEach((step, i) => {
        const message = recorded[name]?.[i]?.body?.message
        const selector = /[?&]labelSelector=([^&]*)/.exec(step.do ?? '')?.[1]
        if (selector === undefined || !/^found|^unable to parse req/.test(message ?? '')) return
        compared++
        expect(errorOf(decodeURIComponent(selector.replaceAll('+', ' ')))).toBe(message)
      })
    }
    expect(compared).toBeGreaterThan(10)
  })
})
