// Defaults of admissionregistration.k8s.io, apiextensions.k8s.io, apiregistration.k8s.io and flowcontrol.apiserver.k8s.io:
// the kinds that configure the server itself.
// Follows k8s.io/kubernetes/pkg/apis/{admissionregistration,flowcontrol}, k8s.io/apiextensions-apiserver, k8s.io/kube-aggregator.
import type { JsonObject } from '../../machinery/json.ts'
import { type GroupDefaults, type Rules, structIn, structsIn } from './rules.ts'

const SERVICE: Rules = { absent: { port: 443 } }
const RULE: Rules = { absent: { scope: '*' } }
const selector = (): JsonObject => ({})

/** A webhook: what it is asked about, and what happens when it does not answer. */
const WEBHOOK: Rules = {
  absent: {
    failurePolicy: 'Fail',
    matchPolicy: 'Equivalent',
    namespaceSelector: selector,
    objectSelector: selector,
    timeoutSeconds: 10,
  },
  embedded: { clientConfig: { present: { service: SERVICE } } },
  items: { rules: RULE },
}

const MATCH: Rules = {
  absent: { matchPolicy: 'Equivalent', namespaceSelector: selector, objectSelector: selector },
  items: { resourceRules: RULE, excludeResourceRules: RULE },
}

const policy = (): Rules => ({
  embedded: { spec: { absent: { failurePolicy: 'Fail' }, present: { matchConstraints: MATCH } } },
})
const policyBinding = (): Rules => ({ embedded: { spec: { present: { matchResources: MATCH } } } })

const ALPHA_MATCH_PARAMS: Rules = { absent: { parameterNotFoundAction: 'Deny' } }

export const ADMISSIONREGISTRATION: GroupDefaults = {
  'v1/ValidatingWebhookConfiguration': () => ({ items: { webhooks: WEBHOOK } }),
  'v1/MutatingWebhookConfiguration': () => ({
    items: { webhooks: { ...WEBHOOK, absent: { ...WEBHOOK.absent, reinvocationPolicy: 'Never' } } },
  }),
  'v1/ValidatingAdmissionPolicy': policy,
  'v1/ValidatingAdmissionPolicyBinding': policyBinding,
  'v1/MutatingAdmissionPolicy': policy,
  'v1/MutatingAdmissionPolicyBinding': policyBinding,
  'v1beta1/MutatingAdmissionPolicy': policy,
  'v1beta1/MutatingAdmissionPolicyBinding': policyBinding,
  'v1alpha1/MutatingAdmissionPolicy': policy,
  'v1alpha1/MutatingAdmissionPolicyBinding': () => ({
    embedded: { spec: { present: { matchResources: MATCH, paramRef: ALPHA_MATCH_PARAMS } } },
  }),
}

export const APIEXTENSIONS: GroupDefaults = {
  'v1/CustomResourceDefinition': () => ({
    first: nameDefinition,
    embedded: {
      spec: {
        absent: { conversion: () => ({ strategy: 'None' }) },
        present: {
          conversion: {
            present: { webhook: { present: { clientConfig: { present: { service: SERVICE } } } } },
          },
        },
      },
    },
  }),
}

/** Singular and list kind follow from the kind; the version to store is the first that says so. */
function nameDefinition(definition: JsonObject): void {
  const spec = structIn(definition, 'spec')
  const names = structIn(spec, 'names')
  const kind = typeof names.kind === 'string' ? names.kind : ''
  if (!names.singular && kind) names.singular = kind.toLowerCase()
  if (!names.listKind && kind) names.listKind = `${kind}List`
  const status = structIn(definition, 'status')
  if (Array.isArray(status.storedVersions) && status.storedVersions.length > 0) return
  const stored = structsIn(spec, 'versions').find((version) => version.storage === true)
  if (typeof stored?.name === 'string') status.storedVersions = [stored.name]
}

export const APIREGISTRATION: GroupDefaults = {
  'v1/APIService': () => ({ embedded: { spec: { present: { service: SERVICE } } } }),
}

const QUEUING: Rules = { empty: { handSize: 8, queues: 64, queueLengthLimit: 50 } }

export const FLOWCONTROL: GroupDefaults = {
  'v1/FlowSchema': () => ({ embedded: { spec: { empty: { matchingPrecedence: 1000 } } } }),
  'v1/PriorityLevelConfiguration': () => ({
    embedded: {
      spec: {
        present: {
          limited: {
            absent: { nominalConcurrencyShares: 30, lendablePercent: 0 },
            embedded: { limitResponse: { present: { queuing: QUEUING } } },
          },
          exempt: { absent: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
        },
      },
    },
  }),
}
