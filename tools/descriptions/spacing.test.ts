import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { spacingOf, spread } from './spacing.ts'

const flat = (text: string): string => text.replaceAll(/\s/g, ' ').trim()

describe('white space', () => {
  it('of two characters is the end of a paragraph, if nothing else is said', () => {
    expect(spread('One.  Two three.')).toBe('One.\n\nTwo three.')
    expect(spacingOf('One.\n\nTwo three.')).toBeUndefined()
  })

  it('of other sorts is told, by its place', () => {
    const text = 'One.  Two:\n - three\n - four\n'
    expect(spacingOf(text)).toEqual([
      [0, '  '],
      [1, '\n '],
      [3, '\n '],
      [5, '\n'],
    ])
  })

  it('comes back, whatever it was', () => {
    const gap = fc.stringMatching(/^[ \n\t]{1,4}$/)
    const words = fc.array(fc.tuple(fc.stringMatching(/^\w{1,5}$/), gap), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(words, fc.boolean(), (parts, ends) => {
        const text = parts.map(([word, blanks]) => word + blanks).join('')
        const whole = ends ? text : text.trimEnd()
        expect(spread(flat(whole), spacingOf(whole))).toBe(whole)
      }),
    )
  })
})
