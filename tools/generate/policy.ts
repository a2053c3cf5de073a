// Reads the bootstrap roles and bindings of RBAC, for api/openapi/policy.json.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

/** In the order in which they are created: roles before what binds them. */
const FILES = [
  'cluster-roles',
  'controller-roles',
  'cluster-role-bindings',
  'controller-role-bindings',
  'namespace-roles',
  'namespace-role-bindings',
]

interface PolicyObject {
  readonly metadata: Record<string, unknown>
}

export function bootstrapPolicy(folder: string): PolicyObject[] {
  return FILES.flatMap((name) => {
    const list = parse(readFileSync(join(folder, 'rbac', `${name}.yaml`), 'utf8')) as {
      items: PolicyObject[]
    }
    return list.items.map(({ metadata, ...rest }) => {
      const { creationTimestamp: _, ...kept } = metadata
      return { ...rest, metadata: kept }
    })
  })
}
