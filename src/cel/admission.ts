// What expressions of admission may name: object, oldObject, request, namespaceObject, params, authorizer, variables.
// Stands between the compiler and those who have such expressions: policies, match conditions of webhooks.
// Follows k8s.io/apiserver/pkg/admission/plugin/cel/{compile,composition}.go and pkg/cel/mutation.
import { AUTHORIZER_TYPE, RESOURCE_CHECK_TYPE } from './authorizer.ts'
import { compile, typeFault, type Compiled, type Environment, type Program } from './compile.ts'
import { functionsWith } from './libraries.ts'
import type { Functions, Library } from './overload.ts'
import { walk } from './size.ts'
import {
  BOOL,
  DYN,
  INT,
  listOf,
  mapOf,
  NULL,
  objectOf,
  STRING,
  TIMESTAMP,
  type CelType,
  type ObjectType,
} from './types.ts'

const GVK = objectOf('kubernetes.GroupVersionKind', { group: STRING, version: STRING, kind: STRING })
const GVR = objectOf('kubernetes.GroupVersionResource', { group: STRING, version: STRING, resource: STRING })
const USER = objectOf('kubernetes.UserInfo', {
  username: STRING,
  uid: STRING,
  groups: listOf(STRING),
  extra: mapOf(STRING, listOf(STRING)),
})

export const REQUEST_TYPE = objectOf('kubernetes.AdmissionRequest', {
  kind: GVK,
  resource: GVR,
  subResource: STRING,
  requestKind: GVK,
  requestResource: GVR,
  requestSubResource: STRING,
  name: STRING,
  namespace: STRING,
  operation: STRING,
  userInfo: USER,
  dryRun: BOOL,
  options: DYN,
})

export const NAMESPACE_TYPE = objectOf('kubernetes.Namespace', {
  metadata: objectOf('kubernetes.NamespaceMetadata', {
    name: STRING,
    generateName: STRING,
    namespace: STRING,
    labels: mapOf(STRING, STRING),
    annotations: mapOf(STRING, STRING),
    UID: STRING,
    creationTimestamp: TIMESTAMP,
    deletionGracePeriodSeconds: INT,
    deletionTimestamp: TIMESTAMP,
    generation: INT,
    resourceVersion: STRING,
    finalizers: listOf(STRING),
  }),
  spec: objectOf('kubernetes.NamespaceSpec', { finalizers: listOf(STRING) }),
  status: objectOf('kubernetes.NamespaceStatus', {
    conditions: listOf(
      objectOf('kubernetes.NamespaceCondition', {
        status: STRING,
        type: STRING,
        lastTransitionTime: TIMESTAMP,
        message: STRING,
        reason: STRING,
      }),
    ),
    phase: STRING,
  }),
})

/** One operation of a JSON patch, as mutations make them. */
const PATCH_FIELDS = objectOf('JSONPatch', { op: STRING, path: STRING, from: STRING, value: DYN })
/** Other fields are there, upstream, but of no type that anything has. */
const NO_TYPE: ObjectType = { kind: 'object', name: '', field: () => undefined }
export const JSON_PATCH_TYPE: ObjectType = {
  ...PATCH_FIELDS,
  field: (name) => PATCH_FIELDS.field(name) ?? { type: NO_TYPE },
}

/** Object, Object.spec, Object.spec.template …: what an apply configuration is made of. */
function dynamicObject(name: string): ObjectType {
  return { kind: 'object', name, field: () => ({ type: DYN }), open: true }
}
export const OBJECT_TYPE = dynamicObject('Object')

function patchStruct(name: string): ObjectType | undefined {
  if (name === 'JSONPatch') return JSON_PATCH_TYPE
  return name === 'Object' || name.startsWith('Object.') ? dynamicObject(name) : undefined
}

const jsonPatchLibrary: Library = (define) =>
  define(
    'jsonpatch.escapeKey(string) string',
    ([key]) => (key as string).replaceAll('~', '~0').replaceAll('/', '~1'),
    walk,
  )

let patchFunctions: Functions | undefined

export interface Declared {
  readonly params: boolean
  readonly authorizer: boolean
  /** Object{…} and JSONPatch{…} may be made. */
  readonly patches?: boolean
  /** Types of the variables before this expression, by name; absent where there are none to name. */
  readonly variables?: ReadonlyMap<string, CelType>
}

/** The environment of one expression of admission. */
export function admissionEnvironment({ params, authorizer, patches, variables }: Declared): Environment {
  const types = new Map<string, CelType>([
    ['object', DYN],
    ['oldObject', DYN],
    ['namespaceObject', NAMESPACE_TYPE],
    ['request', REQUEST_TYPE],
  ])
  if (params) types.set('params', DYN)
  if (authorizer) {
    types.set('authorizer', AUTHORIZER_TYPE)
    types.set('authorizer.requestResource', RESOURCE_CHECK_TYPE)
  }
  if (variables) types.set('variables', variablesType(variables))
  if (!patches) return { variables: types }
  patchFunctions ??= functionsWith(jsonPatchLibrary)
  return { variables: types, functions: patchFunctions, struct: patchStruct }
}

/** The type of `variables`. */
export function variablesType(variables: ReadonlyMap<string, CelType>): ObjectType {
  return {
    kind: 'object',
    name: 'kubernetes.variables',
    field(name) {
      const type = variables.get(name)
      return type && { type }
    },
  }
}

/** The types that the fields of admission's kinds can use. */
export const WANTED = {
  any: [],
  condition: [BOOL],
  message: [STRING],
  annotation: [STRING, NULL],
  apply: [OBJECT_TYPE],
  jsonPatch: [listOf(JSON_PATCH_TYPE)],
} as const satisfies Record<string, readonly CelType[]>
export type Wanted = keyof typeof WANTED

/** A program of one of the wanted types (none: of any), or why there is none, in the words of upstream's causes. */
export function compileFor(
  source: string,
  environment: Environment,
  wanted: readonly CelType[],
): { readonly program: Program } | { readonly program?: undefined; readonly fault: string } {
  const compiled: Compiled = compile(source, environment)
  if (!compiled.program) return { fault: `compilation failed: ${compiled.errors}` }
  const fault = wanted.length ? typeFault(compiled.program, ...wanted) : undefined
  return fault === undefined ? { program: compiled.program } : { fault }
}
