// How generated JSON is laid out: one row a line, no spaces, so that files stay small and a new release reads as
// a diff of rows.

/** An array, one item a line. */
export function linesOf(rows: readonly unknown[]): string {
  return `[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]\n`
}

/** An object with a few small members and one large one, whose entries get a line each. */
export function objectLines(
  head: Record<string, unknown>,
  name: string,
  entries: Record<string, unknown>,
): string {
  const members = Object.entries(head).map(
    ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)},\n`,
  )
  const lines = Object.entries(entries).map(
    ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`,
  )
  return `{\n${members.join('')}${JSON.stringify(name)}:{\n${lines.join(',\n')}\n}}\n`
}
