// docs/kinds.md, made from the registry: what this server knows of each kind that it has built in.
// Written by main.ts, held to the registry by test/house/kinds.test.ts.
import { format, resolveConfig } from 'prettier'
import { join } from 'node:path'
import { defaultsFor } from '../../src/registry/defaults.ts'
import { strategyFor } from '../../src/registry/strategies.ts'
import { packageRoot } from '../../src/schema/facts.ts'
import { builtinResources, columnsOf } from '../../src/schema/resources.ts'
import type { Resource } from '../../src/schema/resource.ts'

/** Its path in the repository. */
export const DOCUMENT = 'docs/kinds.md'

const HEAD = `# The built-in kinds

Made from the registry by \`node tools/run.js tools/kinds/main.ts\`; a test holds it to that. Every kind goes through the same loop ([request.md](request.md)); the columns say what is its own. Objects of all kinds have metadata checked as upstream does, are converted between the versions named, and are printed as tables.

- **Defaults**: fields that are filled in, beyond what is absent staying absent (\`src/registry/defaults/\`).
- **Rules**: of new objects and of changes, beyond metadata (\`src/registry/validation/\`).
- **Columns**: what \`kubectl get\` shows; those in brackets with \`-o wide\`.

`

const keyOf = ({ group, name }: Resource): string => `${group} ${name}`

/** The resources by group, each with all of its served versions. */
function byKind(): Map<string, Resource[]> {
  const kinds = new Map<string, Resource[]>()
  for (const resource of builtinResources()) {
    const known = kinds.get(keyOf(resource))
    if (known) known.push(resource)
    else kinds.set(keyOf(resource), [resource])
  }
  return kinds
}

const yes = (is: boolean): string => (is ? 'yes' : '')

function columnsText(resource: Resource): string {
  return columnsOf(resource)
    .map(({ name, priority }) => (priority ? `(${name})` : name))
    .join(', ')
}

function rowOf(versions: readonly Resource[]): string {
  const first = versions[0] as Resource
  const strategy = strategyFor(first)
  const cells = [
    `\`${first.name}\``,
    versions.map(({ version }) => version).join(', '),
    first.namespaced ? 'namespace' : 'cluster',
    first.shortNames.join(', '),
    yes(versions.some(({ group, version, kind }) => defaultsFor({ group, version, kind }) !== undefined)),
    yes(strategy.validateCreate !== undefined),
    first.subresources.map(({ name }) => name).join(', '),
    columnsText(first),
  ]
  return `| ${cells.join(' | ')} |`
}

const TITLES = ['resource', 'versions', 'scope', 'short', 'defaults', 'rules', 'subresources', 'columns']

/** The whole document, as prettier leaves it. */
export async function kindsDocument(): Promise<string> {
  const groups = new Map<string, string[]>()
  for (const versions of byKind().values()) {
    const group = versions[0]?.group ?? ''
    groups.set(group, [...(groups.get(group) ?? []), rowOf(versions)])
  }
  const tables = [...groups].map(([group, rows]) =>
    [
      `## ${group || 'core'}`,
      '',
      `| ${TITLES.join(' | ')} |`,
      `| ${TITLES.map(() => '---').join(' | ')} |`,
      ...rows,
      '',
    ].join('\n'),
  )
  const path = join(packageRoot(), DOCUMENT)
  return format(HEAD + tables.join('\n'), { ...(await resolveConfig(path)), filepath: path })
}
