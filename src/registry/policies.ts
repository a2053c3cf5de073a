// Kinds by which a cluster is ruled: roles, admission, flow control, priorities, networking, extension of the API.
// Rows of strategies.ts. Follows pkg/registry/{rbac,admissionregistration,flowcontrol,scheduling,networking,node},
// apiextensions-apiserver and kube-aggregator.
import { customresourcedefinitions } from './definitions/strategy.ts'
import { nameIsPathSegment } from '../machinery/names.ts'
import type { KubeObject } from '../machinery/object.ts'
import { forbidden } from '../machinery/status.ts'
import { timeText } from './generic.ts'
import { childOf, objectAt, present } from './reading.ts'
import { changesExactly, COUNTED, held, STATUS_ONLY, WITH_STATUS } from './rows.ts'
import type { DeleteOptions, Strategy, WriteContext } from './strategy.ts'
import * as admission from './validation/admissionpolicies.ts'
import { loadExpressions } from './validation/expressions.ts'
import * as classes from './validation/classes.ts'
import * as flow from './validation/flowcontrol.ts'
import * as networking from './validation/networking.ts'
import * as rbac from './validation/rbac.ts'
import * as extension from './validation/webhooks.ts'
import { runtimeClassWarnings } from './warnings/nodelabels.ts'
import {
  balancerWarnings,
  ingressWarnings,
  networkPolicyWarnings,
  staticNameWarnings,
} from './warnings/others.ts'

const ruled: Strategy = {
  validateName: nameIsPathSegment,
  allowCreateOnUpdate: true,
  metadataOnUpdate: ['create', 'rules', 'update'],
}

const CONDITIONAL: Strategy = { allowUnconditionalUpdate: false }
const binding: Strategy = {
  ...CONDITIONAL,
  warnings: staticNameWarnings,
  hasGeneration: true,
  metadataOnUpdate: ['create'],
  anyFinalizer: true,
}
const webhooks: Strategy = {
  ...binding,
  load: loadExpressions,
  changesGeneration: changesExactly('webhooks'),
  ...held(extension.validateWebhooks, extension.validateWebhooksUpdate),
}
const flowcontrol: Strategy = { ...COUNTED, resetFields: STATUS_ONLY, metadataOnUpdate: ['create'] }

/** An APIService without a Service is answered by this server. */
function markLocal(apiservice: KubeObject, context: WriteContext): void {
  if (present(objectAt(apiservice['spec'])['service'])) return
  childOf(apiservice, 'status')['conditions'] = [
    {
      lastTransitionTime: timeText(context.now),
      message: 'Local APIServices are always available',
      reason: 'Local',
      status: 'True',
      type: 'Available',
    },
  ]
}

const apiservices: Strategy = {
  validateName: extension.nameOfAPIService,
  metadataOnUpdate: ['update', 'create'],
  ...CONDITIONAL,
  anyFinalizer: true,
  resetFields: STATUS_ONLY,
  initialStatus: () => ({}),
  prepareForCreate: markLocal,
  ...held(extension.validateAPIService, extension.validateAPIServiceUpdate),
}

/** As upstream's: a delete of the whole collection takes these classes, too; the next start makes them anew. */
function keepSystemPriority(
  { metadata: { name = '' } }: KubeObject,
  _options: DeleteOptions,
  { inCollection }: WriteContext,
): undefined {
  if (inCollection || !classes.isSystemPriority(name)) return
  const classesOf = { group: 'scheduling.k8s.io', resource: 'priorityclasses' }
  throw forbidden(classesOf, name, 'this is a system priority class and cannot be deleted')
}

export const policies: Readonly<Record<string, Strategy>> = {
  'roles.rbac.authorization.k8s.io': { ...ruled, validateCreate: rbac.validateRole },
  'clusterroles.rbac.authorization.k8s.io': {
    ...ruled,
    validateCreate: rbac.validateClusterRole,
  },
  'rolebindings.rbac.authorization.k8s.io': {
    ...ruled,
    ...held(rbac.validateRoleBinding, rbac.validateBindingUpdate),
  },
  'clusterrolebindings.rbac.authorization.k8s.io': {
    ...ruled,
    ...held(rbac.validateClusterRoleBinding, rbac.validateBindingUpdate),
  },
  'validatingwebhookconfigurations.admissionregistration.k8s.io': webhooks,
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': webhooks,
  'validatingadmissionpolicies.admissionregistration.k8s.io': {
    ...binding,
    resetFields: STATUS_ONLY,
    initialStatus: () => ({}),
    load: loadExpressions,
    ...held(admission.validateValidatingPolicy, admission.validateValidatingPolicyUpdate),
  },
  'validatingadmissionpolicybindings.admissionregistration.k8s.io': {
    ...binding,
    ...held(admission.validateValidatingBinding, admission.validateValidatingBindingUpdate),
  },
  'mutatingadmissionpolicies.admissionregistration.k8s.io': {
    ...binding,
    load: loadExpressions,
    ...held(admission.validateMutatingPolicy, admission.validateMutatingPolicyUpdate),
  },
  'mutatingadmissionpolicybindings.admissionregistration.k8s.io': {
    ...binding,
    ...held(admission.validateMutatingBinding, admission.validateMutatingBindingUpdate),
  },
  'flowschemas.flowcontrol.apiserver.k8s.io': {
    ...flowcontrol,
    ...held(flow.validateFlowSchema, flow.validateFlowSchemaUpdate),
  },
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io': {
    ...flowcontrol,
    ...held(flow.validatePriorityLevel, flow.validatePriorityLevelUpdate),
  },
  'priorityclasses.scheduling.k8s.io': {
    hasGeneration: true,
    changesGeneration: () => false,
    planDelete: keepSystemPriority,
    ...held(classes.validatePriorityClass, classes.validatePriorityClassUpdate),
  },
  'workloads.scheduling.k8s.io': {},
  'podgroups.scheduling.k8s.io': { resetFields: STATUS_ONLY, initialStatus: () => ({}) },
  'ingresses.networking.k8s.io': {
    ...COUNTED,
    metadataOnUpdate: ['update', 'create'],
    initialStatus: () => ({ loadBalancer: {} }),
    warnings: ingressWarnings,
    statusWarnings: balancerWarnings,
    ...held(networking.validateIngress, networking.validateIngressUpdate),
  },
  'ingressclasses.networking.k8s.io': {
    hasGeneration: true,
    metadataOnUpdate: ['update', 'changes', 'create', 'rules'],
    ...held(networking.validateIngressClass, networking.validateIngressClassUpdate),
  },
  'networkpolicies.networking.k8s.io': {
    hasGeneration: true,
    changesGeneration: changesExactly('spec'),
    warnings: networkPolicyWarnings,
    ...held(networking.validateNetworkPolicy, networking.validateNetworkPolicyUpdate),
  },
  'servicecidrs.networking.k8s.io': {
    ...WITH_STATUS,
    resetFields: STATUS_ONLY,
    ...held(networking.validateServiceRange, networking.validateServiceRangeUpdate),
  },
  'ipaddresses.networking.k8s.io': {
    validateName: networking.nameIsAddress,
    metadataOnUpdate: ['create', 'rules', 'update'],
    ...held(networking.validateIPAddress, networking.validateIPAddressUpdate),
  },
  'runtimeclasses.node.k8s.io': {
    metadataOnUpdate: ['create', 'rules', 'update'],
    allowCreateOnUpdate: true,
    allowUnconditionalUpdate: false,
    warnings: runtimeClassWarnings,
    ...held(classes.validateRuntimeClass, classes.validateRuntimeClassUpdate),
  },
  'customresourcedefinitions.apiextensions.k8s.io': customresourcedefinitions,
  'apiservices.apiregistration.k8s.io': apiservices,
  'storageversions.internal.apiserver.k8s.io': { ...CONDITIONAL, ...WITH_STATUS, resetFields: STATUS_ONLY },
  'storageversionmigrations.storagemigration.k8s.io': {
    ...CONDITIONAL,
    ...WITH_STATUS,
    resetFields: STATUS_ONLY,
  },
}
