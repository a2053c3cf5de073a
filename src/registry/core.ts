// The small kinds of the core group and of those that stand beside it: configuration, accounts, limits, nodes,
// events, leases, endpoints.
// Rows of strategies.ts. Follows pkg/registry/core, coordination and discovery.
import type { JsonObject } from '../machinery/json.ts'
import { newUid } from '../machinery/names.ts'
import type { KubeObject } from '../machinery/object.ts'
import { semanticEqual } from './equality.ts'
import { childOf, objectAt, objectsAt, present, textAt } from './reading.ts'
import { changesOf, held, STATUS_APART, WITH_STATUS } from './rows.ts'
import type { Strategy } from './strategy.ts'
import { validateLease, validateLeaseUpdate } from './validation/classes.ts'
import {
  validateConfigMap,
  validateConfigMapUpdate,
  validateSecret,
  validateSecretUpdate,
} from './validation/configuration.ts'
import {
  validateEndpoints,
  validateEndpointSlice,
  validateEndpointSliceUpdate,
  validateEndpointsUpdate,
} from './validation/endpoints.ts'
import {
  validateAnyEvent,
  validateEvent,
  validateNewerEvent,
  validateNewerEventUpdate,
} from './validation/events.ts'
import { validateLimitRange, validateQuota, validateQuotaUpdate } from './validation/limits.ts'
import { validateNode, validateNodeUpdate } from './validation/nodes.ts'
import { secretWarnings } from './warnings/keypair.ts'
import {
  endpointSliceWarnings,
  endpointsWarnings,
  nodeWarnings,
  quotaWarnings,
  serviceAccountWarnings,
} from './warnings/others.ts'

/** --event-ttl's default: one hour. */
export const EVENT_TTL_SECONDS = 3600

/** `stringData` is for writing only: it goes into `data`, over what stands there. */
function foldStringData(secret: KubeObject): void {
  const given = secret['stringData']
  if (given === undefined) return
  delete secret['stringData']
  const texts = objectAt(given)
  if (!Object.keys(texts).length) return
  const data = childOf(secret, 'data')
  for (const key of Object.keys(texts)) data[key] = Buffer.from(textAt(texts[key])).toString('base64')
}

/** A ServiceAccount names its secrets; whatever else the reference says is dropped. */
function bareSecretReferences(account: KubeObject): void {
  const secrets = objectsAt(account['secrets'])
  if (!secrets.length) return
  account['secrets'] = secrets.map((ref): JsonObject =>
    textAt(ref['name']) ? { name: textAt(ref['name']) } : {},
  )
}

const secrets: Strategy = {
  metadataOnUpdate: ['update', 'changes', 'create', 'rules'],
  warnings: secretWarnings,
  validateCreate: validateSecret,
  validateUpdate: validateSecretUpdate,
  prepareForCreate: foldStringData,
  prepareForUpdate(secret, old) {
    foldStringData(secret)
    if (!textAt(secret['type']) && old['type'] !== undefined) secret['type'] = old['type']
  },
}

const serviceaccounts: Strategy = {
  warnings: serviceAccountWarnings,
  prepareForCreate: bareSecretReferences,
  prepareForUpdate: bareSecretReferences,
  metadataOnUpdate: ['update', 'create'],
  returnsDeleted: true,
}

const events: Strategy = {
  ...held(validateEvent, (event, _old, context) => validateEvent(event, context)),
  allowCreateOnUpdate: true,
  metadataOnUpdate: ['update'],
  anyFinalizer: false,
  defaultPropagation: 'Unsupported',
  ttlSeconds: (_object, settings) => settings?.eventTtlSeconds ?? EVENT_TTL_SECONDS,
}

/** What v1beta1 told of nodes and zones has fields of its own. */
function dropTopology(slice: KubeObject): void {
  for (const endpoint of objectsAt(slice['endpoints'])) delete endpoint['deprecatedTopology']
}

const endpointslices: Strategy = {
  warnings: endpointSliceWarnings,
  validateCreate: validateEndpointSlice,
  validateUpdate: validateEndpointSliceUpdate,
  hasGeneration: true,
  metadataOnUpdate: ['create'],
  prepareForCreate: (slice) => dropTopology(slice),
  prepareForUpdate(slice, old, context) {
    if (!changesOf('endpoints')(slice, old, context)) return
    // What is dropped counts as a change all the same.
    slice.metadata.generation = (old.metadata.generation ?? 0) + 1
    dropTopology(slice)
  },
  changesGeneration: (object, old, context) =>
    changesOf('addressType', 'endpoints', 'ports')(object, old, context) ||
    !semanticEqual(object.metadata.labels, old.metadata.labels),
}

const lease: Strategy = { allowCreateOnUpdate: true, allowUnconditionalUpdate: false }

/** What the feature CoordinatedLeaderElection, off by default in 1.36, would allow is dropped. */
function dropElection(object: KubeObject, old?: KubeObject): void {
  const before = objectAt(old?.['spec'])
  if (before['strategy'] !== undefined || before['preferredHolder'] !== undefined) return
  const spec = objectAt(object['spec'])
  delete spec['strategy']
  delete spec['preferredHolder']
}

/** Dynamic configuration of kubelets is gone; what an older server stored stays. */
function dropDynamicConfig(node: KubeObject, old?: KubeObject): void {
  if (!present(objectAt(old?.['spec'])['configSource'])) delete objectAt(node['spec'])['configSource']
  if (!present(objectAt(old?.['status'])['config'])) delete objectAt(node['status'])['config']
}

export const core: Readonly<Record<string, Strategy>> = {
  configmaps: {
    metadataOnUpdate: ['update', 'create'],
    validateCreate: validateConfigMap,
    validateUpdate: validateConfigMapUpdate,
  },
  secrets,
  serviceaccounts,
  limitranges: {
    allowCreateOnUpdate: true,
    metadataOnUpdate: ['create'],
    prepareForCreate({ metadata }) {
      if (!metadata.name) metadata.name = newUid()
    },
    validateCreate: validateLimitRange,
    validateUpdate: validateLimitRange,
  },
  resourcequotas: {
    ...WITH_STATUS,
    returnsDeleted: true,
    validateCreate: validateQuota,
    validateUpdate: validateQuotaUpdate,
    warnings: quotaWarnings,
  },
  nodes: {
    resetFields: STATUS_APART,
    takesStatus: true,
    prepareForCreate: (node) => dropDynamicConfig(node),
    prepareForUpdate: dropDynamicConfig,
    metadataOnUpdate: ['create', 'rules', 'update'],
    warnings: nodeWarnings,
    validateCreate: validateNode,
    validateUpdate: validateNodeUpdate,
  },
  endpoints: {
    allowCreateOnUpdate: true,
    metadataOnUpdate: ['update', 'create'],
    warnings: endpointsWarnings,
    validateCreate: validateEndpoints,
    validateUpdate: validateEndpointsUpdate,
  },
  events: { ...events, plainMetadata: true, metadataOnUpdate: [] },
  'events.events.k8s.io': {
    ...events,
    validateFirst: validateAnyEvent,
    metadataOnUpdate: ['first', 'update', 'changes'],
    validateCreate: validateNewerEvent,
    validateUpdate: validateNewerEventUpdate,
  },
  'endpointslices.discovery.k8s.io': endpointslices,
  'leases.coordination.k8s.io': {
    ...lease,
    prepareForCreate: (object) => dropElection(object),
    prepareForUpdate: dropElection,
    ...held(validateLease, validateLeaseUpdate),
  },
  'leasecandidates.coordination.k8s.io': lease,
}
