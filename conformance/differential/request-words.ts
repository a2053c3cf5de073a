// What random requests are made of: kinds and their content, names, selectors, headers, patches, options. Most are right,
// some odd, some broken. Used by request-shapes.ts.
import type { Json, JsonObject } from '../../src/machinery/json.ts'

export interface Kind {
  readonly root: string
  readonly resource: string
  readonly kind: string
  readonly apiVersion: string
  readonly namespaced: boolean
  readonly content: readonly JsonObject[]
}

export const NAMESPACE = 'requests'

const container = { name: 'c', image: 'i' }

const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [container] } }

export const KINDS: readonly Kind[] = [
  {
    root: '/api/v1',
    resource: 'configmaps',
    kind: 'ConfigMap',
    apiVersion: 'v1',
    namespaced: true,
    content: [{ data: { a: 'b' } }, { data: { a: 'c', d: 'e' } }, { immutable: true }, { data: { x: 1 } }],
  },
  {
    root: '/api/v1',
    resource: 'pods',
    kind: 'Pod',
    apiVersion: 'v1',
    namespaced: true,
    content: [
      { spec: { containers: [container] } },
      { spec: { containers: [{ ...container, image: 'other' }] } },
      { spec: { containers: [] } },
      { spec: { containers: [container], nodeName: 'n' } },
    ],
  },
  {
    root: '/apis/apps/v1',
    resource: 'deployments',
    kind: 'Deployment',
    apiVersion: 'apps/v1',
    namespaced: true,
    content: [
      { spec: { selector: { matchLabels: { app: 'a' } }, template } },
      { spec: { selector: { matchLabels: { app: 'a' } }, template, replicas: 2 } },
      { spec: { selector: { matchLabels: { app: 'b' } }, template } },
    ],
  },
  {
    root: '/api/v1',
    resource: 'secrets',
    kind: 'Secret',
    apiVersion: 'v1',
    namespaced: true,
    content: [{ stringData: { a: 'b' } }, { data: { a: 'YQ==' } }, { data: { a: '***' } }, { type: 'x/y' }],
  },
  {
    root: '/apis/storage.k8s.io/v1',
    resource: 'storageclasses',
    kind: 'StorageClass',
    apiVersion: 'storage.k8s.io/v1',
    namespaced: false,
    content: [
      { provisioner: 'p' },
      { provisioner: 'p', reclaimPolicy: 'Retain' },
      { provisioner: '' },
      { provisioner: 'q', parameters: { a: 'b' } },
    ],
  },
  {
    root: '/apis/requests.example.com/v1',
    resource: 'things',
    kind: 'Thing',
    apiVersion: 'requests.example.com/v1',
    namespaced: true,
    content: [
      { spec: { size: 1 } },
      { spec: { size: 'x' } },
      { spec: { size: 2, other: [1, { a: 'b' }] } },
      {},
    ],
  },
]

/** The custom resource among the kinds. */
export const DEFINITION: JsonObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'things.requests.example.com' },
  spec: {
    group: 'requests.example.com',
    names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' },
        },
        selectableFields: [{ jsonPath: '.spec.size' }],
        additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: {
                  size: { type: 'integer', minimum: 0 },
                  other: { type: 'array', items: { 'x-kubernetes-preserve-unknown-fields': true } },
                },
              },
              status: { type: 'object', properties: { size: { type: 'integer' } } },
            },
          },
        },
      },
    ],
  },
}

export const NAMES = ['a', 'b', 'c']

export const ODD_NAMES = ['A', 'a_b', '-', '..', '%2e', 'a%2Fb', 'x'.repeat(300), 'a%20b', '%zz', '%C3%A9']

export const VERSIONS = ['', '0', '{rv}', '99999999999', '-1', 'abc', '1.5', '18446744073709551616']

export const SELECTORS = [
  'app=a',
  'app',
  '!app',
  'app in (a,b)',
  'app notin (a)',
  'app!=a',
  'app>1',
  'a=b=c',
  'app in ()',
]

export const MORE_SELECTORS = [
  '=',
  ',',
  'app in (a',
  'x/y/z=1',
  'app==a,tier',
  'app>x',
  '-=a',
  'a= b ',
  'app=a b',
]

export const FIELDS = [
  'metadata.name=a',
  'metadata.name!=a',
  'metadata.namespace=requests',
  'spec.nodeName=n',
]

export const MORE_FIELDS = [
  'status.phase=Pending',
  'spec.size=1',
  'metadata.labels=x',
  'metadata.name',
  'a=b',
  'metadata.name=a,',
  '==',
]

export const ACCEPTS = [
  'application/json',
  'application/yaml',
  '*/*',
  'application/*',
  'text/html',
  'application/json;as=Table;g=meta.k8s.io;v=v1',
  'application/json;as=Table;g=meta.k8s.io;v=v1beta1',
  'application/json;as=Table;g=meta.k8s.io;v=v2',
  'application/json;as=Table;g=x;v=v1, application/json',
  'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
  'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
  'application/json;as=Something',
  'application/json;q=0.5,application/yaml',
  'application/json;stream=watch',
  'application/json;pretty=1',
  'application/xml;q=0.9',
  'garbage',
  ';;;',
  '',
]

export const TYPES = [
  'application/json; charset=utf-8',
  'application/yaml',
  'application/x-www-form-urlencoded',
  'application/merge-patch+json',
  'application/json-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
  'text/plain',
  'garbage',
  '',
]

export const BROKEN = [
  '',
  'null',
  '[]',
  '{}',
  '"x"',
  '5',
  '{',
  '{"a":1}{"b":2}',
  'a: b',
  '---\n',
  '{"kind":1}',
  '{"metadata":[]}',
  '\u0000',
  '{"metadata":{"name":5}}',
]

export const SUBRESOURCES = [
  '',
  '',
  '',
  '',
  '',
  '',
  '/status',
  '/scale',
  '/x',
  '/status/x',
  '/log',
  '/eviction',
]

export const JSON_PATCHES: readonly Json[] = [
  [{ op: 'add', path: '/metadata/labels', value: { p: 'q' } }],
  [{ op: 'add', path: '/metadata/labels/p', value: 'q' }],
  [{ op: 'remove', path: '/metadata/labels/p' }],
  [{ op: 'remove', path: '/nothing/there' }],
  [{ op: 'test', path: '/metadata/name', value: 'a' }],
  [{ op: 'test', path: '/metadata/name', value: 'z' }],
  [{ op: 'replace', path: '/metadata/name', value: 'z' }],
  [{ op: 'replace', path: '/spec/replicas', value: 3 }],
  [{ op: 'move', from: '/metadata/labels', path: '/metadata/annotations' }],
  [{ op: 'copy', from: '/metadata/name', path: '/metadata/labels/name' }],
  [{ op: 'nothing', path: '/x' }],
  [{ op: 'add', path: 'x', value: 1 }],
  [{ op: 'add', path: '/data/k' }],
  [{ op: 'add', path: '', value: {} }],
  [{ op: 'add', path: '/spec/containers/-', value: { name: 'd', image: 'i' } }],
  [{ op: 'add', path: '/spec/containers/9', value: { name: 'd', image: 'i' } }],
  [{ op: 'replace', path: '/spec/size', value: 'x' }],
  [{ path: '/x', value: 1 }],
  [{}],
  [],
  {},
  'x',
]

export const MERGES: readonly Json[] = [
  { metadata: { labels: { p: 'q' } } },
  { metadata: { labels: null } },
  { metadata: { labels: { p: 5 } } },
  { metadata: { name: 'z' } },
  { metadata: { resourceVersion: '1' } },
  { metadata: { finalizers: null } },
  { metadata: { uid: 'x' } },
  { data: { z: 'z' } },
  { data: { z: null } },
  { spec: { replicas: 4 } },
  { spec: { replicas: -1 } },
  { spec: { size: 7 } },
  { spec: { template: { spec: { containers: [{ name: 'c', image: 'new' }] } } } },
  { spec: { containers: [{ name: 'c', image: 'new' }] } },
  { spec: { containers: [{ name: 'c', $patch: 'delete' }] } },
  { spec: { $patch: 'replace', containers: [{ name: 'e', image: 'e' }] } },
  { metadata: { labels: { $patch: 'replace', only: 'x' } } },
  { metadata: { $deleteFromPrimitiveList: {}, '$deleteFromPrimitiveList/finalizers': ['x.example.com/y'] } },
  { $patch: 'garbage' },
  { unknown: 1 },
  { kind: 'Other' },
  { apiVersion: 'v9' },
  { status: { phase: 'Running' } },
  [],
  null,
  5,
]

export const PATCH_TYPES = ['application/merge-patch+json', 'application/strategic-merge-patch+json']

export const DELETE_BODIES: readonly Json[] = [
  {},
  { kind: 'DeleteOptions', apiVersion: 'v1' },
  { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' },
  { propagationPolicy: 'Foreground' },
  { propagationPolicy: 'x' },
  { orphanDependents: true },
  { orphanDependents: true, propagationPolicy: 'Orphan' },
  { gracePeriodSeconds: 0 },
  { gracePeriodSeconds: -1 },
  { gracePeriodSeconds: 'x' },
  { preconditions: { uid: '{uid}' } },
  { preconditions: { uid: 'x' } },
  { preconditions: { resourceVersion: '{rv}' } },
  { preconditions: { resourceVersion: '1' } },
  { dryRun: ['All'] },
  { dryRun: ['x'] },
  { kind: 'Pod', apiVersion: 'v1' },
  { kind: 'DeleteOptions', apiVersion: 'apps/v1' },
  { unknown: 1 },
  { ignoreStoreReadErrorWithClusterBreakingPotential: true },
]

/** Bookmarks alone come by the clock. */
export const INITIAL = ['true', 'true&allowWatchBookmarks=true', 'false', 'x'].map(
  (value) => `sendInitialEvents=${value}`,
)

export const MATCHES = ['Exact', 'NotOlderThan', '', 'exact']

export const PATHS = [
  '/api',
  '/api/',
  '/api/v1',
  '/api/v1/',
  '/api/v9',
  '/apis/apps',
  '/apis/apps/',
  '/apis/apps/v1',
  '/apis/apps/v9',
  '/apis/nothing',
  '/apis/nothing/v1',
  '/apis/requests.example.com',
  '/apis/requests.example.com/v1',
  '/healthz',
  '/healthz/ping',
  '/healthz/nothing',
  '/readyz?exclude=nothing',
  '/openapi',
  '/openapi/v3/apis/nothing',
  '/logs',
  '/nothing',
  '/metrics/nothing',
  '/api/v1/namespaces/requests',
  '/api/v1/namespaces/requests/',
  '/api/v1/namespaces/requests/finalize',
  '/api/v1/namespaces/absent',
  '/api/v1/watch/namespaces/requests/configmaps?timeoutSeconds=1',
  '/api/v1/watch/configmaps/a?timeoutSeconds=1',
  '/api/v1/proxy/x',
  '/api/v1/componentstatuses/nothing',
  '/.well-known/nothing',
  '/swagger.json',
  '/ui',
  '/%2e%2e/api',
  '/api/../api',
  '//api',
  '/api//v1',
  '/API/v1',
]
