// The selectors of a request, for authorizers that allow less than everything of a kind.
// Follows GetAuthorizerAttributes in k8s.io/apiserver/pkg/endpoints/filters.
import type { AuthorizationAttributes, RequestInfo } from '../machinery/attributes.ts'
import { parseFieldSelector } from '../machinery/fields.ts'
import { parseLabelSelector } from '../machinery/labels.ts'
import { StatusError } from '../machinery/status.ts'
import type { UserInfo } from '../machinery/user.ts'

type Selectors = Pick<AuthorizationAttributes, 'fieldSelector' | 'labelSelector'>
type Requirements = NonNullable<Selectors['fieldSelector']>

const VERBS: ReadonlySet<string> = new Set(['list', 'watch', 'deletecollection'])
const NONE: Selectors = {}
/** The old way to watch, whose selectors are not understood alike everywhere. */
const VERB_IN_PATH = /^\/+(?:api\/+[^/]+|apis\/+[^/]+\/+[^/]+)\/+watch\//

/** What authorizers are asked. */
export function attributesOf(
  info: RequestInfo,
  query: URLSearchParams,
  user: UserInfo,
): AuthorizationAttributes {
  const selectors = selectorsOf(info, query)
  return selectors === NONE ? { user, ...info } : { user, ...info, ...selectors }
}

/** What cannot be read is left out: the request is decided on as one without it, and refused by its handler. */
export function selectorsOf({ verb, path }: RequestInfo, query: URLSearchParams): Selectors {
  if (query.size === 0 || !VERBS.has(verb)) return NONE
  const field = query.get('fieldSelector')
  const label = query.get('labelSelector')
  if ((!field && !label) || VERB_IN_PATH.test(path)) return NONE
  const fieldSelector = read(field, (text) =>
    parseFieldSelector(text).requirements.map(({ field: key, operator, value }) => {
      return { key, operator, values: [value] }
    }),
  )
  const labelSelector = read(label, (text) => parseLabelSelector(text).requirements)
  return { ...(fieldSelector ? { fieldSelector } : {}), ...(labelSelector ? { labelSelector } : {}) }
}

function read(text: string | null, parse: (text: string) => Requirements): Requirements | undefined {
  if (!text) return undefined
  try {
    const requirements = parse(text)
    return requirements.length === 0 ? undefined : requirements
  } catch (error) {
    if (error instanceof StatusError) return undefined
    throw error
  }
}
