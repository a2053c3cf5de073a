// The published OpenAPI documents and the answers agree: each object that the server gives is validated, by ajv, against
// the schema that the same server publishes for its kind.
import { Ajv } from 'ajv'
import type { OpenAPIV3 } from 'openapi-types'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import { ApiClient, namespaceFor } from './client.ts'

let cluster: Cluster
let client: ApiClient

beforeAll(async () => {
  cluster = await startCluster()
  client = new ApiClient(cluster)
})

afterAll(async () => {
  client.close()
  await cluster.stop()
})

interface Index {
  readonly paths: Readonly<Record<string, { readonly serverRelativeURL: string }>>
}

const FORMATS = ['int32', 'int64', 'double', 'byte', 'date-time', 'int-or-string']

/** A validator of the schemas of one group and version, which refuses fields that no schema names. */
async function validatorFor(groupVersion: string): Promise<{ ajv: Ajv; document: OpenAPIV3.Document }> {
  const index = (await client.ask('GET', '/openapi/v3')).body as Index
  const url = index.paths[groupVersion]?.serverRelativeURL ?? ''
  const document = (await client.ask('GET', url)).body as OpenAPIV3.Document
  const ajv = new Ajv({ strict: false, allErrors: true, formats: Object.fromEntries(FORMATS.map((name) => [name, true])) })
  ajv.addSchema({ $id: 'doc', components: { schemas: closed(document) } })
  return { ajv, document }
}

/** Objects have the properties that are named and no others. */
function closed(document: OpenAPIV3.Document): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(document.components?.schemas ?? {}).map(([name, schema]) => {
      const open = '$ref' in schema || schema.properties === undefined || schema.additionalProperties !== undefined
      return [name, open ? schema : { ...schema, additionalProperties: false }]
    }),
  )
}

const kindsOf = (document: OpenAPIV3.Document): string[] => Object.keys(document.components?.schemas ?? {})

async function faultsOf(groupVersion: string, kind: string, object: unknown): Promise<string[]> {
  const { ajv, document } = await validatorFor(groupVersion)
  const name = kindsOf(document).find((schema) => schema.endsWith(`.${kind}`))
  const validate = ajv.getSchema(`doc#/components/schemas/${name}`)
  if (!validate) return [`no schema of ${kind}`]
  return validate(object) ? [] : (validate.errors ?? []).map((fault) => `${fault.instancePath} ${fault.message} ${JSON.stringify(fault.params)}`)
}

describe('lists of what every cluster starts with', () => {
  it.each([
    ['api/v1', '/api/v1/namespaces', 'NamespaceList'],
    ['api/v1', '/api/v1/services', 'ServiceList'],
    ['api/v1', '/api/v1/configmaps', 'ConfigMapList'],
    ['apis/rbac.authorization.k8s.io/v1', '/apis/rbac.authorization.k8s.io/v1/clusterroles', 'ClusterRoleList'],
    ['apis/rbac.authorization.k8s.io/v1', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', 'ClusterRoleBindingList'],
    ['apis/flowcontrol.apiserver.k8s.io/v1', '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas', 'FlowSchemaList'],
    ['apis/scheduling.k8s.io/v1', '/apis/scheduling.k8s.io/v1/priorityclasses', 'PriorityClassList'],
    ['apis/apiregistration.k8s.io/v1', '/apis/apiregistration.k8s.io/v1/apiservices', 'APIServiceList'],
  ])('%s: %s', async (groupVersion, path, kind) => {
    const { body } = await client.ask('GET', path)
    expect(body.items.length).toBeGreaterThan(0)
    expect(await faultsOf(groupVersion, kind, body)).toEqual([])
  })
})

describe('objects with everything that the server fills in', () => {
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80 }] }] } }
  const selector = { matchLabels: { a: 'b' } }
  it.each([
    ['api/v1', 'services', { kind: 'Service', spec: { type: 'NodePort', ports: [{ port: 80 }] } }],
    ['api/v1', 'secrets', { kind: 'Secret', stringData: { a: 'b' } }],
    ['apis/apps/v1', 'deployments', { kind: 'Deployment', spec: { selector, template } }],
    ['apis/apps/v1', 'statefulsets', { kind: 'StatefulSet', spec: { selector, template, serviceName: 's' } }],
    ['apis/batch/v1', 'jobs', { kind: 'Job', spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } }],
    ['apis/policy/v1', 'poddisruptionbudgets', { kind: 'PodDisruptionBudget', spec: { selector, minAvailable: '50%' } }],
    ['apis/networking.k8s.io/v1', 'networkpolicies', { kind: 'NetworkPolicy', spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] } }],
  ])('%s %s', async (groupVersion, resource, body) => {
    const apiVersion = groupVersion.replace(/^apis?\//, '')
    const path = `/${groupVersion}/namespaces/${await namespaceFor(client)}/${resource}`
    const made = await client.ask('POST', path, { body: { apiVersion, metadata: { name: 'x' }, ...body } })
    expect(made.body.message).toBeUndefined()
    expect(await faultsOf(groupVersion, body.kind, made.body)).toEqual([])
  })

  it('notices what does not fit', async () => {
    const faults = await faultsOf('api/v1', 'ConfigMap', { metadata: { name: 1 }, data: { a: 2 }, odd: true })
    expect(faults).toHaveLength(3)
  })
})
