// What a definition adds to the table of resources: a row and a kind for each version that it serves.
// Loaded with the first definition. Follows k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go.
import type { Kind } from '../kind.ts'
import type { CustomResource } from '../served.ts'
import type { Definition } from './definition.ts'
import { customKind } from './kind.ts'
import { listSchema, objectSchema } from './openapi.ts'
import { definitionName, rowOf } from './rows.ts'
import { Schemas } from './schemas.ts'
import type { Converter } from './webhook.ts'

/**
 * Nothing is made yet: kinds and schemas are, when they are first asked for. Without a converter all versions are one
 * shape.
 */
export function resourcesOf(definition: Definition, converter?: Converter): CustomResource[] {
  if (!definition.isServed) return []
  const schemas = new Schemas(definition, converter)
  return definition.versions
    .filter(({ served }) => served)
    .map((version) => {
      let kind: Kind | undefined
      const name = definitionName(definition, version.name)
      const list = name.slice(0, name.length - definition.accepted.kind.length) + definition.accepted.listKind
      return {
        row: rowOf(definition, version),
        makeKind: () => (kind ??= customKind(schemas, version)),
        schema(asked, dialect) {
          if (asked === name) return objectSchema(definition, version, dialect)
          return asked === list ? listSchema(definition, version, dialect) : undefined
        },
      }
    })
}
