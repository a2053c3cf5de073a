// Where the descriptions of the release have lines and paragraphs: white space alone, no word of them is kept.
// For tools/descriptions, whose source has lost it.
import { type SpacingFacts, spacingOf } from '../descriptions/spacing.ts'
import type { Schema } from './spec.ts'

type Fields = Record<string, NonNullable<ReturnType<typeof spacingOf>>>

/** By definition and field, what of its description's white space cannot be guessed. */
export function spacingOfDescriptions(
  definitions: Readonly<Record<string, Schema>>,
): SpacingFacts['spacing'] {
  const found: Record<string, Fields> = {}
  for (const [definition, schema] of Object.entries(definitions)) {
    const texts = Object.entries({ '': schema, ...schema.properties })
    const fields: Fields = {}
    for (const [field, { description }] of texts) {
      const spacing = spacingOf(description ?? '')
      if (spacing) fields[field] = spacing
    }
    if (Object.keys(fields).length > 0) found[definition] = fields
  }
  return found
}
