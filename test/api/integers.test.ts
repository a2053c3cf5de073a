// Integers of 64 bits, which a JavaScript number cannot hold, from the socket to the disk and back: every form of a body,
// every patch, who owns what, what an expression sees, and the next process.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import { decode } from '../../src/schema/protobuf/envelope.ts'
import { typeForKind } from '../../src/schema/types.ts'
import { ApiClient, type Reply } from './client.ts'

const dir = mkdtempSync(join(tmpdir(), 'dinghy-integers-'))
const start = (): Promise<Cluster> => startCluster({ storage: { dataDir: join(dir, 'data') } })
let cluster: Cluster
let api: ApiClient

beforeAll(async () => {
  cluster = await start()
  api = new ApiClient(cluster)
  await define()
})
afterAll(async () => {
  api.close()
  await cluster.stop()
  rmSync(dir, { recursive: true, force: true })
})

const NUMS = '/apis/e.io/v1/namespaces/default/nums'
const REVISIONS = '/apis/apps/v1/namespaces/default/controllerrevisions'
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io'
const num = (name: string, spec: string): string =>
  `{"apiVersion":"e.io/v1","kind":"Num","metadata":{"name":"${name}"},"spec":${spec}}`
const revision = (name: string, number: string): string =>
  `{"apiVersion":"apps/v1","kind":"ControllerRevision","metadata":{"name":"${name}"},"data":{"q":9007199254740993},"revision":${number}}`

const SCHEMA = `{"type":"object","properties":{"spec":{"type":"object","properties":{
  "i":{"type":"integer","maximum":9223372036854774784},
  "i32":{"type":"integer","format":"int32"},
  "even":{"type":"integer","multipleOf":2},
  "one":{"type":"integer","enum":[9007199254740993,9007199254740995]},
  "given":{"type":"integer","default":9007199254740993},
  "ruled":{"type":"integer","x-kubernetes-validations":[{"rule":"self + 1 != 9007199254740994"}]},
  "set":{"type":"array","x-kubernetes-list-type":"set","items":{"type":"integer"}},
  "parts":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k"],
    "items":{"type":"object","required":["k"],"properties":{"k":{"type":"integer"},"v":{"type":"integer"}}}},
  "any":{"x-kubernetes-preserve-unknown-fields":true}}}}}`

async function define(): Promise<void> {
  const body = `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"nums.e.io"},
    "spec":{"group":"e.io","scope":"Namespaced","names":{"plural":"nums","singular":"num","kind":"Num"},
    "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":${SCHEMA}},
    "additionalPrinterColumns":[{"name":"I","type":"integer","jsonPath":".spec.i"},{"name":"Any","type":"string","jsonPath":".spec.any"}]}]}}`
  const made = await api.ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', { body })
  expect(made.status).toBe(201)
  expect(made.bytes.toString()).toContain('"default":9007199254740993')
  await vi.waitFor(async () => expect((await api.ask('GET', NUMS)).status).toBe(200), { timeout: 90_000 })
}

const patch = (path: string, type: string, body: string): Promise<Reply> =>
  api.ask('PATCH', path, { body, headers: { 'content-type': `application/${type}` } })
const textOf = ({ bytes }: Reply): string => bytes.toString()
const specIn = (reply: Reply): string => /"spec":.*\}/s.exec(textOf(reply))?.[0].replace(/\s*\}$/, '') ?? ''

describe('custom resources', () => {
  it('keep them through create, get, tables, patches of each type, and the next process', async () => {
    const made = await api.ask('POST', NUMS, {
      body: num('a', '{"i":9007199254740993,"any":{"x":[-9223372036854775808]}}'),
    })
    expect(made.status).toBe(201)
    const spec = '"any":{"x":[-9223372036854775808]},"given":9007199254740993,"i":9007199254740993'
    expect(specIn(made)).toBe(`"spec":{${spec}}`)
    const shown = await api.ask('GET', `${NUMS}/a`, { headers: { accept: TABLE } })
    expect(textOf(shown)).toContain('"cells":["a",9007199254740993,"{\\"x\\":[-9223372036854775808]}"]')
    const yaml = await api.ask('GET', `${NUMS}/a`, { headers: { accept: 'application/yaml' } })
    expect(textOf(yaml)).toContain('  i: 9007199254740993\n')
    const pretty = await api.ask('GET', `${NUMS}/a?pretty=true`)
    expect(textOf(pretty)).toContain('    "i": 9007199254740993\n')

    const merged = await patch(`${NUMS}/a`, 'merge-patch+json', '{"spec":{"any":{"y":9223372036854775807}}}')
    expect(specIn(merged)).toContain('"any":{"x":[-9223372036854775808],"y":9223372036854775807}')
    const operations = `[{"op":"test","path":"/spec/any/y","value":9223372036854775807},
      {"op":"copy","from":"/spec/any","path":"/spec/any/z"},{"op":"replace","path":"/spec/i","value":-9007199254740993}]`
    const changed = await patch(`${NUMS}/a`, 'json-patch+json', operations)
    expect(changed.status).toBe(200)
    expect(specIn(changed)).toContain('"z":{"x":[-9223372036854775808],"y":9223372036854775807}}')
    expect(specIn(changed)).toContain('"i":-9007199254740993')
    const other = '[{"op":"test","path":"/spec/any/y","value":9223372036854775806}]'
    expect((await patch(`${NUMS}/a`, 'json-patch+json', other)).status).toBe(422)

    const since = made.body.metadata.resourceVersion as string
    const watch = `${NUMS}?watch=true&timeoutSeconds=3&resourceVersion=${since}`
    const events = textOf(await api.ask('GET', watch)).trim().split('\n')
    expect(events.map((line) => /"i":(-?\d+)/.exec(line)?.[1])).toEqual(['9007199254740993', '-9007199254740993'])

    api.close()
    await cluster.stop()
    cluster = await start()
    api = new ApiClient(cluster)
    await vi.waitFor(async () => expect((await api.ask('GET', NUMS)).status).toBe(200), { timeout: 90_000 })
    expect(specIn(await api.ask('GET', `${NUMS}/a`))).toBe(specIn(changed))
    expect(specIn(await patch(`${NUMS}/a`, 'merge-patch+json', '{"spec":{"even":4}}'))).toContain('"i":-9007199254740993')
  })

  it('have their owners, by keys and values, and conflicts over the last digit', async () => {
    const applied = (manager: string, v: string): Promise<Reply> => {
      const spec = `{"set":[9007199254740993,9007199254740995],"parts":[{"k":9007199254740993,"v":${v}}]}`
      return patch(`${NUMS}/owned?fieldManager=${manager}`, 'apply-patch+yaml', num('owned', spec))
    }
    const first = await applied('one', '9007199254740995')
    expect(first.status).toBe(201)
    expect(textOf(first)).toContain(String.raw`"k:{\"k\":9007199254740993}":{".":{},"f:k":{},"f:v":{}}`)
    expect(textOf(first)).toContain('"v:9007199254740993":{},"v:9007199254740995":{}')
    expect((await applied('two', '9007199254740995')).status).toBe(200)
    expect((await applied('three', '9007199254740996')).status).toBe(409)
  })

  it.each([
    ['{"i":9223372036854775807}', 'spec.i: Invalid value: 9223372036854775807: spec.i in body should be less than or equal to 9223372036854774784'],
    ['{"i":9223372036854775808}', 'spec.i in body must be of type integer: "number"'],
    ['{"i":1e20}', 'spec.i: Invalid value: 1e+20: spec.i in body should be less than or equal to 9.223372036854775e+18'],
    ['{"i32":9007199254740993}', 'Checked value must be of type integer with format int32 in spec.i32'],
    ['{"even":9007199254740993}', 'spec.even: Invalid value: 9007199254740993: spec.even in body should be a multiple of 2'],
    ['{"one":9007199254740994}', 'Unsupported value: 9007199254740994: supported values: "9007199254740993", "9007199254740995"'],
    ['{"ruled":9007199254740993}', 'spec.ruled: Invalid value: 9007199254740993: failed rule: self + 1 != 9007199254740994'],
    ['{"set":[9007199254740993,9007199254740993]}', 'spec.set[1]: Duplicate value: 9007199254740993'],
    ['{"parts":[{"k":9007199254740993},{"k":9007199254740993}]}', 'spec.parts[1]: Duplicate value: {"k":9007199254740993}'],
    ['{"any":1e400}', 'json: cannot unmarshal number 1e400 into Go value of type float64'],
  ])('are held to their schema: %s', async (spec, message) => {
    const refused = await api.ask('POST', `${NUMS}?dryRun=All`, { body: num('b', spec) })
    expect(refused.body.message).toContain(message)
  })

  it.each([
    ['{"i":1.0}', '"i":1'],
    ['{"i":-0}', '"i":0'],
    ['{"one":9007199254740995}', '"one":9007199254740995'],
    ['{"set":[9007199254740993,9007199254740992]}', '"set":[9007199254740993,9007199254740992]'],
    ['{"any":[1e18,9223372036854775808]}', '"any":[1000000000000000000,9223372036854776000]'],
  ])('are taken as %s', async (spec, shown) => {
    expect(specIn(await api.ask('POST', `${NUMS}?dryRun=All`, { body: num('b', spec) }))).toContain(shown)
  })

  it('are seen by the expressions of admission policies', async () => {
    const policies = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic'
    const policy = `{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicy","metadata":{"name":"odd"},
      "spec":{"matchConstraints":{"resourceRules":[{"apiGroups":["e.io"],"apiVersions":["v1"],"operations":["CREATE"],"resources":["nums"]}]},
      "validations":[{"expression":"!has(object.spec.any) || object.spec.any != 9007199254740993"}]}}`
    const binding = `{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicyBinding","metadata":{"name":"odd"},
      "spec":{"policyName":"odd","validationActions":["Deny"]}}`
    expect((await api.ask('POST', `${policies}ies`, { body: policy })).status).toBe(201)
    expect((await api.ask('POST', `${policies}ybindings`, { body: binding })).status).toBe(201)
    const ask = (any: string): Promise<Reply> =>
      api.ask('POST', `${NUMS}?dryRun=All`, { body: num('c', `{"any":${any}}`) })
    await vi.waitFor(async () => expect((await ask('9007199254740993')).status).toBe(422), { timeout: 90_000 })
    expect((await ask('9007199254740992')).status).toBe(201)
    expect((await ask('9007199254740994')).status).toBe(201)
  })
})

describe('built-in kinds', () => {
  it('keep them in JSON, YAML and protobuf, and in patches of each type', async () => {
    const made = await api.ask('POST', REVISIONS, { body: revision('r', '9007199254740993') })
    expect(made.status).toBe(201)
    expect(textOf(made)).toContain('"data":{"q":9007199254740993},"revision":9007199254740993')
    const bytes = (await api.ask('GET', `${REVISIONS}/r`, { headers: { accept: 'application/vnd.kubernetes.protobuf' } })).bytes
    expect(decode(bytes, { typeFor: typeForKind })).toMatchObject({
      data: { q: 9007199254740993n },
      revision: 9007199254740993n,
    })
    const path = `${REVISIONS}/r`
    const table = await api.ask('GET', path, { headers: { accept: TABLE } })
    expect(textOf(table)).toContain('"<none>",9007199254740993')
    expect(textOf(await patch(path, 'merge-patch+json', '{"revision":9223372036854775807}'))).toContain('"revision":9223372036854775807')
    expect(textOf(await patch(path, 'strategic-merge-patch+json', '{"revision":9007199254740995}'))).toContain('"revision":9007199254740995')
    const replaced = await patch(path, 'json-patch+json', '[{"op":"replace","path":"/revision","value":9007199254740997}]')
    expect(textOf(replaced)).toContain('"revision":9007199254740997')
    const applied = await patch(`${REVISIONS}/s?fieldManager=m`, 'apply-patch+yaml', revision('s', '9007199254740999'))
    expect(textOf(applied)).toContain('"data":{"q":9007199254740993},"revision":9007199254740999')
    const yaml = { body: revision('t', '9007199254740993'), headers: { 'content-type': 'application/yaml' } }
    expect(textOf(await api.ask('POST', REVISIONS, yaml))).toContain('"revision":9007199254740993')
    const put = { body: revision('r', '1').replace('9007199254740993', '9007199254740992') }
    expect((await api.ask('PUT', path, put)).body.message).toContain('data: Invalid value: {"q":9007199254740992}: field is immutable')
  })

  it.each(['9223372036854775808', '18446744073709551615', '1e20', '1e3', '1.0', '-0.0', '1.5'])(
    'refuse what Go does not read as an int64: %s',
    async (token) => {
      const what = `json: cannot unmarshal number ${token} into Go struct field ControllerRevision.revision of type int64`
      const refused = await api.ask('POST', REVISIONS, { body: revision('x', token) })
      expect(refused.body.message).toBe(`ControllerRevision in version "v1" cannot be handled as a ControllerRevision: ${what}`)
      const merged = await patch(`${REVISIONS}/r`, 'merge-patch+json', `{"revision":${token}}`)
      expect(merged.body.message).toContain(what)
    },
  )

  it.each([
    ['1e3', '"revision":1000'],
    ['1e18', '"revision":1000000000000000000'],
    ['9223372036854775808', 'revision: Invalid value: -9223372036854775808: must be greater than or equal to 0'],
    ['1.5', 'cannot convert float64 to int64'],
  ])('make %s of a strategic patch fit', async (token, shown) => {
    const path = `${REVISIONS}/r?dryRun=All`
    expect(textOf(await patch(path, 'strategic-merge-patch+json', `{"revision":${token}}`))).toContain(shown)
  })

  it('are refused where a text belongs', async () => {
    const kind = await patch(`${REVISIONS}/r`, 'merge-patch+json', '{"kind":9007199254740993}')
    expect([kind.status, kind.body.message]).toEqual([422, expect.stringContaining('no kind 9007199254740993')])
    const gone = await api.ask('DELETE', `${REVISIONS}/r`, { body: '{"kind":9007199254740993}' })
    expect(gone.status).toBe(400)
    const made = await api.ask('POST', REVISIONS, { body: revision('x', '1').replace('"x"', '9007199254740993') })
    expect(made.body.message).toContain('cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string')
  })

  it('show a bad one digit by digit', async () => {
    const refused = await api.ask('POST', REVISIONS, { body: revision('x', '-9007199254740993') })
    expect(refused.body.message).toContain('revision: Invalid value: -9007199254740993: must be greater than or equal to 0')
  })
})
