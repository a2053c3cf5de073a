// Go's package time quotes what it refuses in its own, ASCII-only way.

/** The text in double quotes; what is no printable ASCII as \xNN, byte by byte. */
export function quoteAscii(text: string): string {
  const escaped = text.replace(/[^\x20-\x7f]|["\\]/gu, (c) => {
    if (c === '"' || c === '\\') return `\\${c}`
    return [...Buffer.from(c)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
  })
  return `"${escaped}"`
}
