// Samples of the kinds by which a cluster is extended and shared: admission, definitions, devices, flow control.
import type { JsonObject } from '../../src/machinery/json.ts'

const LABELS = { app: 'web' }
const HOOK = {
  name: 'hook.example.com',
  clientConfig: { url: 'https://127.0.0.1:1/hook' },
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  failurePolicy: 'Ignore',
  namespaceSelector: { matchLabels: { nobody: 'has-this' } },
  rules: [
    { apiGroups: ['example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['widgets'] },
  ],
}
const MATCH = {
  resourceRules: [
    { apiGroups: ['example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['widgets'] },
  ],
}
const CEL = { cel: { expression: 'device.driver == "gpu.example.com"' } }
const DEVICES = {
  requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu.example.com', selectors: [CEL], count: 2 } }],
}

/** As SAMPLES of samples.ts, of which they are a part. */
export const EXTENSION_SAMPLES: Readonly<Record<string, JsonObject>> = {
  'admissionregistration.k8s.io/mutatingadmissionpolicies': {
    spec: {
      matchConstraints: MATCH,
      reinvocationPolicy: 'Never',
      failurePolicy: 'Ignore',
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: { expression: 'Object{metadata: Object.metadata{labels: {"a": "b"}}}' },
        },
      ],
    },
  },
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings': { spec: { policyName: 'absent' } },
  'admissionregistration.k8s.io/mutatingwebhookconfigurations': {
    webhooks: [{ ...HOOK, reinvocationPolicy: 'IfNeeded' }],
  },
  'admissionregistration.k8s.io/validatingadmissionpolicies': {
    spec: {
      matchConstraints: MATCH,
      failurePolicy: 'Ignore',
      validations: [{ expression: 'object.metadata.name != "x"', message: 'no', reason: 'Forbidden' }],
      variables: [{ name: 'n', expression: 'object.metadata.name' }],
    },
  },
  'admissionregistration.k8s.io/validatingadmissionpolicybindings': {
    spec: { policyName: 'absent', validationActions: ['Warn', 'Audit'] },
  },
  'admissionregistration.k8s.io/validatingwebhookconfigurations': { webhooks: [HOOK] },
  'apiextensions.k8s.io/customresourcedefinitions': {
    spec: {
      group: 'sample.example.com',
      scope: 'Namespaced',
      names: {
        plural: 'widgets',
        singular: 'widget',
        kind: 'Widget',
        listKind: 'WidgetList',
        shortNames: ['wd'],
      },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                spec: { type: 'object', properties: { size: { type: 'integer', minimum: 1, default: 3 } } },
              },
            },
          },
          subresources: { status: {} },
          additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }],
        },
      ],
    },
  },
  'resource.k8s.io/deviceclasses': { spec: { selectors: [CEL] } },
  'resource.k8s.io/resourceclaims': { spec: { devices: DEVICES } },
  'resource.k8s.io/resourceclaimtemplates': {
    spec: { metadata: { labels: LABELS }, spec: { devices: DEVICES } },
  },
  'resource.k8s.io/resourceslices': {
    spec: {
      driver: 'gpu.example.com',
      pool: { name: 'p', generation: 1, resourceSliceCount: 1 },
      nodeName: 'n1',
      devices: [
        {
          name: 'gpu-0',
          attributes: { model: { string: 'x' }, cores: { int: 8 } },
          capacity: { memory: { value: '8Gi' } },
        },
      ],
    },
  },
  'flowcontrol.apiserver.k8s.io/flowschemas': {
    spec: {
      priorityLevelConfiguration: { name: 'global-default' },
      matchingPrecedence: 5000,
      distinguisherMethod: { type: 'ByUser' },
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: 'u' } }],
          resourceRules: [
            { verbs: ['get'], apiGroups: ['example.com'], resources: ['*'], namespaces: ['*'] },
          ],
        },
      ],
    },
  },
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations': {
    spec: {
      type: 'Limited',
      limited: {
        nominalConcurrencyShares: 2,
        lendablePercent: 10,
        limitResponse: { type: 'Queue', queuing: { queues: 8, handSize: 2, queueLengthLimit: 10 } },
      },
    },
  },
}
