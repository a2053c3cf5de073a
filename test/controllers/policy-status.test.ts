// Type checking of admission policies against a real API server, as upstream's conformance test has it, and of its own kinds.
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { ValidatingAdmissionPolicy } from '../../src/client/kinds/admissionregistration.v1.gen.ts'
import { VALIDATING_ADMISSION_POLICIES } from '../../src/client/resources.ts'
import { clusterWith, type TestCluster } from './cluster.ts'

const WAIT = { timeout: 90_000, interval: 20 }
let cluster: TestCluster
beforeAll(async () => {
  cluster = await clusterWith(['validatingadmissionpolicy-status-controller'])
})
afterAll(() => cluster.stop())

async function checked(
  name: string,
  rule: { apiGroups: string[]; resources: string[] },
  spec: Partial<ValidatingAdmissionPolicy['spec']>,
) {
  const { api } = cluster
  const resourceRules = [{ ...rule, apiVersions: ['v1'], operations: ['CREATE'] }]
  await api.create(VALIDATING_ADMISSION_POLICIES, {
    metadata: { name },
    spec: { matchConstraints: { resourceRules }, ...spec },
  } as ValidatingAdmissionPolicy)
  return vi.waitFor(async () => {
    const { metadata, status } = await api.get(VALIDATING_ADMISSION_POLICIES, { name })
    expect(status?.observedGeneration).toBe(metadata.generation)
    return status?.typeChecking
  }, WAIT)
}
const DEPLOYMENTS = { apiGroups: ['apps'], resources: ['deployments'] }

it('has nothing to say of expressions that fit', async () => {
  const validations = [
    { expression: 'object.spec.replicas > 1' },
    {
      expression:
        'object.metadata.labels["a"] == "b" && object.spec.template.spec.containers.all(c, c.image != "")',
    },
    { expression: 'variables.n > 1 && has(oldObject.spec) && request.operation == "CREATE"' },
  ]
  expect(
    await checked('fits', DEPLOYMENTS, {
      validations,
      variables: [{ name: 'n', expression: 'object.spec.replicas' }],
    }),
  ).toEqual({})
})

it('tells of wrong types and of fields that are not there, and where', async () => {
  const validations = [
    {
      expression: "object.spec.replicas > '1'",
      messageExpression: "'wants ' + string(object.spec.replicas + 'x')",
    },
    { expression: 'object.nothing == 1' },
  ]
  const found = await checked('faulty', DEPLOYMENTS, { validations })
  expect(found?.expressionWarnings).toEqual([
    {
      fieldRef: 'spec.validations[0].expression',
      warning:
        "apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_>_' applied to '(int, string)'\n | object.spec.replicas > '1'\n | .....................^\n",
    },
    {
      fieldRef: 'spec.validations[0].messageExpression',
      warning: expect.stringContaining(
        "found no matching overload for '_+_' applied to '(int, string)'",
      ) as string,
    },
    {
      fieldRef: 'spec.validations[1].expression',
      warning: expect.stringContaining("undefined field 'nothing'") as string,
    },
  ])
})

it('checks parameters, variables, every kind of a rule; not kinds that nobody knows, and no wildcards', async () => {
  const validations = [{ expression: 'variables.wrong == 1 && params.data["a"] == 1' }]
  const spec = {
    validations,
    paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    variables: [{ name: 'wrong', expression: 'object.metadata.name' }],
  }
  const rule = { apiGroups: [''], resources: ['pods', 'services', 'pods/status', 'nonsense'] }
  const warning = (await checked('several', rule, spec))?.expressionWarnings?.[0]?.warning ?? ''
  expect(warning.match(/^\/v1, Kind=\w+/gm)).toEqual(['/v1, Kind=Pod', '/v1, Kind=Service'])
  expect(warning).toContain("found no matching overload for '_==_' applied to '(string, int)'")
  const all = { apiGroups: ['*'], resources: ['pods'] }
  expect(await checked('wild', all, { validations: [{ expression: 'object.nothing == 1' }] })).toEqual({})
})
