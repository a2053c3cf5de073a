// How definitions are written. Their rules are many and few servers ever need them: they are loaded with the first write.
// Follows k8s.io/apiextensions-apiserver/pkg/registry/customresourcedefinition.
import { nameIsDnsSubdomain } from '../../machinery/names.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { planDefinitionDelete } from '../custom/deletion.ts'
import { objectAt, objectsAt, textAt, textsAt } from '../reading.ts'
import type { Strategy } from '../strategy.ts'
import type * as SpecRules from './spec.ts'

type Rules = typeof SpecRules

let rules: Rules | undefined

function loaded(): Rules {
  if (!rules) throw new Error('the rules for definitions are not loaded')
  return rules
}

/** The version that is stored joins those that objects in the store may have. */
function recordStoredVersion(definition: KubeObject): void {
  const versions = objectsAt(objectAt(definition['spec'])['versions'])
  const stored = versions.find((version) => version['storage'] === true)
  const name = textAt(stored?.['name'])
  const status = { ...objectAt(definition['status']) }
  const known = textsAt(status['storedVersions'])
  if (stored && !known.includes(name)) status['storedVersions'] = [...known, name]
  definition['status'] = status
}

export const customresourcedefinitions: Strategy = {
  allowUnconditionalUpdate: false,
  hasGeneration: true,
  validateName(name, prefix, { spec }) {
    const faults = nameIsDnsSubdomain(name, prefix)
    const wanted = `${textAt(objectAt(objectAt(spec)['names'])['plural'])}.${textAt(objectAt(spec)['group'])}`
    return name === wanted ? faults : [...faults, 'must be spec.names.plural+"."+spec.group']
  },
  anyFinalizer: true,
  takesTurns: true,
  resetFields: { '': ['status'], status: ['spec'] },
  load: async () => {
    rules ??= await import('./spec.ts')
  },
  initialStatus: () => ({ conditions: null, acceptedNames: { plural: '', kind: '' }, storedVersions: null }),
  prepareForCreate: recordStoredVersion,
  prepareForUpdate(definition, _old, context) {
    if (context.subresource === '') recordStoredVersion(definition)
  },
  validateCreate: (definition) => loaded().definitionCauses(definition),
  validateUpdate: (definition, old, context) =>
    context.subresource === 'status'
      ? loaded().acceptedNamesCauses(definition)
      : loaded().definitionUpdateCauses(definition, old),
  warnings: (definition, old) => loaded().formatWarnings(definition, old),
  planDelete: planDefinitionDelete,
}
