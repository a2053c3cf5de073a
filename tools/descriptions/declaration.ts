// Reads one generated class declaration of client-node: its own description and its properties', each with a blank for
// every character of white space.

export interface Declaration {
  readonly description?: string
  /** By the property's plain name. */
  readonly properties: ReadonlyMap<string, string>
}

const COMMENT = String.raw`\/\*\*\s*\n\s*\* ((?:(?!\*\/).)*?)\s*\n\s*\*\/\s*\n\s*`
const CLASS = new RegExp(`${COMMENT}export declare class `, 's')
const PROPERTY = new RegExp(`${COMMENT}'([^']+)'\\??:`, 'gs')

export function readDeclaration(text: string): Declaration {
  // The first comment of the file is about the generator.
  const body = text.slice(text.indexOf('*/') + 2)
  const own = CLASS.exec(body)?.[1]
  const properties = new Map<string, string>()
  for (const [, description = '', name = ''] of body.matchAll(PROPERTY))
    properties.set(plain(name), unescaped(description))
  return { ...(own !== undefined && { description: unescaped(own) }), properties }
}

/** Classes have "_continue" for "continue" and "x_kubernetes_list_type" for its name with dashes. */
export function plain(name: string): string {
  return name.replace(/[^A-Za-z0-9]/g, '').toLowerCase()
}

/** The generator escapes quotes, backslashes, and both ends of comments. */
function unescaped(text: string): string {
  return text
    .replaceAll('*_/', '*/')
    .replaceAll('/_*', '/*')
    .replace(/\\(['"\\])/g, '$1')
    .trim()
}
