// Why the schemas of a definition are not structural: no request can store such a definition any more, an older
// kube-apiserver may have. Follows k8s.io/apiextensions-apiserver/pkg/controller/nonstructuralschema.
import { aggregate } from '../../machinery/aggregate.ts'
import { isObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { cause } from '../../machinery/status.ts'
import { structuralCauses } from '../definitions/structural.ts'
import { objectAt, objectsAt } from '../reading.ts'

/** What the condition NonStructuralSchema says; undefined: they are structural. */
export function violationsOf(object: KubeObject): string | undefined {
  const spec = objectAt(object['spec'])
  const causes =
    spec['preserveUnknownFields'] === true
      ? [cause.invalid('spec.preserveUnknownFields', true, 'must be false')]
      : []
  for (const [i, version] of objectsAt(spec['versions']).entries()) {
    const schema = objectAt(version['schema'])['openAPIV3Schema']
    if (!isObject(schema)) continue
    causes.push(...structuralCauses(schema, `spec.versions[${i}].schema.openAPIV3Schema`))
  }
  return causes.length > 0 ? aggregate(causes.map(({ field, message }) => `${field}: ${message}`)) : undefined
}
