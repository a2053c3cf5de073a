// Blanks between the words of a description. The declarations of client-node have a blank for every character of white
// space: where lines and paragraphs end is lost. Most gaps of two were the end of a paragraph; what was another is a
// fact of the release (api/openapi/spacing.json).

/** The white space of a text, by its place among all white space of it, where it is not what `spread` takes it for. */
export type Spacing = readonly (readonly [place: number, blanks: string])[]

/** In api/openapi. */
export const SPACING_FILE = 'spacing.json'

export interface SpacingFacts {
  /** Definition → field ('': the type itself). */
  readonly spacing: Readonly<Record<string, Readonly<Record<string, Spacing>>>>
}

const GAP = /\s+/g
const PARAGRAPH = '\n\n'

/** The text of a description, whose white space was turned into blanks, with its lines and paragraphs. */
export function spread(text: string, spacing: Spacing = []): string {
  const known = new Map(spacing)
  let place = 0
  const inner = text.trim().replaceAll(GAP, (gap) => known.get(place++) ?? guess(gap))
  return inner + (known.get(place) ?? '')
}

/** What `spread` has to be told of a text to give it back; undefined: nothing. */
export function spacingOf(text: string): Spacing | undefined {
  const told = [...text.trimStart().matchAll(GAP)]
    .map(({ 0: gap, index }, place) => ({
      gap,
      place,
      isLast: index + gap.length === text.trimStart().length,
    }))
    .filter(({ gap, isLast }) => isLast || gap !== guess(gap.replaceAll(/\s/g, ' ')))
    .map(({ gap, place }): readonly [number, string] => [place, gap])
  return told.length > 0 ? told : undefined
}

const guess = (gap: string): string => (gap.length === PARAGRAPH.length ? PARAGRAPH : gap)
