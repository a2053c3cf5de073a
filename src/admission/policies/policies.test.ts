// Policies of both sorts, without a server: objects are served as they are stored.
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { StatusError } from '../../machinery/status.ts'
import { typeOf } from '../../schema/types.ts'
import { attributesOf, FakeLister, resourceOf } from '../fixture.ts'
import type { AdmissionAttributes } from '../plugin.ts'
import { MutatingAdmissionPolicy } from './mutating.ts'
import type { PolicyNeeds } from './needs.ts'
import { ValidatingAdmissionPolicy } from './validating.ts'

const NEEDS: PolicyNeeds = {
  forms: {
    equivalents: () => [],
    shown: (object) => object,
    taken: (value) => value as unknown as KubeObject,
  },
  // Waited for, as a webhook's answer.
  authorizer: {
    authorize: ({ verb }) =>
      Promise.resolve({ decision: verb === 'get' ? 'allow' : 'noOpinion', reason: '' }),
  },
  resourceOf: (_version, kind) => (kind === 'ConfigMap' ? resourceOf('configmaps') : undefined),
  typeOf() {
    const type = typeOf('io.k8s.api.core.v1.ConfigMap')
    if (!type) throw new Error('no type')
    return type
  },
}

const RULES = [{ operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }]

function listerOf(sort: string, spec: JsonObject, binding: JsonObject = {}): FakeLister {
  const lister = new FakeLister()
  const matchConstraints = { resourceRules: RULES, matchPolicy: 'Equivalent' }
  lister.put('namespaces', { metadata: { name: 'ns', labels: { team: 'a' } } })
  lister.put(`${sort}policies`, { metadata: { name: 'p' }, spec: { matchConstraints, ...spec } })
  lister.put(`${sort}policybindings`, {
    metadata: { name: 'b' },
    spec: { policyName: 'p', validationActions: ['Deny'], ...binding },
  })
  return lister
}

const write = (object: JsonObject = {}): AdmissionAttributes =>
  attributesOf({
    resource: 'configmaps',
    name: 'c',
    object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, ...object },
  })

async function outcome(work: void | Promise<void>): Promise<string> {
  try {
    await work
    return 'allowed'
  } catch (error) {
    if (error instanceof StatusError) return `${error.code} ${error.message}`
    throw error
  }
}

const DENIED = `configmaps "c" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: `

describe('ValidatingAdmissionPolicy', () => {
  const judge = (spec: JsonObject, binding?: JsonObject, attributes = write()): Promise<string> => {
    const lister = listerOf('validatingadmission', spec, binding)
    return outcome(new ValidatingAdmissionPolicy(NEEDS).validate(attributes, lister))
  }

  it.each<[string, JsonObject, string]>([
    ['holds', { expression: 'object.metadata.name == "c"' }, 'allowed'],
    ['denies by its expression', { expression: '1 > 2' }, `422 ${DENIED}failed expression: 1 > 2`],
    ['denies by its message', { expression: 'false', message: ' no ' }, `422 ${DENIED}no`],
    [
      'denies by its message expression, and reason',
      { expression: 'false', messageExpression: '"not " + object.metadata.name', reason: 'Forbidden' },
      `403 ${DENIED}not c`,
    ],
    [
      'denies what cannot be evaluated',
      { expression: 'object.x' + ' == 1' },
      `422 ${DENIED}expression 'object.x == 1' resulted in error: no such key: x`,
    ],
    ['sees the namespace', { expression: 'namespaceObject.metadata.labels.team == "a"' }, 'allowed'],
    [
      'sees the request',
      { expression: 'request.operation == "CREATE" && request.userInfo.username == "jane"' },
      'allowed',
    ],
    [
      'asks the authorizer, and waits for it',
      {
        expression:
          'authorizer.group("").resource("pods").check("get").allowed() && !authorizer.requestResource.check("list").allowed()',
      },
      'allowed',
    ],
  ])('%s', async (_name, validation, wanted) => {
    expect(await judge({ validations: [validation] })).toBe(wanted)
  })

  it('lets pass what fails where failures are ignored', async () => {
    expect(await judge({ failurePolicy: 'Ignore', validations: [{ expression: 'object.x == 1' }] })).toBe(
      'allowed',
    )
  })

  it('reads variables when they are named, once', async () => {
    const variables = [
      { name: 'bad', expression: 'object.x' },
      { name: 'n', expression: 'size(object.metadata.name)' },
    ]
    expect(await judge({ variables, validations: [{ expression: 'variables.n == 1' }] })).toBe('allowed')
    expect(await judge({ variables, validations: [{ expression: 'variables.bad == 1' }] })).toContain(
      'composited variable "bad" fails to evaluate: no such key: x',
    )
  })

  it('holds only where its conditions do', async () => {
    const matchConditions = [{ name: 'c', expression: 'object.metadata.name != "c"' }]
    expect(await judge({ matchConditions, validations: [{ expression: 'false' }] })).toBe('allowed')
  })

  it('says which parameters are missing', async () => {
    const spec = {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      validations: [{ expression: 'params == null' }],
    }
    const ref = { paramRef: { name: 'x', parameterNotFoundAction: 'Deny' } }
    expect(await judge(spec, ref)).toContain('no params found for policy binding with `Deny`')
    expect(await judge(spec, { paramRef: { name: 'x', parameterNotFoundAction: 'Allow' } })).toBe('allowed')
    expect(await judge({ ...spec, paramKind: { apiVersion: 'v1', kind: 'Nope' } }, ref)).toContain(
      "failed to configure policy: failed to find resource referenced by paramKind: '/v1, Kind=Nope'",
    )
  })

  it('warns and annotates where its binding says so', async () => {
    const said: string[] = []
    const attributes = {
      ...write(),
      warn: (text: string) => void said.push(text),
      annotate: (key: string, value: string) => void said.push(`${key}=${value}`),
    }
    const spec = {
      validations: [{ expression: 'false', message: 'm' }],
      auditAnnotations: [{ key: 'k', valueExpression: '"v"' }],
    }
    expect(await judge(spec, { validationActions: ['Warn'] }, attributes)).toBe('allowed')
    expect(said).toEqual(["Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': m", 'p/k=v'])
  })

  it('stops expressions that cost too much', async () => {
    const object = { data: Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`k${i}`, ''])) }
    const runaway = 'object.data.all(a, object.data.all(b, object.data.all(c, a != "x" || b != c)))'
    expect(await judge({ validations: [{ expression: runaway }] }, {}, write(object))).toContain(
      'operation cancelled: actual cost limit exceeded',
    )
  })
})

describe('MutatingAdmissionPolicy', () => {
  const change = async (mutation: JsonObject, attributes = write()): Promise<unknown> => {
    const lister = listerOf('mutatingadmission', { reinvocationPolicy: 'Never', mutations: [mutation] })
    const answer = await outcome(new MutatingAdmissionPolicy(NEEDS).admit(attributes, lister))
    return answer === 'allowed' ? attributes.object : answer
  }
  const apply = (expression: string): JsonObject => ({
    patchType: 'ApplyConfiguration',
    applyConfiguration: { expression },
  })
  const patch = (expression: string): JsonObject => ({ patchType: 'JSONPatch', jsonPatch: { expression } })

  it('merges a configuration', async () => {
    expect(await change(apply('Object{metadata: Object.metadata{labels: {"a": "b"}}}'))).toMatchObject({
      metadata: { name: 'c', labels: { a: 'b' } },
    })
  })

  it('applies a JSON patch', async () => {
    const expression = '[JSONPatch{op: "add", path: "/data", value: {"n": object.metadata.name}}]'
    expect(await change(patch(expression))).toMatchObject({ data: { n: 'c' } })
  })

  it('leaves the object alone where a test in the patch fails', async () => {
    const expression =
      '[JSONPatch{op: "test", path: "/kind", value: "x"}, JSONPatch{op: "remove", path: "/metadata"}]'
    expect(await change(patch(expression))).toMatchObject({ metadata: { name: 'c' } })
  })

  it.each<[string, JsonObject, string]>([
    [
      'names that are not their paths',
      apply('Object{metadata: Object.wrong{}}'),
      'type mismatch: unexpected type name "Object.wrong", expected "Object.metadata"',
    ],
    ['fields that are not there', apply('Object{nope: 1}'), 'failed to convert patch object to typed object'],
    ['what fails', apply('Object{data: object.x}'), 'no such key: x'],
  ])('refuses %s', async (_name, mutation, wanted) => {
    const answer = await change(mutation)
    expect(answer).toContain("403 policy 'p' with binding 'b' denied request: ")
    expect(answer).toContain(wanted)
  })
})
