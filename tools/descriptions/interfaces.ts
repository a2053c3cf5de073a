// Reads a module of kubernetes-types: the descriptions of its interfaces and of their fields. It knows an older release
// than client-node, but also the fields whose type is another kind, of which client-node says nothing.

/** Interface → its description ('' as field name) and its fields'. */
export type Interfaces = ReadonlyMap<string, Readonly<Record<string, string>>>

const INTERFACE = /(?:\/\*\*((?:(?!\*\/)[^])*)\*\/\n)?export interface (\w+)[^{\n]*\{\n([^]*?)^\}/gm
const FIELD = /^ {4}(?:\/\*\*((?:(?!\*\/)[^])*)\*\/\n {4})?"?([\w$-]+)"?\??:/gm

export function readInterfaces(text: string): Interfaces {
  const found = new Map<string, Record<string, string>>()
  for (const [, comment, name = '', body = ''] of text.matchAll(INTERFACE)) {
    const texts: Record<string, string> = comment === undefined ? {} : { '': textOf(comment) }
    for (const [, said, field = ''] of body.matchAll(FIELD)) {
      if (said !== undefined) texts[field] = textOf(said)
    }
    found.set(name, texts)
  }
  return found
}

/** The module of a definition, without its ending; undefined where there can be none. */
export function moduleOf(definition: string): string | undefined {
  const [, path] = /^io\.k8s\.(.*)\.\w+$/.exec(definition) ?? []
  const [, owner = '', group = '', version = ''] =
    /^(api|apimachinery\.pkg\.apis|apiextensions-apiserver\.pkg\.apis)\.(\w+)\.(v\w+)$/.exec(path ?? '') ?? []
  return owner === '' ? undefined : `${group}/${version}`
}

/** A comment of one line, or of several with a star each. */
function textOf(comment: string): string {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\* ?/, ''))
  return lines.join('\n').trim().replaceAll('*\\/', '*/')
}
