// How objects of a custom kind are written: what its definition says, in the form that built-in kinds have.
// Follows k8s.io/apiextensions-apiserver/pkg/registry/customresource (strategy.go, status_strategy.go, validator.go).
import type { JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { cause, forbidden, type StatusCause } from '../../machinery/status.ts'
import { qualifiedNameErrors } from '../../machinery/validation.ts'
import { isSame } from '../../schema/ownership/fieldset-compare.ts'
import { listTypeCauses } from '../../schema/custom/listtypes.ts'
import { applyDefaults } from '../../schema/custom/prune.ts'
import type { SchemaNode } from '../../schema/custom/structural.ts'
import { schemaCauses } from '../../schema/custom/validate.ts'
import type { Strategy, WriteContext } from '../strategy.ts'
import type { Scale, Version } from './definition.ts'
import { embeddedCauses } from './embedded.ts'
import { scaleCauses } from './scale.ts'

/** The rules of x-kubernetes-validations. `old` is absent for a new object. */
type Rules = (object: KubeObject, old: KubeObject | undefined, context: WriteContext) => StatusCause[]

export interface CustomRules {
  readonly version: Version
  readonly schema: SchemaNode
  /** The definition is being deleted: nothing new may come. */
  readonly terminating: boolean
  /** The schema has rules in CEL, which are loaded with the first write. */
  readonly loadRules: boolean
}

/** The strategy of one version of a custom kind. */
export function customStrategy({ version, schema, terminating, loadRules }: CustomRules): Strategy {
  const { hasStatus, scale } = version
  let rules: Rules | undefined
  const causesOf = (
    object: KubeObject,
    old: KubeObject | undefined,
    context: WriteContext,
  ): StatusCause[] => {
    const status = context.subresource === 'status'
    const causes = status ? statusCauses(schema, object, old) : [...wholeCauses(schema, object, old)]
    if (scale) causes.push(...scaleCauses(object, scale as Scale, status))
    if (!status) causes.push(...embeddedCauses(schema, object))
    if (!old || listTypeCauses(schema, old).length === 0) causes.push(...listTypeCauses(schema, object))
    if (rules) causes.push(...(causes.some(isBlocking) ? [UNCHECKED] : rules(object, old, context)))
    return causes
  }
  return {
    allowUnconditionalUpdate: false,
    anyFinalizer: true,
    takesTurns: true,
    hasGeneration: true,
    ...(loadRules && {
      load: async () => {
        const { ruleFaults } = await import('./rules.ts')
        rules ??= (object, old, context) => ruleFaults(schema, object, old, (text) => context.warn(text))
      },
    }),
    changesGeneration: (object, old) => !isSame(withoutMetadata(object), withoutMetadata(old)),
    ...(hasStatus && { resetFields: { '': ['status'], status: ['metadata', 'spec'] } }),
    prepareForCreate: (object, context) => {
      if (terminating) throw refusal(object, context)
      // The client's status is gone by now; upstream gives that of the schema when it reads what it stored.
      if (hasStatus) applyDefaults(object, schema)
    },
    prepareForUpdate: (object, old, context) => {
      if (context.subresource === 'status') restore(object, old)
    },
    validateCreate: (object, context) => causesOf(object, undefined, context),
    validateUpdate: causesOf,
    warnings: (object, old) => finalizerWarnings(object, old),
  }
}

function refusal(object: KubeObject, { resource }: WriteContext): Error {
  const why = 'create not allowed while custom resource definition is terminating'
  return forbidden({ group: resource.group, resource: resource.name }, object.metadata.name ?? '', why)
}

/** A write to the status changes nothing else. */
function restore(object: KubeObject, old: KubeObject): void {
  for (const key of Object.keys(object)) {
    if (key !== 'status' && key !== 'metadata' && !Object.hasOwn(old, key)) delete object[key]
  }
  for (const key of Object.keys(old)) {
    if (key !== 'status' && key !== 'metadata') object[key] = old[key]
  }
}

function withoutMetadata(object: KubeObject): JsonObject {
  const { metadata: _, ...rest } = object
  return rest
}

const wholeCauses = (schema: SchemaNode, object: KubeObject, old: KubeObject | undefined): StatusCause[] =>
  schemaCauses(schema.props, object, '', old)

function statusCauses(schema: SchemaNode, object: KubeObject, old: KubeObject | undefined): StatusCause[] {
  const node = schema.properties.get('status')
  const { status } = object
  if (!node || status === undefined) return []
  return schemaCauses(node.props, status, '', old?.['status']).map((one) => ({
    ...one,
    field: one.field === '<nil>' ? 'status' : `status.${one.field}`,
  }))
}

/** Rules are not asked about an object whose shape is wrong. */
const BLOCKING: ReadonlySet<string> = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
])
const isBlocking = ({ reason = '' }: StatusCause): boolean => BLOCKING.has(reason)

const UNCHECKED = cause.invalid(
  '<nil>',
  null,
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
)

const STANDARD_FINALIZERS: ReadonlySet<string> = new Set(['orphan', 'foregroundDeletion', 'kubernetes'])

function finalizerWarnings({ metadata }: KubeObject, old: KubeObject | undefined): string[] {
  const before = new Set(old?.metadata.finalizers)
  const added = (metadata.finalizers ?? []).filter((name) => !before.has(name))
  return [...new Set(added)].sort().flatMap((name) => {
    const said = `metadata.finalizers: ${JSON.stringify(name)}: `
    const texts = qualifiedNameErrors(name).map((why) => said + why)
    if (name.includes('/') || STANDARD_FINALIZERS.has(name)) return texts
    const path = name.includes('.') ? ' including a path (/)' : ''
    const advice = `prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`
    return [...texts, said + advice]
  })
}
